// SPDX-License-Identifier: MIT
/*
 * parked_time_adds_up_test.c - the guest reads in its region how long its vCPU has been
 * parked: all parks together, each from the begin of park to the end of unpark.
 */
#include <x86intrin.h>

#include "parked_vcpu_fixture.h"

static uint64_t parked_ticks(void)
{
	return sd_u64_load(&g_region.parked_ticks);
}

/* One park; returns how long it was, by the thread's own clock. */
static uint64_t park_once(void)
{
	uint64_t before = __rdtsc(), begin;

	assert_int_equal(vcpu_park(&g_thread), 0);
	begin = g_thread.parked_ticks;
	assert_true(begin >= before);
	assert_int_equal(vcpu_unpark(&g_thread), 0);
	assert_true(g_thread.running_ticks >= begin && g_thread.running_ticks <= __rdtsc());
	return g_thread.running_ticks - begin;
}

static void every_park_counts(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		sum += park_once();
		assert_int_equal(parked_ticks(), sum);
		assert_int_equal(sd_u64_load(&g_region.parks), i);
	}
}

/* A vCPU is parked from its creation on. */
static void the_first_run_ends_the_first_park(void **state)
{
	uint64_t created;

	(void)state;
	vcpu_mark_created(&g_thread);
	created = g_thread.parked_ticks;
	assert_int_equal(vcpu_unpark(&g_thread), 0);
	assert_int_equal(parked_ticks(), g_thread.running_ticks - created);
}

/* Nobody reads a time that is still going on. */
static void a_park_counts_when_it_is_over(void **state)
{
	(void)state;
	assert_int_equal(vcpu_park(&g_thread), 0);
	assert_int_equal(parked_ticks(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_park_counts, set_up),
		cmocka_unit_test_setup(the_first_run_ends_the_first_park, set_up),
		cmocka_unit_test_setup(a_park_counts_when_it_is_over, set_up),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
