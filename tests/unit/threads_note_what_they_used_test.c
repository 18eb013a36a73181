// SPDX-License-Identifier: MIT
/*
 * threads_note_what_they_used_test.c - at the end of a job a vCPU's thread notes its CPU time
 * and how often it lost the CPU against its will; a slot switch is timed from the begin of
 * the park on.
 */
#include <sys/resource.h>

#include "clock.h"
#include "vcpu_thread_fixture.h"

#define VOLUNTARY   1000
#define INVOLUNTARY 7

/* Instead of libc's. */
int getrusage(__rusage_who_t who, struct rusage *usage)
{
	assert_int_equal(who, RUSAGE_THREAD);
	*usage = (struct rusage){ .ru_nvcsw = VOLUNTARY, .ru_nivcsw = INVOLUNTARY };
	return 0;
}

static void involuntary_switches_are_noted(void **state)
{
	(void)state;
	run_thread(SD_REQ_NOTHING, false, 0);
	assert_int_equal(vcpu()->involuntary_switches, INVOLUNTARY);
}

static void cpu_time_is_this_thread_s(void **state)
{
	struct timespec before, after;

	(void)state;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	run_thread(SD_REQ_NOTHING, false, 0);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	assert_true(vcpu()->cpu_ns >= timespec_ns(before));
	assert_true(vcpu()->cpu_ns <= timespec_ns(after));
}

/* A tick is a nanosecond here. The first entry follows nobody. */
static void a_switch_begins_with_the_park(void **state)
{
	const uint64_t park_ticks = 1000 * NS_PER_S;

	(void)state;
	run_thread(SD_REQ_STEP + SD_STEP_POSTED, false, park_ticks);
	assert_int_equal(g_slot.switches.count, RINGS - 1);
	assert_true(g_slot.switches.min >= park_ticks);
	run_thread(SD_REQ_STEP + SD_STEP_POSTED, false, 0);
	assert_int_equal(g_slot.switches.count, RINGS - 1);
	assert_true(g_slot.switches.max < park_ticks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(involuntary_switches_are_noted),
		cmocka_unit_test(cpu_time_is_this_thread_s),
		cmocka_unit_test(a_switch_begins_with_the_park),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
