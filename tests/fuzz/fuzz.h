/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what every fuzz target includes.
 *
 * A target is a pure function of its bytes: whatever it has found wrong happens again
 * from the same bytes alone. It exports LLVMFuzzerTestOneInput(), libFuzzer's name,
 * and is linked with libFuzzer or with driver.c.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/**
 * LLVMFuzzerTestOneInput - run the target once.
 *
 * Shape:   @data is @bytes of anything, a heap block of exactly that size.
 * Returns: 0. Ends the process by abort() or by a sanitizer when something is wrong.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

_Noreturn static inline void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

/* fuzz_check - never left out, as an assert() can be. */
#define fuzz_check(condition) \
	((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

/* The input as a program: numbers are taken from its front; after its end they are 0. */
struct fuzz_program {
	const uint8_t *at;
	size_t left;
};

/* fuzz_take - the next @bytes, up to 8, little-endian. */
static inline uint64_t fuzz_take(struct fuzz_program *program, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes && program->left != 0; i++, program->left--)
		value |= (uint64_t)*program->at++ << 8 * i;
	return value;
}

/* fuzz_below - a number below @limit, which is 1 to 256, from one byte. */
static inline uint32_t fuzz_below(struct fuzz_program *program, uint32_t limit)
{
	return (uint32_t)fuzz_take(program, 1) % limit;
}

#endif
