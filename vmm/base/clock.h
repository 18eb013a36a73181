/* SPDX-License-Identifier: MIT */
/*
 * clock.h - the one host clock: CLOCK_MONOTONIC in nanoseconds, about 30 ns a
 * call. TSC ticks are only for what the guest's TSC is compared with.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

static inline uint64_t timespec_ns(struct timespec t)
{
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static inline struct timespec ns_timespec(uint64_t ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};
}

static inline uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return timespec_ns(now);
}

/* ticks_ns - exact to the rounding, for any @ticks; UINT64_MAX for what does not fit.
 * @tsc_hz is not 0. */
static inline uint64_t ticks_ns(uint64_t ticks, uint64_t tsc_hz)
{
	unsigned __int128 ns = (unsigned __int128)ticks * NS_PER_S / tsc_hz;

	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* ns_ticks - the other way. */
static inline uint64_t ns_ticks(uint64_t ns, uint64_t tsc_hz)
{
	return (uint64_t)((unsigned __int128)ns * tsc_hz / NS_PER_S);
}

#endif
