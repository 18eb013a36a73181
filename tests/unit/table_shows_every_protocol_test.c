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

#include "control.h"
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
		"1000", "12.3k", "8.00ms", "812ns", "29.3us", "1.23s", "2.00s", "1.75", "5.25",
		"0", "1.90G", "ok",
	};

	(void)state;
	result->flushes = 1000;
	result->measured_ns = 81234567;
	/* Two values, of which the lower is the p50; three give p99.9. */
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
	cpus_add(&run->slot_cpus, 5);
	text = table_of(run);
	assert_string_equal(line_with(text, "8 vCPUs"),
		"8 vCPUs on 2 slots, slice 2.00ms, 1 initiator, pause 100us, seed 7, CPUs 0-1,5");
	assert_string_equal(line_with(text, "host "),
		"host kvm-pvm on kvm, entry flush by steal (tested), Linux 6.1.0-18, Some CPU");
	free(text);
}

/* Before anything else, and no word of it elsewhere. */
static void an_emulated_host_is_said_first(void **state)
{
	static const char first[] =
		"emulated host (tcg): times are an emulator's and mean ratios only";
	struct run_results *run = fixture_reset();
	char *text;

	(void)state;
	assert_says(run, "mulat", false);
	run->host.emulated = true;
	strcpy(run->host.below, "tcg");
	text = table_of(run);
	assert_memory_equal(text, first, sizeof(first) - 1);
	assert_memory_equal(text + sizeof(first) - 1, "; slices of 20 ms by default\n", 29);
	assert_non_null(strstr(text, "\nhost kvm-pvm on tcg, "));
	free(text);
	g_fixture.options.slice_given = true;
	assert_says(run, " only\n", true);
	g_fixture.options.slice_given = false;
	g_fixture.options.preempt = PREEMPT_HOST;
	assert_says(run, " only\n", true);
}

static void bare_metal_is_said(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	strcpy(run->host.below, "none");
	assert_says(run, "\nhost kvm-pvm on bare metal, ", true);
}

/* What this host hides can be seen on another one, if it is an emulator's. */
static void a_hidden_control_names_the_host_that_shows_it(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	fixture_first(SD_KIND_CONTROL)->stale = 0;
	fixture_first(SD_KIND_CONTROL)->ipis = 1;
	run->exit_keeps_stale = false;
	assert_says(run, "loses cannot be seen\n", true);
	run->host.emulated = true;
	strcpy(run->host.kvm, "svm");
	assert_says(run, "loses cannot be seen; see --on amd,npt=0\n", true);
	strcpy(run->host.kvm, "vmx");
	assert_says(run, "loses cannot be seen; see --on intel,ept=0\n", true);
}

static void a_way_that_failed_is_named(void **state)
{
	struct run_results *run = fixture_reset();
	char *text;

	(void)state;
	run->entry_flush = ENTRY_FLUSH_SREGS;
	run->steal_failed = 16;
	text = table_of(run);
	assert_string_equal(line_with(text, "host "),
		"host kvm-pvm on kvm, entry flush by sregs (tested: steal failed), Linux 6.1.0-18, Some CPU");
	free(text);
}

#define BEHIND_THE_HOST ", Some CPU\n"

/* What is not as by default, one thing at a time: a third line. */
static void the_header_says_what_is_unusual(void **state)
{
	static const struct {
		struct options options;         /* of these, those below */
		bool by_page;
		const char *line;
	} cases[] = {
		{ { .pages = 1 }, false, "" },
		{ { .pages = 1 }, true, "1 page by page\n" },
		{ { .pages = 8 }, true, "8 pages by page\n" },
		{ { .pages = 64 }, false, "64 pages, full flushes\n" },
		{ { .pages = 1, .workload = WORKLOAD_CHURN }, false, "workload churn\n" },
		{ { .pages = 1, .workload = WORKLOAD_TEARDOWN }, false,
		  "workload teardown, tables freed after a grace period\n" },
		{ { .pages = 1, .workload = WORKLOAD_TEARDOWN, .table_free = TABLE_FREE_NOW },
		  false, "workload teardown, tables freed at once\n" },
		{ { .pages = 1, .workload = WORKLOAD_CHURN, .table_free = TABLE_FREE_NOW },
		  false, "workload churn\n" },
		{ { .pages = 1, .table_free = TABLE_FREE_NOW }, false, "" },
		{ { .pages = 1, .sleepers = 1 }, false, "1 sleeper\n" },
		{ { .pages = 1, .sleepers = 7 }, false, "7 sleepers\n" },
		{ { .pages = 1, .preempt = PREEMPT_RANDOM }, false, "preempt random\n" },
		{ { .pages = 1, .preempt = PREEMPT_HOST }, false, "preempt host\n" },
		{ { .pages = 1, .preempt = PREEMPT_AT_STEP, .steps = 1 << SD_STEP_SERVED }, false,
		  "preempt at-step=served\n" },
		{ { .pages = 1, .ple_us = 50 }, false, "PLE 50.0us\n" },
		{ { .pages = 1, .clear_pending = true }, false, "clear-pending\n" },
		{ { .pages = 1, .confine = CONFINE_LOG }, false, "confine log\n" },
		{ { .pages = 1, .confine = CONFINE_OFF }, false, "confine off\n" },
		{ { .pages = 2, .workload = WORKLOAD_CHURN, .preempt = PREEMPT_RANDOM,
		    .ple_us = 1000 }, true,
		  "workload churn, 2 pages by page, preempt random, PLE 1.00ms\n" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct run_results *run = fixture_reset();
		struct options *options = &g_fixture.options;
		char expected[256];

		options->pages = cases[i].options.pages;
		options->workload = cases[i].options.workload;
		options->table_free = cases[i].options.table_free;
		options->sleepers = cases[i].options.sleepers;
		options->preempt = cases[i].options.preempt;
		options->steps = cases[i].options.steps;
		options->ple_us = cases[i].options.ple_us;
		options->clear_pending = cases[i].options.clear_pending;
		options->confine = cases[i].options.confine;
		run->by_page = cases[i].by_page;
		snprintf(expected, sizeof(expected), BEHIND_THE_HOST "%s\n", cases[i].line);
		assert_says(run, expected, true);
	}
}

/* All of it at once is more than a line, and nothing of it is lost. */
static void a_long_header_goes_on_in_another_line(void **state)
{
	struct run_results *run = fixture_reset();
	struct options *options = &g_fixture.options;

	(void)state;
	options->workload = WORKLOAD_CHURN;
	options->pages = 64;
	options->sleepers = 1023;
	options->preempt = PREEMPT_AT_STEP;
	options->steps = (1 << SD_STEPS) - 1;
	options->ple_us = 999000;
	options->clear_pending = true;
	assert_says(run, BEHIND_THE_HOST
		    "workload churn, 64 pages, full flushes, 1023 sleepers,\n"
		    "  preempt at-step=posted,read,flushed,served,publish,walk, PLE 999ms, "
		    "clear-pending\n"
		    "\n", true);
	options->workload = WORKLOAD_TEARDOWN;
	assert_says(run, BEHIND_THE_HOST
		    "workload teardown, tables freed after a grace period, 64 pages, full flushes, "
		    "1023 sleepers,\n"
		    "  preempt at-step=posted,read,flushed,served,publish,walk, PLE 999ms, "
		    "clear-pending\n"
		    "\n", true);
}

/* The VMM's slice is not what ends a vCPU's turn then. */
static void the_host_s_slices_are_not_ours(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	assert_says(run, ", slice 2.00ms,", true);
	g_fixture.options.preempt = PREEMPT_HOST;
	assert_says(run, ", slice -,", true);
	assert_says(run, "2.00ms,", false);
}

static void long_or_odd_facts_do_not_break_lines(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	memset(run->host.cpu, 'x', sizeof(run->host.cpu) - 1);
	memset(run->host.kernel, 'y', sizeof(run->host.kernel) - 1);
	strcpy(run->host.kvm, "\x1b[31m\n\x7f\xff");
	for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu += 2)
		cpus_add(&run->slot_cpus, cpu);
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
		result->yields = result->kicks = result->sleeps = result->wakes = UINT64_MAX;
		result->spun = result->steps = result->by_page = UINT64_MAX;
		result->cleared_ipis = result->kvm_reported = result->kvm_other = UINT64_MAX;
		result->walks = result->walks_poisoned = result->walks_reused = UINT64_MAX;
		result->tables_freed = result->tables_held_max = UINT64_MAX;
		result->graces = result->grace_ns = UINT64_MAX;
		result->dropped = UINT64_MAX / SD_PROTOCOLS;
		result->disturbed = result->saturated = true;
		for (int n = 0; n < 100000; n++)
			histogram_record(&result->wall_ns, UINT64_MAX);
		histogram_merge(&result->stall_ns, &result->wall_ns);
	}
	free(table_of(run));
	run->kvm_counts_marks = run->host.marks_preempted = true;
	g_fixture.options.workload = WORKLOAD_CHURN;
	g_fixture.options.pages = g_fixture.options.sleepers = UINT32_MAX;
	g_fixture.options.steps = g_fixture.options.ple_us = UINT32_MAX;
	for (enum preempt preempt = PREEMPT_SLICE; preempt <= PREEMPT_HOST; preempt++) {
		g_fixture.options.preempt = preempt;
		free(table_of(run));
	}
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	free(table_of(run));
	g_fixture.options.table_free = TABLE_FREE_NOW;
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
	assert_says(run, "oracle, ", false);
	safe->targets_watched = 6;
	assert_says(run, " partly*+\n", true);
	assert_says(run, "\noracle, targets that looked before and after a flush: ipi 6 of 7\n", true);
	assert_says(run, "\npartly: too few flushes", true);
	safe->targets_watched = 7;
	assert_says(run, "ran over", false);
	safe->saturated = true;
	assert_says(run, " ok*+!\n", true);
	assert_says(run, "! ran over: sums of the payload's counts do not fit, and stand at 18.4E", true);
	safe->saturated = false;
	assert_says(run, "payload", false);
	g_fixture.options.payload = "a\nb\033[1m";
	assert_says(run, " claimed*+\n", true);
	assert_says(run, "payload not the built-in one, its counts are claims: a\\nb\\x1b[1m\n", true);
	assert_says(run, "\nclaimed: by the counts of a payload", true);
	g_fixture.options.payload = NULL;
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
	run->slot_cpus.words[0] &= ~UINT64_C(2);
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

static void each_event_has_one_and_many(void **state)
{
	static const struct {
		size_t offset;
		const char *one, *many;
	} events[] = {
#define EVENT(member, one, many) { offsetof(struct protocol_result, member), one, many }
		EVENT(transfers, "1 transfer", "2 transfers"),
		EVENT(takeovers, "1 takeover", "2 takeovers"),
		EVENT(skipped, "1 skipped target", "2 skipped targets"),
		EVENT(yields, "1 yield", "2 yields"),
		EVENT(kicks, "1 kick", "2 kicks"),
		EVENT(sleeps, "1 sleep", "2 sleeps"),
		EVENT(wakes, "1 wake", "2 wakes"),
		EVENT(spun, "1 spun slice", "2 spun slices"),
		EVENT(steps, "1 park at a step", "2 parks at a step"),
		EVENT(by_page, "1 by-page flush", "2 by-page flushes"),
		EVENT(spurious_ipis, "1 spurious IPI", "2 spurious IPIs"),
		EVENT(cleared_ipis, "1 cleared IPI", "2 cleared IPIs"),
#undef EVENT
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(events); i++)
		for (uint64_t count = 1; count <= 2; count++) {
			struct run_results *run = fixture_reset();
			char expected[128];

			run->result_count = 1;
			*(uint64_t *)(void *)((char *)run->results + events[i].offset) = count;
			snprintf(expected, sizeof(expected), "\n%s: %s\n",
				 protocol_name(run->results->protocol),
				 count == 1 ? events[i].one : events[i].many);
			assert_says(run, expected, true);
		}
}

static void many_events_go_on_in_another_line(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = fixture_first(SD_KIND_UNSAFE);

	(void)state;
	run->results = result;
	run->result_count = 1;
	result->transfers = result->takeovers = result->skipped = result->yields = 123456;
	result->kicks = result->sleeps = result->wakes = result->spun = 123456;
	result->steps = result->by_page = result->spurious_ipis = 123456;
	result->cleared_ipis = 1;
	assert_says(run, "\nipi-pending-2017: 123k transfers, 123k takeovers, "
			 "123k skipped targets, 123k yields, 123k kicks,\n"
			 "  123k sleeps, 123k wakes, 123k spun slices, 123k parks at a step, "
			 "123k by-page flushes,\n"
			 "  123k spurious IPIs, 1 cleared IPI\n", true);
}

/* Before the other events, and whether there are any or not. */
static void walks_and_tables_are_said_in_a_teardown(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = run->results;

	(void)state;
	run->result_count = 1;
	assert_says(run, "walk", false);
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	assert_says(run, "\nipi: 0 walks, 0 bad walks (0 poisoned, 0 reused), 0 tables freed, "
			 "0 held at most,\n  0 grace periods (mean -)\n", true);
	result->walks = 12345;
	result->walks_reused = 1;
	result->tables_freed = 9876;
	result->tables_held_max = 16;
	result->graces = 620;
	result->grace_ns = 2345678;
	result->transfers = 2;
	assert_says(run, "\nipi: 12.3k walks, 1 bad walk (0 poisoned, 1 reused), "
			 "9876 tables freed, 16 held at most,\n"
			 "  620 grace periods (mean 2.35ms), 2 transfers\n", true);
	result->walks = result->tables_freed = result->graces = 1;
	result->walks_poisoned = 2;
	assert_says(run, "\nipi: 1 walk, 3 bad walks (2 poisoned, 1 reused), 1 table freed, "
			 "16 held at most,\n"
			 "  1 grace period (mean 2.35ms), 2 transfers\n", true);
	g_fixture.options.table_free = TABLE_FREE_NOW;
	assert_says(run, "\nipi: 1 walk, 3 bad walks (2 poisoned, 1 reused), 1 table freed, "
			 "16 held at most, 2 transfers\n", true);
	assert_says(run, "1 grace period", false);
}

/* Tables freed at once: named in the notes, and each row has its verdict. */
static void a_hazard_is_said_up_front(void **state)
{
	static const char front[] = "\ntables freed at once, though a flush does not wait for "
				    "every walker: deferred, generation, takeover,\n"
				    "  hypercall, ipi-pending-2017, none, skip-preempted\n"
				    "ipi: ";
	static const char words[] = "\nhazard: tables freed at once, and not every target is "
				    "interrupted: walkers may meet freed tables\n";
	struct run_results *run = fixture_reset();
	struct protocol_result *missed = fixture_with(SD_KIND_SAFE, SD_WALKERS_MISSED);
	struct protocol_result *held = fixture_with(SD_KIND_SAFE, SD_WALKERS_HELD);

	(void)state;
	g_fixture.options.table_free = TABLE_FREE_NOW;
	assert_says(run, "tables freed", false);
	assert_says(run, "hazard", false);
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	assert_says(run, front, true);
	assert_says(run, words, true);
	assert_says(run, " 0  1.90G hazard\n", true);
	assert_says(run, "FREED", false);
	held->walks_poisoned = missed->walks_poisoned = 1;
	assert_says(run, words, true);
	assert_says(run, " 0  1.90G FREED\n", true);
	assert_says(run, "\nFREED: walkers met freed tables", true);
	/* Nothing is asked for that may go wrong. */
	run->results = held;
	run->result_count = 1;
	assert_says(run, "\ntables freed", false);
	assert_says(run, "hazard", false);
	run->results = missed;
	missed->walks_poisoned = 0;
	g_fixture.options.table_free = TABLE_FREE_RCU;
	assert_says(run, "\ntables freed", false);
	assert_says(run, " 0  1.90G ok\n", true);
}

/* Every width of the last item: the line breaks where it no longer fits, not before. */
static void a_list_breaks_only_where_it_must(void **state)
{
	static const char filler[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

	(void)state;
	for (int width = 1; width <= LINE_COLUMNS; width++) {
		/* "head: ", the first item, ", " and the second; room for a comma behind. */
		bool fits = 6 + 10 + 2 + width + 1 <= LINE_COLUMNS;
		char *text = NULL, expected[256];
		size_t bytes = 0;
		FILE *out = open_memstream(&text, &bytes);
		struct line_list list;

		assert_non_null(out);
		line_list_begin(&list, out, "head: ");
		line_list_add(&list, "%s", "0123456789");
		line_list_add(&list, "%.*s", width, filler);
		line_list_end(&list);
		fclose(out);
		snprintf(expected, sizeof(expected), "head: 0123456789,%s%.*s\n",
			 fits ? " " : "\n  ", width, filler);
		if (width <= LINE_COLUMNS - 2)
			assert_string_equal(text, expected);
		else
			assert_non_null(strstr(text, "xxx...\n"));
		free(text);
	}
}

static void an_item_too_long_is_cut(void **state)
{
	char item[LINE_COLUMNS + 1] = "", *text = NULL, expected[LINE_COLUMNS + 2];
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	struct { struct line_list list; char behind[LINE_COLUMNS]; } guarded = { 0 };

	(void)state;
	assert_non_null(out);
	memset(item, 'x', sizeof(item) - 1);
	line_list_begin(&guarded.list, out, "head: ");
	line_list_add(&guarded.list, "%s", item);
	line_list_end(&guarded.list);
	fclose(out);
	snprintf(expected, sizeof(expected), "head: %.*s...\n", LINE_COLUMNS - 9, item);
	assert_string_equal(text, expected);
	for (size_t i = 0; i < sizeof(guarded.behind); i++)
		assert_int_equal(guarded.behind[i], 0);
	free(text);
}

/* Also an empty one is a line, and every character that can be printed is itself. */
static void a_line_is_what_it_was_given(void **state)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	line_print(out, "%s", "");
	line_print(out, "%s", " !~");
	fclose(out);
	assert_string_equal(text, "\n !~\n");
	free(text);
}

static void an_empty_list_is_no_line(void **state)
{
	struct line_list list;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	line_list_begin(&list, out, "head: ");
	line_list_end(&list);
	fclose(out);
	assert_int_equal(bytes, 0);
	free(text);
}

static void deferring_sleepers_is_said_to_be_new(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	assert_says(run, "mainline", false);
	g_fixture.options.sleepers = 1;
	assert_says(run, "\nsleepers: deferring one that sleeps goes beyond mainline, "
			 "which marks only preempted vCPUs\n", true);
}

/* A run of one safe protocol that found nobody preempted, on a KVM that marks vCPUs. */
static struct run_results *lonely_run(enum preempt preempt, bool counts_marks)
{
	struct run_results *run = fixture_reset();

	run->result_count = 1;
	run->results->deferred = 0;
	run->host.marks_preempted = true;
	run->kvm_counts_marks = counts_marks;
	g_fixture.options.preempt = preempt;
	return run;
}

static void what_was_never_in_effect_is_said(void **state)
{
	static const char unmarked[] = "\npreempt host: no vCPU was marked preempted: "
				       "what a protocol does for such was never in effect\n";
	static const char not_found[] = "\npreempt host: no target was found preempted: "
					"what a protocol does for such was never in effect\n";
	static const char but_parked[] = "\npreempt host: KVM marked no vCPU: what protocols do "
					 "for such was never in effect, parked ones apart\n";
	static const size_t evidence[] = {
		offsetof(struct protocol_result, deferred),
		offsetof(struct protocol_result, takeovers),
		offsetof(struct protocol_result, transfers),
		offsetof(struct protocol_result, skipped),
		offsetof(struct protocol_result, yields),
	};
	struct run_results *run;

	(void)state;
	assert_says(lonely_run(PREEMPT_HOST, true), unmarked, true);
	assert_says(lonely_run(PREEMPT_HOST, false), not_found, true);
	for (enum preempt preempt = PREEMPT_SLICE; preempt < PREEMPT_HOST; preempt++)
		assert_says(lonely_run(preempt, false), "preempt host: ", false);
	for (size_t i = 0; i < LENGTH(evidence); i++) {
		run = lonely_run(PREEMPT_HOST, false);
		*(uint64_t *)(void *)((char *)run->results + evidence[i]) = 1;
		assert_says(run, "preempt host: ", false);
		run->host.marks_preempted = false;
		assert_says(run, but_parked, true);
		run->host.marks_preempted = run->kvm_counts_marks = true;
		assert_says(run, but_parked, true);
		run->results->kvm_reported = 1;
		assert_says(run, "preempt host: ", false);
	}
	/* A kind of KVM that is known never to mark needs no statistics. */
	run = lonely_run(PREEMPT_HOST, false);
	run->host.marks_preempted = false;
	assert_says(run, unmarked, true);
	run = lonely_run(PREEMPT_HOST, false);
	run->results->skipped = 7;      /* all of them, whoever they are */
	run->results->ipis = 0;
	assert_says(run, not_found, true);
	run = lonely_run(PREEMPT_HOST, true);
	run->results->kvm_reported = 1;
	assert_says(run, not_found, true);
	/* One protocol of the run is enough. */
	run->result_count = 2;
	assert_says(run, "preempt host: ", false);
}

static void marks_by_kvm_are_said_for_each_protocol(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	g_fixture.options.preempt = PREEMPT_HOST;
	assert_says(run, "KVM marked a vCPU", false);
	run->kvm_counts_marks = true;
	run->results[1].kvm_reported = 1;
	run->results[1].kvm_other = 23456;
	assert_says(run, "\nipi: KVM marked a vCPU 0 times (preemption_reported), "
			 "0 not (preemption_other)\n", true);
	assert_says(run, "\nsleep: KVM marked a vCPU 1 time (preemption_reported), "
			 "23.5k not (preemption_other)\n", true);
	assert_says(run, "KVM itself", false);
}

static void flushes_on_entry_are_said_where_they_are_counted(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->results[0].entry_flushes_asked = 7;
	run->results[2].entry_flushes_asked = 4;
	run->results[1].entry_flushes_done = 5;
	run->results[2].entry_flushes_done = 1;
	assert_says(run, "flushes on entry", false);
	g_fixture.options.extras = 1 << EXTRA_FLUSHES;
	assert_says(run, "\nflushes on entry: 11 asked for in KVM's byte, 6 done\n", true);
}

/* The VMM decides who leaves its CPU; what KVM marks on its own is said once. */
static void marks_beside_ours_are_said_once(void **state)
{
	static const char line[] = "\nKVM itself marked 7 of 12 preemptions "
				   "(preemption_reported / reported + other)\n";
	struct run_results *run = fixture_reset();

	(void)state;
	run->results[0].kvm_reported = 3;
	run->results[2].kvm_reported = 4;
	run->results[1].kvm_other = 5;
	assert_says(run, "KVM itself", false);
	run->kvm_counts_marks = true;
	assert_says(run, "KVM itself", false);
	run->host.marks_preempted = true;
	assert_says(run, line, true);
	assert_says(run, "KVM marked a vCPU", false);
	run->kvm_counts_marks = false;
	assert_says(run, "KVM itself", false);
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
	run->kvm_counts_marks = run->host.marks_preempted = true;
	g_fixture.options.sleepers = 1;
	for (uint32_t i = 0; i < run->result_count; i++)
		run->results[i].kvm_reported = run->results[i].kvm_other = UINT64_MAX / 100;
	for (enum preempt preempt = PREEMPT_SLICE; preempt <= PREEMPT_HOST; preempt++) {
		g_fixture.options.preempt = preempt;
		assert_says(run, "...", false);
	}
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	g_fixture.options.table_free = TABLE_FREE_NOW;
	fixture_with(SD_KIND_SAFE, SD_WALKERS_HELD)->stale = 0;
	fixture_with(SD_KIND_SAFE, SD_WALKERS_HELD)->walks_reused = 1;
	assert_says(run, "\nFREED: ", true);
	assert_says(run, "\nhazard: ", true);
	assert_says(run, "\nidle: ", true);
	assert_says(run, "\ncaught: ", true);
	assert_says(run, "...", false);
}

static void figures_keep_three_digits(void **state)
{
	static const struct { uint64_t ns; const char *text; } times[] = {
		{ 0, "0ns" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1.00us" }, { 9994, "9.99us" },
		{ 9996, "10.0us" }, { 99940, "99.9us" }, { 99960, "100us" }, { 999400, "999us" }, { 999500, "1.00ms" },
		{ 999600, "1.00ms" }, { 8048000, "8.05ms" }, { 999600000, "1.00s" },
		{ 2000000000, "2.00s" }, { UINT64_MAX, "18.4Gs" },
	};
	static const struct { uint64_t count; const char *text; } counts[] = {
		{ 0, "0" }, { 9999, "9999" }, { 10000, "10.0k" }, { 99960, "100k" },
		{ 999400, "999k" }, { 999500, "1.00M" }, { 999600, "1.00M" }, { 1900000000, "1.90G" },
		{ UINT64_MAX, "18.4E" },
	};
	static const struct { double ratio; const char *text; } ratios[] = {
		{ 0.0, "0" }, { 1e-9, "<.01" }, { 0.005, "0.01" }, { 0.00501, "0.01" }, { 0.5, "0.50" }, { 7.0, "7.00" },
		{ 9.996, "10.0" }, { 99.96, "100" }, { 999.5, "1000" }, { 1023.0, "1023" }, { 9999.4, "9999" }, { 9999.5, "10.0k" },
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

static void what_a_timeline_lacks_is_said(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	assert_says(run, "timeline", false);
	run->trace.dropped = 1;
	assert_says(run, "timeline: 1 event found no room and is missing", true);
	run->trace.dropped = 20000;
	assert_says(run, "timeline: 20.0k events found no room and are missing", true);
}

/* One row for each kind there was, none for others; shares are of the protocol's own. */
static void exits_have_a_table_of_their_own(void **state)
{
	struct run_results *run = fixture_reset();
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	run->results[SD_PROTOCOL_ipi].exits[EXIT_KIND_SIGNAL] =
		(struct exit_figure){ 300, 1500000, 70000 };
	run->results[SD_PROTOCOL_ipi].exits[SD_REQ_SLEEP] =
		(struct exit_figure){ 100, 500000, 9000 };
	run->results[SD_PROTOCOL_yield].exits[SD_REQ_STEP + SD_STEP_WALK] =
		(struct exit_figure){ 1, 0, 0 };
	exits_print(out, run);
	fclose(out);
	assert_string_equal(line_with(text, "ipi              signal"),
		"ipi              signal           300   75.0%   75.0%  1.50ms 5.00us 70.0us");
	assert_string_equal(line_with(text, "ipi              sleep"),
		"ipi              sleep            100   25.0%   25.0%   500us 5.00us 9.00us");
	assert_string_equal(line_with(text, "yield"),
		"yield            step-walk          1  100.0%    0.0%     0ns    0ns    0ns");
	assert_null(line_with(text, "generation"));
	free(text);
}

/* A guest may ring any number: each is of some kind, and that has a name. */
static void every_exit_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(exit_kind_name(EXIT_KIND_SIGNAL), "signal");
	for (uint32_t step = 0; step < SD_STEPS; step++) {
		const char *name = exit_kind_name(exit_kind_of(SD_REQ_STEP + step));

		assert_memory_equal(name, "step-", 5);
		assert_string_equal(name + 5, step_name(step));
	}
	assert_string_equal(exit_kind_name(exit_kind_of(SD_REQ_WAKE | 1023 << 16)), "wake");
	assert_string_equal(exit_kind_name(exit_kind_of(SD_REQ_FLUSH_OTHERS)), "flush-others");
	assert_string_equal(exit_kind_name(exit_kind_of(SD_REQ_STEP - 1)), "doorbell");
	assert_true(exit_kind_of(UINT32_MAX) < EXIT_KINDS);
	for (uint32_t kind = 0; kind <= EXIT_KINDS; kind++)
		assert_non_null(exit_kind_name(kind));
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
	assert_int_equal(unmeasured, 10);
	assert_non_null(strstr(line_with(text, "gate,"), "6.90us"));
	assert_non_null(strstr(line_with(text, "gate,"), " 1000"));
	assert_non_null(strstr(line_with(text, "KVM "), "pvm, at most 1024 vCPUs"));
	assert_non_null(strstr(line_with(text, "below KVM "), " kvm"));
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
		cmocka_unit_test(an_emulated_host_is_said_first),
		cmocka_unit_test(bare_metal_is_said),
		cmocka_unit_test(a_hidden_control_names_the_host_that_shows_it),
		cmocka_unit_test(a_way_that_failed_is_named),
		cmocka_unit_test(the_header_says_what_is_unusual),
		cmocka_unit_test(a_long_header_goes_on_in_another_line),
		cmocka_unit_test(the_host_s_slices_are_not_ours),
		cmocka_unit_test(long_or_odd_facts_do_not_break_lines),
		cmocka_unit_test(absurd_counts_do_not_break_columns),
		cmocka_unit_test(unmeasured_times_are_not_zeros),
		cmocka_unit_test(a_run_without_results_prints),
		cmocka_unit_test(notes_are_said_only_when_they_hold),
		cmocka_unit_test(more_slots_than_cpus_is_said),
		cmocka_unit_test(transfers_and_takeovers_are_said),
		cmocka_unit_test(each_event_has_one_and_many),
		cmocka_unit_test(many_events_go_on_in_another_line),
		cmocka_unit_test(walks_and_tables_are_said_in_a_teardown),
		cmocka_unit_test(a_hazard_is_said_up_front),
		cmocka_unit_test(a_list_breaks_only_where_it_must),
		cmocka_unit_test(an_item_too_long_is_cut),
		cmocka_unit_test(a_line_is_what_it_was_given),
		cmocka_unit_test(an_empty_list_is_no_line),
		cmocka_unit_test(deferring_sleepers_is_said_to_be_new),
		cmocka_unit_test(what_was_never_in_effect_is_said),
		cmocka_unit_test(marks_by_kvm_are_said_for_each_protocol),
		cmocka_unit_test(flushes_on_entry_are_said_where_they_are_counted),
		cmocka_unit_test(marks_beside_ours_are_said_once),
		cmocka_unit_test(legends_are_not_cut),
		cmocka_unit_test(figures_keep_three_digits),
		cmocka_unit_test(what_a_timeline_lacks_is_said),
		cmocka_unit_test(exits_have_a_table_of_their_own),
		cmocka_unit_test(every_exit_has_a_name),
		cmocka_unit_test(primitives_are_shown_or_not_measured),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
