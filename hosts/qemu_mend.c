// SPDX-License-Identifier: MIT
/*
 * qemu_mend.c - takes one store out of QEMU, in memory, before it begins: without this, an
 * emulated AMD machine delivers some of its guests' interrupts twice.
 *
 * helper_vmrun() injects an interrupt at once, by do_interrupt_x86_hardirq(), and also leaves
 * the vector in CPUState.exception_index, where it stands for an exception that is still to be
 * delivered. Mostly nobody looks there before the next #VMEXIT. But a CPU that another thread
 * kicks leaves cpu_handle_interrupt() for cpu_handle_exception(), and that delivers the vector
 * once more, whatever IF says. The guest faults, or answers what nobody has asked.
 *
 * Follows: QEMU 7.2, target/i386/tcg/sysemu/svm_helper.c, SVM_EVTINJ_TYPE_INTR, and
 *          accel/tcg/cpu-exec.c. The same lines are in QEMU 10.
 * Runs:    preloaded (amd.c), in QEMU's first thread, before main(). Nothing else of QEMU's is
 *          changed, and nothing at all where the store is not found exactly once.
 * Tested:  tests/hosts/interrupts_come_once_test.py
 */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of machine code: the lines of the source that come before the call. */
#define BEFORE_CALL 64

#define CALL_BYTES 5

struct text {
	uint8_t *begin, *end;
};

struct store {
	uint8_t *at;
	size_t bytes;
	unsigned found;
};

/* The first object is the program. */
static int text_of_program(struct dl_phdr_info *info, size_t size, void *data)
{
	struct text *text = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
			text->begin = (uint8_t *)(info->dlpi_addr + part->p_vaddr);
			text->end = text->begin + part->p_filesz;
		}
	}
	return 1;
}

static int32_t i32_at(const uint8_t *at)
{
	int32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/*
 * The bytes of `mov %reg, disp32(%base)` of 32 bits with a displacement below zero, or 0: from
 * CPUX86State, which the other stores of these lines go to, back to the CPUState before it.
 */
static size_t store_bytes(const uint8_t *at)
{
	size_t rex = (*at & 0xf8) == 0x40;
	const uint8_t *mov = at + rex;

	if (mov[0] != 0x89 || (mov[1] & 0xc0) != 0x80 || (mov[1] & 7) == 4)
		return 0;
	return i32_at(mov + 2) < 0 ? rex + 6 : 0;
}

/* movq $-1, disp32(%base): env->exception_next_eip = -1, on the way to this call only. */
static int no_next_eip(const uint8_t *at)
{
	return at[0] == 0x48 && at[1] == 0xc7 && (at[2] & 0xf8) == 0x80 && i32_at(at + 7) == -1;
}

static void look_before(uint8_t *call, struct store *store)
{
	unsigned next_eips = 0, stores = 0;
	size_t bytes;

	for (uint8_t *at = call - BEFORE_CALL; at < call - 11; at += bytes != 0 ? bytes : 1) {
		next_eips += no_next_eip(at) != 0;
		bytes = store_bytes(at);
		if (bytes != 0 && next_eips == 0) {
			store->at = at;
			store->bytes = bytes;
			stores++;
		}
	}
	if (next_eips == 1)
		store->found += stores;
}

static const char *store_find(struct store *store)
{
	const uint8_t *deliver = dlsym(RTLD_DEFAULT, "do_interrupt_x86_hardirq");
	struct text text = { NULL, NULL };

	*store = (struct store){ NULL, 0, 0 };
	dl_iterate_phdr(text_of_program, &text);
	if (deliver == NULL || deliver < text.begin || deliver >= text.end)
		return "it names no do_interrupt_x86_hardirq()";
	for (uint8_t *at = text.begin + BEFORE_CALL; at + CALL_BYTES <= text.end; at++)
		if (*at == 0xe8 && at + CALL_BYTES + i32_at(at + 1) == deliver)
			look_before(at, store);
	return store->found == 1 ? NULL : "its helper_vmrun() is not the one that is known";
}

static const char *store_remove(const struct store *store)
{
	static const uint8_t nothing[2][7] = {
		{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	};
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uint8_t *first = store->at - (uintptr_t)store->at % page;
	size_t bytes = (size_t)(store->at + store->bytes - first);

	if (mprotect(first, bytes, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return strerror(errno);
	memcpy(store->at, nothing[store->bytes - 6], store->bytes);
	return mprotect(first, bytes, PROT_READ | PROT_EXEC) == 0 ? NULL : strerror(errno);
}

__attribute__((constructor))
static void mend(void)
{
	struct store store;
	const char *why;

	/* A script that starts QEMU passes this on to it. */
	if (strncmp(program_invocation_short_name, "qemu-system", strlen("qemu-system")) != 0)
		return;
	why = store_find(&store);
	if (why == NULL)
		why = store_remove(&store);
	if (why != NULL)
		fprintf(stderr, "note: this QEMU may deliver a guest's interrupt twice, and could "
				"not be mended: %s\n", why);
}
