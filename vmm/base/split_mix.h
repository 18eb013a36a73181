/* SPDX-License-Identifier: MIT */
/*
 * split_mix.h - numbers that look random and are the same for the same seed: the
 * schedule, the mover, the model and the fuzz targets draw them.
 *
 * Threads: a state belongs to one thread at a time.
 * Follows: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 *          OOPSLA 2014.
 * Tested:  tests/unit/random_slices_repeat_test.c
 */
#ifndef SPLIT_MIX_H
#define SPLIT_MIX_H

#include <stdint.h>

#define SPLIT_MIX_GAMMA UINT64_C(0x9e3779b97f4a7c15)

/* split_mix - every bit of @z into every bit of the result, one to one. */
static inline uint64_t split_mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* split_mix_draw - the next 64 bits; @state is the seed at first. */
static inline uint64_t split_mix_draw(uint64_t *state)
{
	return split_mix(*state += SPLIT_MIX_GAMMA);
}

/* split_mix_share - @range times a fraction of [0, 1) with 32 bits. */
static inline uint64_t split_mix_share(uint64_t range, uint32_t fraction)
{
	return (uint64_t)((unsigned __int128)range * fraction >> 32);
}

/* split_mix_below - one of 0 to @limit - 1, from one draw; 0 where @limit is 0. */
static inline uint64_t split_mix_below(uint64_t *state, uint64_t limit)
{
	return split_mix_share(limit, (uint32_t)(split_mix_draw(state) >> 32));
}

#endif
