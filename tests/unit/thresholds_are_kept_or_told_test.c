// SPDX-License-Identifier: MIT
/*
 * thresholds_are_kept_or_told_test.c - a figure above its --fail-over limit, or one that
 * was not measured, gets a line and exit status 6; no other does.
 */
#include <stdlib.h>
#include <string.h>

#include "results_fixture.h"
#include "unit_test.h"

/* Status of the fixture's run with @limits; what was said goes to g_said. */
static char g_said[4096];

static enum exit_status status_with(const struct figure_limit *limits, uint32_t count)
{
	FILE *messages = fmemopen(g_said, sizeof(g_said), "w");
	enum exit_status status;

	assert_non_null(messages);
	memcpy(g_fixture.options.fail_over, limits, count * sizeof(*limits));
	g_fixture.options.fail_over_count = count;
	status = thresholds_of(&g_fixture.run, messages);
	fclose(messages);
	return status;
}

static void no_limit_no_word(void **state)
{
	(void)state;
	fixture_reset();
	assert_int_equal(status_with(NULL, 0), EXIT_OK);
	assert_string_equal(g_said, "");
}

/* The fixture's longest wall is 129900 ns; it is known exactly. */
static void a_limit_is_kept_up_to_itself(void **state)
{
	struct figure_limit limit = { { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX }, 129900 };

	(void)state;
	fixture_reset();
	assert_int_equal(status_with(&limit, 1), EXIT_OK);
	assert_string_equal(g_said, "");
	limit.limit_ns--;
	assert_int_equal(status_with(&limit, 1), EXIT_THRESHOLD);
	assert_string_equal(g_said, "ipi:wall.max: 129900 ns, over the limit of 129899 ns\n");
}

/* Each time is that of its own distribution. */
static void each_name_is_its_own_figure(void **state)
{
	static const uint64_t longest_ns[FIGURE_TIMES] = {
		[FIGURE_WALL] = 30000 + 999 * 100, [FIGURE_STALL] = 29000 + 999 * 100,
		[FIGURE_FLOOR] = 20000 + 999 * 10, [FIGURE_PTE] = 4500 + 999,
		[FIGURE_SWITCH] = 12000 + 999 * 5,
	};

	(void)state;
	fixture_reset();
	for (enum figure_times times = 0; times < FIGURE_TIMES; times++) {
		struct figure_limit limit = {
			{ SD_PROTOCOL_takeover, times, FIGURE_MAX }, longest_ns[times],
		};

		assert_int_equal(status_with(&limit, 1), EXIT_OK);
		limit.limit_ns--;
		assert_int_equal(status_with(&limit, 1), EXIT_THRESHOLD);
	}
}

static void each_that_is_exceeded_has_a_line(void **state)
{
	static const struct figure_limit limits[] = {
		{ { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX }, 1 },
		{ { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_P50 }, UINT64_C(1000000000) },
		{ { SD_PROTOCOL_sleep, FIGURE_PTE, FIGURE_MAX }, 2 },
	};

	(void)state;
	fixture_reset();
	assert_int_equal(status_with(limits, COUNT_OF(limits)), EXIT_THRESHOLD);
	assert_string_equal(g_said,
			    "ipi:wall.max: 129900 ns, over the limit of 1 ns\n"
			    "sleep:pte.max: 5499 ns, over the limit of 2 ns\n");
}

/* No sample, or no such protocol in the run: silence would look like a pass. Where the
 * run was interrupted it is said, and no failure. */
static void what_was_not_measured_is_not_kept(void **state)
{
	struct figure_limit limit = { { SD_PROTOCOL_yield, FIGURE_FLOOR, FIGURE_P99 }, 5 };
	const char *line =
		"yield:floor.p99: not measured, so nothing shows that it keeps below 5 ns\n";
	struct run_results *run = fixture_reset();

	(void)state;
	histogram_init(&run->results[SD_PROTOCOL_yield].floor_ns);
	assert_int_equal(status_with(&limit, 1), EXIT_THRESHOLD);
	assert_string_equal(g_said, line);
	run->interrupted = true;
	assert_int_equal(status_with(&limit, 1), EXIT_OK);
	assert_string_equal(g_said, line);
	run->interrupted = false;
	run->result_count = 1;
	limit.key.protocol = SD_PROTOCOL_sleep;         /* the first one that is not there */
	assert_int_equal(status_with(&limit, 1), EXIT_THRESHOLD);
	assert_string_equal(g_said, "sleep:floor.p99: not measured, "
			    "so nothing shows that it keeps below 5 ns\n");
}

/* Numbers and nothing else, for scripts. */
static void printed_figures_are_bare_numbers(void **state)
{
	static const struct figure_key keys[] = {
		{ SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX },
		{ SD_PROTOCOL_yield, FIGURE_FLOOR, FIGURE_P50 },
		{ SD_PROTOCOL_ipi, FIGURE_PTE, FIGURE_MAX },
	};
	struct run_results *run = fixture_reset();
	FILE *out = fmemopen(g_said, sizeof(g_said), "w");

	(void)state;
	assert_non_null(out);
	memcpy(g_fixture.options.print, keys, sizeof(keys));
	g_fixture.options.print_count = COUNT_OF(keys);
	histogram_init(&run->results[SD_PROTOCOL_yield].floor_ns);
	print_figures(out, run);
	fclose(out);
	assert_string_equal(g_said, "129900\n-\n5499\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_limit_no_word),
		cmocka_unit_test(a_limit_is_kept_up_to_itself),
		cmocka_unit_test(each_name_is_its_own_figure),
		cmocka_unit_test(each_that_is_exceeded_has_a_line),
		cmocka_unit_test(what_was_not_measured_is_not_kept),
		cmocka_unit_test(printed_figures_are_bare_numbers),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
