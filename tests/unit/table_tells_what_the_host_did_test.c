// SPDX-License-Identifier: MIT
/*
 * table_tells_what_the_host_did_test.c - throttling, CPUs that went away, clocks that are
 * coarse or do not agree have a line each below the table, where there were any.
 */
#include <stdio.h>
#include <stdlib.h>

#include "results_fixture.h"
#include "unit_test.h"

static char *notes_of(const struct run_results *run)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	host_notes_print(out, run);
	fclose(out);
	return text;
}

static void assert_notes(const struct run_results *run, const char *expected)
{
	char *text = notes_of(run);

	assert_string_equal(text, expected);
	free(text);
}

static void a_quiet_host_has_no_line(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->host.clock_step_ns = 10000;
	run->host.quota_cpus = 1.5;
	assert_notes(run, "");
}

static void throttling_is_summed_up(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->results[1].throttles = 1;
	run->results[1].throttled_ns = 98000000;
	assert_notes(run, "throttled: a cgroup's CPU quota held the run back 1 time, 98.0ms in all\n");
	run->results[2].throttles = 399;
	run->results[2].throttled_ns = UINT64_C(38902000000);
	assert_notes(run, "throttled: a cgroup's CPU quota held the run back 400 times, 39.0s in all\n");
}

static void slices_elsewhere_are_told(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	for (uint32_t i = 0; i < run->result_count; i++)
		run->results[i].switches = 0;
	run->results[0].switches = 700;
	run->results[3].switches = 300;
	run->results[3].strayed = 20;
	assert_notes(run, "20 of 1000 slices ended on a CPU that is not their slot's: has one gone "
		     "offline?\n");
}

static void clocks_are_told(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->host.clock_step_ns = 4000000;
	strcpy(run->host.clocksource, "jiffies");
	assert_notes(run, "clock: it moves in steps of 4.00ms (clocksource jiffies), and slices with "
		     "it\nclocksource jiffies: this kernel does not go by the TSC, and all times here "
		     "do\n");
	run->host.clock_step_ns = 1100;
	strcpy(run->host.clocksource, "hpet");
	assert_notes(run, "clocksource hpet: this kernel does not go by the TSC, and all times here "
		     "do\n");
	strcpy(run->host.clocksource, "kvm-clock");
	assert_notes(run, "");
	for (uint32_t i = 0; i < run->result_count; i++)
		run->results[i].flushes = 0;
	run->results[0].flushes = 20;
	run->results[0].clipped = 7;
	assert_notes(run, "7 of 20 flushes were parked for longer than they took: the TSC is not to be "
		     "trusted\n");
}

/* All at once, with the largest figures. */
static void lines_are_not_cut(void **state)
{
	struct run_results *run = fixture_reset();
	char *text;

	(void)state;
	run->results[0].throttles = run->results[0].throttled_ns = UINT64_MAX / 3;
	run->results[0].strayed = run->results[0].switches = UINT64_MAX / 3;
	run->results[0].clipped = UINT64_MAX / 3;
	run->host.clock_step_ns = UINT64_MAX;
	text = notes_of(run);
	assert_null(strstr(text, "..."));
	assert_int_equal(text[strlen(text) - 1], '\n');
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quiet_host_has_no_line),
		cmocka_unit_test(throttling_is_summed_up),
		cmocka_unit_test(slices_elsewhere_are_told),
		cmocka_unit_test(clocks_are_told),
		cmocka_unit_test(lines_are_not_cut),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
