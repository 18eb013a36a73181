// SPDX-License-Identifier: MIT
/*
 * ticks_become_exact_ns_test.c - vmm/base/clock.h loses nothing but the fraction of a
 * nanosecond, also after years of uptime.
 */
#include "clock.h"
#include "unit_test.h"

static void ticks_are_rounded_down_and_no_more(void **state)
{
	const struct { uint64_t ticks, hz, ns; } cases[] = {
		{ 0, 1, 0 },
		{ 1, 1000000000, 1 },
		{ 2399999999, 2400000000, 999999999 },
		{ 2400000000, 2400000000, 1000000000 },
		{ 2, 3000000000, 0 },
		{ 3, 3000000000, 1 },
		/* ticks * 1e9 passes 2^64 at 18446744073 ticks: 8 s at 2.3 GHz. */
		{ 18446744073, 2300000000, 8020323510 },
		{ 18446744074, 2300000000, 8020323510 },
		{ UINT64_C(1) << 63, 2000000000, UINT64_C(1) << 62 },
		{ UINT64_MAX, 1000000000, UINT64_MAX },
		{ UINT64_MAX, 2000000000, UINT64_MAX / 2 },
		{ UINT64_MAX, 500000000, UINT64_MAX },
		{ UINT64_C(1) << 63 | 1, 500000000, UINT64_MAX },
		{ UINT64_MAX, 2399999998, UINT64_C(7686143370450765981) },
		{ UINT64_C(72576000000000000), 2400000000, UINT64_C(30240000000000000) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		if (ticks_ns(cases[i].ticks, cases[i].hz) != cases[i].ns)
			fail_msg("%llu ticks at %llu Hz: %llu ns, not %llu",
				 (unsigned long long)cases[i].ticks, (unsigned long long)cases[i].hz,
				 (unsigned long long)ticks_ns(cases[i].ticks, cases[i].hz),
				 (unsigned long long)cases[i].ns);
}

static void timespecs_and_back(void **state)
{
	const uint64_t cases[] = {
		0, 1, NS_PER_S - 1, NS_PER_S, NS_PER_S + 1, UINT64_C(1700000000123456789),
		(uint64_t)INT64_MAX,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct timespec time = ns_timespec(cases[i]);

		assert_in_range(time.tv_nsec, 0, NS_PER_S - 1);
		assert_true(timespec_ns(time) == cases[i]);
	}
}

static void the_clock_never_goes_back(void **state)
{
	uint64_t last = clock_ns();

	(void)state;
	assert_true(last > 0);
	for (int i = 0; i < 100000; i++) {
		uint64_t now = clock_ns();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_rounded_down_and_no_more),
		cmocka_unit_test(timespecs_and_back),
		cmocka_unit_test(the_clock_never_goes_back),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
