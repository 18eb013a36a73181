// SPDX-License-Identifier: MIT
/*
 * options_defaults_follow_the_manual_test.c - what --help says in parentheses
 * is what a run without options does.
 */
#include <stdio.h>
#include <stdlib.h>

#include "command_line.h"
#include "control.h"
#include "option_table.h"
#include "options_parse.h"

/* options_set_defaults() relies on it. */
static void defaults_of_the_table_are_taken(void **state)
{
	int taken = 0;

	(void)state;
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		char line[128];

		if (g_option_rows[i].initial == NULL)
			continue;
		snprintf(line, sizeof(line), "--%s %s", g_option_rows[i].name,
			 g_option_rows[i].initial);
		(void)command_line_options(line);
		taken++;
	}
	assert_in_range(taken, 15, OPTION_ROWS);
}

/* Those that options_parse.c decides, where the table has them in words. */
static void defaults_in_words_are_true(void **state)
{
	struct options bare = command_line_options("");
	struct options full = command_line_options("--overcommit 4 --slice-us 2000 --duration 2 "
						   "--initiators 1");

	(void)state;
	assert_int_equal(bare.overcommit, full.overcommit);
	assert_int_equal(bare.slots, full.slots);
	assert_int_equal(bare.slice_us, full.slice_us);
	assert_int_equal(bare.duration_given, full.duration_given);
	assert_true(bare.duration_s == full.duration_s);
	assert_int_equal(bare.initiators, full.initiators);
}

static void what_is_not_given_is_empty(void **state)
{
	struct options options = command_line_options("");

	(void)state;
	assert_int_equal(options.action, OPTIONS_RUN);
	assert_false(options.cpus_given);
	assert_int_equal(cpus_count(&options.cpus), 0);
	assert_true(options.duration_given);
	assert_int_equal(options.flushes, 0);
	assert_null(options.csv);
	assert_null(options.json);
	assert_null(options.payload);
	assert_false(options.quiet);
	assert_false(options.clear_pending);
	assert_int_equal(options.flush_ceiling, FLUSH_CEILING_AUTO);
	assert_int_equal(options.steps, 0);
}

/* Not what was given. */
static void slices_are_longer_on_an_emulated_host(void **state)
{
	static const struct { const char *line; bool emulated; uint32_t slice_us; } cases[] = {
		{ "",                false, 2000 },
		{ "",                true,  20000 },
		{ "--slice-us 2000", true,  2000 },
		{ "--slice-us 50",   true,  50 },
		{ "--slice-us 50",   false, 50 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct options options = command_line_options(cases[i].line);

		options_suit_host(&options, cases[i].emulated);
		assert_int_equal(options.slice_us, cases[i].slice_us);
		assert_int_equal(options.slice_given, cases[i].line[0] != '\0');
	}
}

/* churn: every vCPU that does not sleep, as far as there are windows; all others: one. */
static void initiators_follow_the_workload(void **state)
{
	static const struct {
		const char *line;
		uint32_t initiators;
	} cases[] = {
		{ "--vcpus 1",                                      1 },
		{ "--vcpus 1024",                                   1 },
		{ "--sleepers 7",                                   1 },
		{ "--workload churn",                               8 },
		{ "--workload churn --vcpus 1",                     1 },
		{ "--workload churn --sleepers 3",                  5 },
		{ "--sleepers 7 --workload churn",                  1 },
		{ "--workload churn --vcpus 64",                    64 },
		{ "--workload churn --vcpus 65",                    64 },
		{ "--workload churn --vcpus 65 --sleepers 2",       63 },
		{ "--workload churn --vcpus 1024 --sleepers 960",   64 },
		{ "--workload churn --vcpus 1024 --sleepers 1023",  1 },
		{ "--workload churn --initiators 1",                1 },
		{ "--workload churn --workload toggle",             1 },
		{ "--workload teardown",                            1 },
		{ "--workload teardown --vcpus 1",                  1 },
		{ "--workload teardown --vcpus 255 --sleepers 254", 1 },
		{ "--workload teardown --initiators 8",             8 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		print_message("%s\n", cases[i].line);
		assert_int_equal(command_line_options(cases[i].line).initiators,
				 cases[i].initiators);
	}
}

static void overcommit_is_four_or_all(void **state)
{
	static const struct {
		const char *line;
		uint32_t overcommit, slots;
	} cases[] = {
		{ "--vcpus 1",    1, 1 },
		{ "--vcpus 3",    3, 1 },
		{ "--vcpus 4",    4, 1 },
		{ "--vcpus 5",    4, 2 },
		{ "--vcpus 8",    4, 2 },
		{ "--vcpus 9",    4, 3 },
		{ "--vcpus 1024", 4, 256 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct options options = command_line_options(cases[i].line);

		assert_int_equal(options.overcommit, cases[i].overcommit);
		assert_int_equal(options.slots, cases[i].slots);
	}
}

static void the_help_fits_its_columns(void **state)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	options_help(out);
	assert_int_equal(fclose(out), 0);
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
		assert_in_range(strcspn(line, "\n"), 0, 80);
		assert_int_equal(line[strcspn(line, "\n")], '\n');
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_of_the_table_are_taken),
		cmocka_unit_test(defaults_in_words_are_true),
		cmocka_unit_test(what_is_not_given_is_empty),
		cmocka_unit_test(slices_are_longer_on_an_emulated_host),
		cmocka_unit_test(initiators_follow_the_workload),
		cmocka_unit_test(overcommit_is_four_or_all),
		cmocka_unit_test(the_help_fits_its_columns),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
