// SPDX-License-Identifier: MIT
/*
 * stamps.c - checked reads of pages that move (stamps.h).
 *
 * Threads: stamps_write() main; stamps_check() vCPU threads.
 * Tested:  tests/unit/guest_pointers_are_followed_test.c
 */
#include "stamps.h"

#include "guest_pointer.h"
#include "stamp.h"

void stamps_write(struct guest_memory *memory)
{
	uint64_t *word = guest_memory_at(memory, SD_STAMPS_GPA, SD_STAMP_PAGES * SD_PAGE_BYTES);
	uint64_t address = SD_STAMPS_GPA;

	for (size_t i = 0; i < SD_STAMP_PAGES * SD_PAGE_BYTES / sizeof(*word); i++, address += 8)
		word[i] = sd_stamp(address);
}

static int refuse(struct vcpu_thread *thread, const char *what, uint64_t value)
{
	return why_set(&thread->why, EXIT_GUEST, EINVAL, "vCPU %u: batch of stamps: %s 0x%llx",
		       thread->vcpu.id, what, (unsigned long long)value);
}

static int check_one(struct vcpu_thread *thread, uint64_t address)
{
	uint64_t saw;
	int error;

	if (!sd_stamp_is_one(address))
		return refuse(thread, "there is none at", address);
	error = guest_pointer_copy(thread, address, &saw, sizeof(saw), "stamp");
	if (error != 0)
		return error;
	thread->counts.stamp_checks++;
	thread->counts.stamps_wrong += saw != sd_stamp(address);
	return 0;
}

int stamps_check(struct vcpu_thread *thread)
{
	uint64_t gva = sd_u64_load(&thread->vcpu.region->argument);
	struct sd_stamp_batch batch;
	int error = guest_pointer_copy(thread, gva, &batch, sizeof(batch), "batch of stamps");

	if (error == 0 && (batch.count == 0 || batch.count > SD_STAMP_BATCH))
		return refuse(thread, "count", batch.count);
	for (uint64_t i = 0; error == 0 && i < batch.count; i++)
		error = check_one(thread, batch.address[i]);
	return error;
}
