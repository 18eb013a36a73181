// SPDX-License-Identifier: MIT
/*
 * qemu_mend.c - takes two stores out of QEMU, in memory, before it begins. Each of them makes
 * a guest in an emulated AMD machine fail now and then: a triple fault, or no progress.
 *
 * An interrupt that comes twice. helper_vmrun() injects it at once, by
 * do_interrupt_x86_hardirq(), and also leaves its vector in CPUState.exception_index, where it
 * stands for an exception that is still to be delivered. Mostly nobody looks there before the
 * next #VMEXIT. But a CPU that another thread kicks leaves cpu_handle_interrupt() for
 * cpu_handle_exception(), and that delivers the vector once more, whatever IF says.
 *
 * Flags that are lost. cpu_clear_ignne(), which every FXRSTOR and XRSTOR calls, clears a bit of
 * hflags2 of the first CPU, by a plain read and write, from the thread of any CPU. The first
 * CPU's own changes of hflags2 get lost meanwhile: nested paging stays on after a #VMEXIT,
 * or is off after VMRUN. The bit is IGNNE, which only port 0xf0 sets, and Linux has not
 * written there since it has had 64 bits.
 *
 * Follows: QEMU 7.2, target/i386/tcg/sysemu/svm_helper.c, SVM_EVTINJ_TYPE_INTR,
 *          accel/tcg/cpu-exec.c, and target/i386/tcg/sysemu/fpu_helper.c. Later sources have
 *          the same lines.
 * Runs:    preloaded (amd.c), in QEMU's first thread, before main(). Nothing else of QEMU's is
 *          changed, and nothing at all where a store is not found exactly once.
 * Tested:  tests/hosts/interrupts_come_once_test.py, flags_of_a_cpu_are_kept_test.py
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

static int text_has(const struct text *text, const uint8_t *at)
{
	return at != NULL && at >= text->begin && at < text->end;
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

static const char *text_change(uint8_t *at, const uint8_t *to, size_t bytes)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uint8_t *first = at - (uintptr_t)at % page;
	size_t whole = (size_t)(at + bytes - first);

	if (mprotect(first, whole, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
		return strerror(errno);
	memcpy(at, to, bytes);
	return mprotect(first, whole, PROT_READ | PROT_EXEC) == 0 ? NULL : strerror(errno);
}

static const char *vector_forget(const struct text *text)
{
	static const uint8_t nothing[2][7] = {
		{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
		{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	};
	const uint8_t *deliver = dlsym(RTLD_DEFAULT, "do_interrupt_x86_hardirq");
	struct store store = { NULL, 0, 0 };

	if (!text_has(text, deliver))
		return "it names no do_interrupt_x86_hardirq()";
	for (uint8_t *at = text->begin + BEFORE_CALL; at + CALL_BYTES <= text->end; at++)
		if (*at == 0xe8 && at + CALL_BYTES + i32_at(at + 1) == deliver)
			look_before(at, &store);
	if (store.found != 1)
		return "its helper_vmrun() is not the one that is known";
	return text_change(store.at, nothing[store.bytes - 6], store.bytes);
}

static const char *flags_keep(const struct text *text)
{
	static const uint8_t ret = 0xc3;
	uint8_t *clear = dlsym(RTLD_DEFAULT, "cpu_clear_ignne");

	if (!text_has(text, clear))
		return "it names no cpu_clear_ignne()";
	return text_change(clear, &ret, sizeof(ret));
}

__attribute__((constructor))
static void mend(void)
{
	struct text text = { NULL, NULL };
	const char *why;

	/* A script that starts QEMU passes this on to it. */
	if (strncmp(program_invocation_short_name, "qemu-system", strlen("qemu-system")) != 0)
		return;
	dl_iterate_phdr(text_of_program, &text);
	why = vector_forget(&text);
	if (why == NULL)
		why = flags_keep(&text);
	if (why != NULL)
		fprintf(stderr, "note: guests may fail, because this QEMU's SVM could not be "
				"mended: %s\n", why);
}
