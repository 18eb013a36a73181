// SPDX-License-Identifier: MIT
/*
 * options_defaults_follow_the_manual_test.c - what --help says in parentheses
 * is what a run without options does.
 */
#include <stdio.h>

#include "command_line.h"
#include "control.h"

/* Options whose default can also be given. */
static const struct {
	const char *option, *value;
} g_manual[] = {
	{ "--vcpus",       "8" },
	{ "--overcommit",  "4" },
	{ "--slice-us",    "2000" },
	{ "--preempt",     "slice" },
	{ "--ple",         "0" },
	{ "--sleepers",    "0" },
	{ "--realtime",    "0" },
	{ "--entry-flush", "auto" },
	{ "--confine",     CONFINE_DEFAULT_NAME },
	{ "--protocol",    "safe" },
	{ "--duration",    "2" },
	{ "--warmup",      "0.1" },
	{ "--repeat",      "1" },
	{ "--workload",    "toggle" },
	{ "--table-free",  "rcu" },
	{ "--initiators",  "1" },
	{ "--pages",       "1" },
	{ "--pace-us",     "100" },
	{ "--reclaim",     "0" },
	{ "--shadow-reclaim", "mode" },
	{ "--seed",        "1" },
	{ "--out",         "./out" },
};

static void numbers_are_equal(const struct options *a, const struct options *b)
{
	assert_int_equal(a->action, b->action);
	assert_int_equal(a->vcpus, b->vcpus);
	assert_int_equal(a->overcommit, b->overcommit);
	assert_int_equal(a->slots, b->slots);
	assert_int_equal(a->slice_us, b->slice_us);
	assert_int_equal(a->cpus_given, b->cpus_given);
	assert_memory_equal(&a->cpus, &b->cpus, sizeof(a->cpus));
	assert_int_equal(a->protocol_count, b->protocol_count);
	assert_memory_equal(a->protocols, b->protocols,
			    a->protocol_count * sizeof(a->protocols[0]));
	assert_int_equal(a->duration_given, b->duration_given);
	assert_true(a->duration_s == b->duration_s);
	assert_int_equal(a->flushes, b->flushes);
	assert_true(a->warmup_s == b->warmup_s);
	assert_int_equal(a->repeat, b->repeat);
	assert_int_equal(a->initiators, b->initiators);
	assert_int_equal(a->pace_us, b->pace_us);
	assert_int_equal(a->pages, b->pages);
	assert_int_equal(a->sleepers, b->sleepers);
	assert_int_equal(a->workload, b->workload);
	assert_int_equal(a->table_free, b->table_free);
	assert_int_equal(a->reclaim_hz, b->reclaim_hz);
	assert_int_equal(a->shadow_reclaim, b->shadow_reclaim);
	assert_int_equal(a->preempt, b->preempt);
	assert_int_equal(a->steps, b->steps);
	assert_int_equal(a->ple_us, b->ple_us);
	assert_int_equal(a->realtime, b->realtime);
	assert_int_equal(a->seed, b->seed);
	assert_int_equal(a->entry_flush, b->entry_flush);
	assert_int_equal(a->confine, b->confine);
}

static void defaults_are_the_manual_s(void **state)
{
	struct options bare = command_line_options("");
	char line[512] = "", out[64];
	struct options full;

	(void)state;
	snprintf(out, sizeof(out), "%s", bare.out);
	for (size_t i = 0; i < COUNT_OF(g_manual); i++) {
		size_t used = strlen(line);

		snprintf(line + used, sizeof(line) - used, "%s %s ",
			 g_manual[i].option, g_manual[i].value);
	}
	full = command_line_options(line);
	numbers_are_equal(&bare, &full);
	assert_string_equal(out, full.out);
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

/* The line of --help that begins with @option, without its newline. */
static void help_line(const char *option, char *line, size_t bytes)
{
	char start[64];
	const char *found;

	snprintf(start, sizeof(start), "\n  %s ", option);
	found = strstr(options_help(), start);
	if (!found)
		fail_msg("--help has no line for %s", option);
	snprintf(line, bytes, "%.*s", (int)strcspn(found + 1, "\n"), found + 1);
}

static void the_help_names_each_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_manual); i++) {
		char line[128], value[64];
		const char *found;

		help_line(g_manual[i].option, line, sizeof(line));
		snprintf(value, sizeof(value), "(%s", g_manual[i].value);
		found = strstr(line, value);
		if (!found || !strchr("),", found[strlen(value)]))
			fail_msg("'%s' does not say %s)", line, value);
	}
}

static void the_help_names_each_option(void **state)
{
	static const char *const others[] = {
		"--cpus", "--flushes", "--flush-ceiling", "--clear-pending", "--csv", "--json",
		"--fail-over", "--extra", "--trace", "--break-over", "--print",
		"--require-proof",
		"-q, --quiet", "--host", "--litmus[=NAME]",
		"--list-protocols", "--version", "-h, --help", "PAYLOAD",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++)
		assert_non_null(strstr(options_help(), others[i]));
	for (char digit[] = "0 "; digit[0] <= '6'; digit[0]++)
		assert_non_null(strstr(strstr(options_help(), "Exit: "), digit));
}

/* Words that an option takes, as the parser knows them. */
static void the_help_names_each_word(void **state)
{
	char line[128];

	(void)state;
	for (enum preempt preempt = PREEMPT_SLICE; preempt <= PREEMPT_HOST; preempt++)
		assert_non_null(strstr(options_help(), preempt_name(preempt)));
	for (enum workload workload = WORKLOAD_TOGGLE; workload <= WORKLOAD_TEARDOWN; workload++)
		assert_non_null(strstr(options_help(), workload_name(workload)));
	help_line("--table-free", line, sizeof(line));
	for (enum table_free way = TABLE_FREE_RCU; way <= TABLE_FREE_NOW; way++)
		assert_non_null(strstr(line, table_free_name(way)));
	help_line("--shadow-reclaim", line, sizeof(line));
	for (enum shadow_reclaim how = SHADOW_RECLAIM_MODE; how <= SHADOW_RECLAIM_COUNTER; how++)
		assert_non_null(strstr(line, shadow_reclaim_name(how)));
	help_line("--confine", line, sizeof(line));
	for (enum confine_mode mode = CONFINE_ON; mode <= CONFINE_OFF; mode++)
		assert_non_null(strstr(line, confine_name(mode)));
	for (uint32_t step = 0; step < SD_STEPS; step++)
		assert_non_null(strstr(options_help(), step_name(step)));
}

static void the_help_fits_a_screen(void **state)
{
	const char *line = options_help();
	int lines = 0;

	(void)state;
	for (; *line; line += strcspn(line, "\n") + 1) {
		assert_true(strcspn(line, "\n") <= 80);
		assert_int_equal(line[strcspn(line, "\n")], '\n');
		lines++;
	}
	assert_in_range(lines, 20, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_manual_s),
		cmocka_unit_test(what_is_not_given_is_empty),
		cmocka_unit_test(slices_are_longer_on_an_emulated_host),
		cmocka_unit_test(initiators_follow_the_workload),
		cmocka_unit_test(overcommit_is_four_or_all),
		cmocka_unit_test(the_help_names_each_default),
		cmocka_unit_test(the_help_names_each_option),
		cmocka_unit_test(the_help_names_each_word),
		cmocka_unit_test(the_help_fits_a_screen),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
