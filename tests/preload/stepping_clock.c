// SPDX-License-Identifier: MIT
/*
 * stepping_clock.c - an LD_PRELOAD whose CLOCK_REALTIME leaps at every reading, years
 * back and forth, as on a host whose clock is set; no other clock does.
 *
 * A timer or a sleep by that clock ends the program: it would be late, or early, by as
 * much. The machine's own clock is left alone.
 * Threads: any.
 * Tested by: tests/kvm/faults_clock_steps_change_nothing_test.py
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define YEAR_S (365 * 24 * 3600)

/* In turn; none of them is a time at which anybody runs this. */
static time_t step(void)
{
	static const int years[] = { 30, -30, 10, -10, 29 };
	static atomic_uint readings;

	return (time_t)years[atomic_fetch_add(&readings, 1) % 5] * YEAR_S;
}

static int is_wall_clock(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

static void refuse(clockid_t clock, const char *call)
{
	if (!is_wall_clock(clock))
		return;
	fprintf(stderr, "stepping_clock: %s by the wall clock\n", call);
	abort();
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long result = syscall(SYS_clock_gettime, clock, now);

	if (result == 0 && is_wall_clock(clock))
		now->tv_sec += step();
	return (int)result;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}

int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict timer)
{
	int (*next)(clockid_t, struct sigevent *, timer_t *);

	refuse(clock, "timer_create");
	*(void **)&next = dlsym(RTLD_NEXT, "timer_create");
	return next(clock, event, timer);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until,
		    struct timespec *left)
{
	refuse(clock, "clock_nanosleep");
	return syscall(SYS_clock_nanosleep, clock, flags, until, left) == 0 ? 0 : errno;
}
