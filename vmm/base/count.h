/* SPDX-License-Identifier: MIT */
/*
 * count.h - sums of numbers that a guest has written, which may be any.
 *
 * Tested: tests/unit/rounds_add_up_test.c
 */
#ifndef COUNT_H
#define COUNT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * count_add - *@sum += @more, up to UINT64_MAX and never round to 0.
 *
 * Returns: whether the sum did not fit.
 */
static inline bool count_add(uint64_t *sum, uint64_t more)
{
	if (!__builtin_add_overflow(*sum, more, sum))
		return false;
	*sum = UINT64_MAX;
	return true;
}

/**
 * count_mean - of @count values: @known of them have @mean, the others add up to @sum.
 *
 * Shape:   @known <= @count. Returns 0 for no values, UINT64_MAX at most.
 */
static inline uint64_t count_mean(uint64_t mean, uint64_t known, uint64_t sum, uint64_t count)
{
	unsigned __int128 all = (unsigned __int128)mean * known + sum;

	if (count == 0)
		return 0;
	return all / count > UINT64_MAX ? UINT64_MAX : (uint64_t)(all / count);
}

#endif
