// SPDX-License-Identifier: MIT
/*
 * table_shows_every_protocol_test.c - the table has a row for each protocol
 * with its figures, stays legible, and says what a reader has to know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "figure.h"
#include "line.h"
#include "results_fixture.h"

#ifdef NDEBUG
#error "tests need their assertions"
#endif

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The printed table; also checks what holds for every one. */
static char *table_of(const struct run_results *run)
{
	char *text = NULL;
	size_t bytes = 0, column = 0;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	table_print(out, run);
	fclose(out);
	assert_true(bytes > 0 && text[bytes - 1] == '\n');
	for (size_t i = 0; i < bytes; i++) {
		column = text[i] == '\n' ? 0 : column + 1;
		assert_true(column <= LINE_COLUMNS);
		assert_true(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
	}
	return text;
}

/* The line that begins with @start, in a static buffer; NULL if there is none. */
static const char *line_with(const char *text, const char *start)
{
	static char line[256];

	for (const char *at = text; at != NULL && *at != '\0'; at = strchr(at, '\n') + 1)
		if (!strncmp(at, start, strlen(start))) {
			snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
			return line;
		}
	return NULL;
}

static const char *row_of(const char *text, enum sd_protocol protocol)
{
	char start[64];

	snprintf(start, sizeof(start), "%s ", protocol_name(protocol));
	return line_with(text, start);
}

static void assert_says(const struct run_results *run, const char *words, bool expected)
{
	char *text = table_of(run);

	if ((strstr(text, words) != NULL) != expected)
		print_error("\"%s\" in\n%s", words, text);
	assert_int_equal(strstr(text, words) != NULL, expected);
	free(text);
}

static void every_protocol_has_its_row(void **state)
{
	char *text = table_of(fixture_reset());

	(void)state;
	for (int i = 0; i < SD_PROTOCOLS; i++) {
		enum sd_protocol protocol = (enum sd_protocol)i;
		const char *row = row_of(text, protocol);
		static const char *const ends[] = {
			[SD_KIND_SAFE] = " 0  1.90G ok",
			[SD_KIND_CONTROL] = " 64.9M  1.90G caught",
			[SD_KIND_UNSAFE] = " 0  1.90G unsafe",
		};

		assert_non_null(row);
		assert_non_null(strstr(row, ends[protocol_kind(protocol)]));
	}
	free(text);
}

static void a_row_has_its_figures_in_order(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = &run->results[0];
	char *text, name[64], cells[12][16];
	const char *expected[] = {
		"12.3k", "8.00ms", "9.00ms", "812ns", "29.3us", "1.23s", "2.00s", "1.75", "5.25",
		"0", "1.90G", "ok",
	};

	(void)state;
	result->flushes = 1000;
	result->measured_ns = 81234567;
	/* Two values: the lower is the p50, the upper all else; three give p99.9. */
	histogram_init(&result->wall_ns);
	histogram_init(&result->stall_ns);
	histogram_record(&result->wall_ns, 8000000);
	histogram_record(&result->wall_ns, 9000000);
	for (int i = 0; i < 10000; i++)
		histogram_record(&result->stall_ns, i < 9000 ? 812 : i < 9950 ? 29312 :
				 i < 9999 ? 1230000000 : 2000000000);
	text = table_of(run);
	assert_int_equal(sscanf(row_of(text, result->protocol),
		"%63s %15s %15s %15s %15s %15s %15s %15s %15s %15s %15s %15s %15s", name,
		cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7],
		cells[8], cells[9], cells[10], cells[11]), 13);
	for (size_t i = 0; i < LENGTH(expected); i++) {
		if (i == 3)
			assert_non_null(strstr(cells[i], "ns"));        /* within 1/128 */
		else if (i == 4 || i == 5)
			assert_int_equal(cells[i][0], expected[i][0]);
		else
			assert_string_equal(cells[i], expected[i]);
	}
	free(text);
}

static void the_header_says_what_ran(void **state)
{
	struct run_results *run = fixture_reset();
	char *text;

	(void)state;
	CPU_SET(5, &run->slot_cpus);
	text = table_of(run);
	assert_string_equal(line_with(text, "8 vCPUs"),
		"8 vCPUs on 2 slots, slice 2.00ms, 1 initiator, pause 100us, seed 7, CPUs 0-1,5");
	assert_string_equal(line_with(text, "host "),
		"host kvm-pvm, entry flush by steal (tested), Linux 6.1.0-18, Some CPU");
	free(text);
}

static void long_or_odd_facts_do_not_break_lines(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	memset(run->host.cpu, 'x', sizeof(run->host.cpu) - 1);
	memset(run->host.kernel, 'y', sizeof(run->host.kernel) - 1);
	strcpy(run->host.kvm, "\x1b[31m\n\x7f\xff");
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu += 2)
		CPU_SET(cpu, &run->slot_cpus);
	g_fixture.options.seed = UINT64_MAX;
	assert_says(run, "seed 18446744073709551615", true);
	assert_says(run, "...\nhost ", true);
}

static void absurd_counts_do_not_break_columns(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	g_fixture.options.vcpus = g_fixture.options.slots = UINT32_MAX;
	g_fixture.options.slice_us = g_fixture.options.pace_us = UINT32_MAX;
	run->first_instruction_ns = UINT64_MAX;
	for (uint32_t i = 0; i < run->result_count; i++) {
		struct protocol_result *result = &run->results[i];

		result->flushes = result->ipis = result->deferred = UINT64_MAX;
		result->measured_ns = i;
		result->checks = result->stale = result->skipped = UINT64_MAX;
		result->transfers = result->takeovers = result->spurious_ipis = UINT64_MAX;
		result->dropped = UINT64_MAX / SD_PROTOCOLS;
		result->disturbed = true;
		for (int n = 0; n < 100000; n++)
			histogram_record(&result->wall_ns, UINT64_MAX);
		histogram_merge(&result->stall_ns, &result->wall_ns);
	}
	free(table_of(run));
}

static void unmeasured_times_are_not_zeros(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = &run->results[0];
	enum sd_protocol protocol = result->protocol;
	char *text;

	(void)state;
	memset(result, 0, sizeof(*result));
	result->protocol = protocol;
	text = table_of(run);
	assert_non_null(strstr(row_of(text, protocol), " - "));
	assert_null(strstr(row_of(text, protocol), "0ns"));
	assert_non_null(strstr(row_of(text, protocol), "idle"));
	assert_non_null(line_with(text, "idle: "));
	free(text);
}

static void a_run_without_results_prints(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->result_count = 0;
	assert_says(run, "floor (one running target): not measured", true);
	assert_says(run, "slot switch: not measured", true);
}

static void notes_are_said_only_when_they_hold(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *safe = fixture_first(SD_KIND_SAFE);
	struct protocol_result *control = fixture_first(SD_KIND_CONTROL);

	(void)state;
	assert_says(run, "\ncaught: ", true);
	assert_says(run, "floor (one running target): p50 25.0us", true);
	assert_says(run, "slot switch: p50 14.5us", true);
	assert_says(run, "first instruction after 4.90ms", true);
	assert_says(run, "disturbed", false);
	assert_says(run, "dropped", false);
	assert_says(run, "interrupted", false);
	assert_says(run, "STALE", false);
	assert_says(run, "MISSED", false);
	assert_says(run, "blind", false);
	assert_says(run, "idle", false);
	assert_says(run, "slots on", false);

	run->interrupted = true;
	assert_says(run, "\ninterrupted: ", true);
	safe->disturbed = true;
	safe->taken_ns = safe->slot_cpu_ns / 20;
	assert_says(run, " ok*\n", true);
	assert_says(run, "* disturbed: up to 5.0 %", true);
	safe->dropped = 12;
	assert_says(run, " ok*+\n", true);
	assert_says(run, "+ dropped: 12 samples", true);
	safe->stale = 3;
	assert_says(run, " 3  1.90G STALE*+\n", true);
	assert_says(run, "\nSTALE: ", true);
	control->stale = 0;
	assert_says(run, " MISSED\n", true);
	assert_says(run, "\nMISSED: ", true);
	safe->stale = safe->checks = 0;
	assert_says(run, "\nblind: ", true);
}

static void more_slots_than_cpus_is_said(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	g_fixture.options.slots = 3;
	assert_says(run, "3 slots on 2 CPUs: ", true);
	CPU_CLR(1, &run->slot_cpus);
	assert_says(run, "3 slots on 1 CPU: ", true);
}

static void transfers_and_takeovers_are_said(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *safe = fixture_first(SD_KIND_SAFE);

	(void)state;
	assert_says(run, "\nskip-preempted: 5250 skipped targets\n", true);
	run->results = safe;
	run->result_count = 1;
	assert_says(run, "transfer", false);
	safe->transfers = 1;
	safe->takeovers = 12345;
	safe->spurious_ipis = 3;
	assert_says(run, ": 1 transfer, 12.3k takeovers, 3 spurious IPIs\n", true);
}

static void legends_are_not_cut(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	for (uint32_t i = 0; i < run->result_count; i++)
		run->results[i].disturbed = true;
	fixture_first(SD_KIND_SAFE)->stale = 1;
	fixture_first(SD_KIND_CONTROL)->stale = 0;
	run->interrupted = true;
	assert_says(run, "...", false);
}

static void figures_keep_three_digits(void **state)
{
	static const struct { uint64_t ns; const char *text; } times[] = {
		{ 0, "0ns" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1.00us" }, { 9994, "9.99us" },
		{ 9996, "10.0us" }, { 99940, "99.9us" }, { 99960, "100us" }, { 999400, "999us" },
		{ 999600, "1.00ms" }, { 8048000, "8.05ms" }, { 999600000, "1.00s" },
		{ 2000000000, "2.00s" }, { UINT64_MAX, "18.4Gs" },
	};
	static const struct { uint64_t count; const char *text; } counts[] = {
		{ 0, "0" }, { 9999, "9999" }, { 10000, "10.0k" }, { 99960, "100k" },
		{ 999400, "999k" }, { 999600, "1.00M" }, { 1900000000, "1.90G" },
		{ UINT64_MAX, "18.4E" },
	};
	static const struct { double ratio; const char *text; } ratios[] = {
		{ 0.0, "0" }, { 1e-9, "<.01" }, { 0.00501, "0.01" }, { 0.5, "0.50" }, { 7.0, "7.00" },
		{ 9.996, "10.0" }, { 99.96, "100" }, { 1023.0, "1023" }, { 9999.4, "9999" },
		{ 9999.6, "10.0k" }, { 123456.0, "123k" }, { 1e9, "1.00G" }, { 1.8446744e28, "18.4R" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(times); i++)
		assert_string_equal(figure_time(times[i].ns).text, times[i].text);
	for (size_t i = 0; i < LENGTH(counts); i++)
		assert_string_equal(figure_count(counts[i].count).text, counts[i].text);
	for (size_t i = 0; i < LENGTH(ratios); i++)
		assert_string_equal(figure_ratio(ratios[i].ratio).text, ratios[i].text);
}

static void primitives_are_shown_or_not_measured(void **state)
{
	static struct host_costs costs;
	struct run_results *run = fixture_reset();
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	unsigned unmeasured = 0;

	(void)state;
	assert_non_null(out);
	memset(&costs, 0, sizeof(costs));
	fixture_histogram_ns(&costs.gate_ns, 6400, 1);
	host_print(out, run, &costs);
	fclose(out);
	for (const char *at = text; (at = strstr(at, "not measured")) != NULL; at++)
		unmeasured++;
	assert_int_equal(unmeasured, 7);
	assert_non_null(strstr(line_with(text, "gate,"), "6.90us"));
	assert_non_null(strstr(line_with(text, "gate,"), " 1000"));
	assert_non_null(strstr(line_with(text, "KVM "), "pvm, at most 1024 vCPUs"));
	assert_non_null(strstr(line_with(text, "TSC "), "2.450 GHz"));
	assert_non_null(strstr(line_with(text, "PV features "), "0x01007efb"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_has_its_row),
		cmocka_unit_test(a_row_has_its_figures_in_order),
		cmocka_unit_test(the_header_says_what_ran),
		cmocka_unit_test(long_or_odd_facts_do_not_break_lines),
		cmocka_unit_test(absurd_counts_do_not_break_columns),
		cmocka_unit_test(unmeasured_times_are_not_zeros),
		cmocka_unit_test(a_run_without_results_prints),
		cmocka_unit_test(notes_are_said_only_when_they_hold),
		cmocka_unit_test(more_slots_than_cpus_is_said),
		cmocka_unit_test(transfers_and_takeovers_are_said),
		cmocka_unit_test(legends_are_not_cut),
		cmocka_unit_test(figures_keep_three_digits),
		cmocka_unit_test(primitives_are_shown_or_not_measured),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
