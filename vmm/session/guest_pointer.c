// SPDX-License-Identifier: MIT
/*
 * guest_pointer.c - pointers of the guest (guest_pointer.h).
 *
 * Threads: vCPU threads.
 * Tested:  tests/unit/guest_pointers_are_followed_test.c
 */
#include "guest_pointer.h"

#include "pte.h"
#include "session.h"

uint64_t guest_pointer_root(uint32_t vcpu)
{
	return sd_table_gpa(vcpu, SD_TABLE_PML4);
}

int guest_pointer_copy(struct vcpu_thread *thread, uint64_t gva, void *to, size_t bytes,
		       const char *what)
{
	uint64_t root = guest_pointer_root(thread->vcpu.id);
	int error = shadow_copy_from_guest(thread->reader, root, gva, to, bytes);

	if (error == 0)
		return 0;
	return why_set(&thread->why, error == -ENOMEM ? EXIT_HOST : EXIT_GUEST, -error,
		       "vCPU %u: %s at 0x%llx %s", thread->vcpu.id, what,
		       (unsigned long long)gva, guest_walk_text(error));
}

/* To the end of the page at most, so that no page is asked for that the string does not
 * reach into. Returns how many bytes; 0: it cannot be read. */
static size_t copy_up_to(struct vcpu_thread *thread, uint64_t gva, char *to, size_t bytes)
{
	uint64_t root = guest_pointer_root(thread->vcpu.id);
	size_t left = SD_PAGE_BYTES - gva % SD_PAGE_BYTES;

	bytes = bytes < left ? bytes : left;
	return shadow_copy_from_guest(thread->reader, root, gva, to, bytes) == 0 ? bytes : 0;
}

/* Of @bytes, those before the first that is not printable. */
static size_t printable(const char *text, size_t bytes)
{
	size_t length = 0;

	while (length < bytes && text[length] >= ' ' && text[length] < 127)
		length++;
	return length;
}

void guest_pointer_text(struct vcpu_thread *thread, uint64_t gva, char *text, size_t size)
{
	size_t length = 0, copied, good;

	do {
		copied = copy_up_to(thread, gva + length, text + length, size - 1 - length);
		good = printable(text + length, copied);
		length += good;
		/* Address 0 does not come after the last one. */
	} while (good == copied && copied != 0 && gva + length != 0);
	if (length == 0)
		text[length++] = '?';
	text[length] = '\0';
}
