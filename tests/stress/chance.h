/* SPDX-License-Identifier: MIT */
/*
 * chance.h - randomness of the calling thread, and pauses that let another one in
 * between two steps.
 */
#ifndef CHANCE_H
#define CHANCE_H

#include <sched.h>
#include <stdint.h>

static _Thread_local uint64_t chance_state;

/* chance_seed - each thread its own, before it draws. */
static inline void chance_seed(uint64_t seed, uint64_t thread)
{
	chance_state = (seed * UINT64_C(0x9e3779b97f4a7c15) ^
			(thread + 1) * UINT64_C(0xbf58476d1ce4e5b9)) | 1;
}

/* chance_below - xorshift64, Marsaglia 2003. */
static inline uint32_t chance_below(uint32_t limit)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (uint32_t)(chance_state >> 32) % limit;
}

/* chance_yield - to other threads, less than @limit times. */
static inline void chance_yield(uint32_t limit)
{
	for (uint32_t yields = chance_below(limit); yields > 0; yields--)
		sched_yield();
}

/* chance_dwell - one time in @times, another CPU or thread may come in between. */
static inline void chance_dwell(uint32_t times)
{
	if (chance_below(times) == 0)
		chance_yield(4);
}

#endif
