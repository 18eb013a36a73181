// SPDX-License-Identifier: MIT
/*
 * table_shows_every_protocol_test.c - the table has a row for each protocol
 * with its figures, stays legible, and says what a reader has to know.
 *
 * What each case changes in the table stands in tests/golden/ (results_cases.h).
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "figure.h"
#include "line.h"
#include "results_cases.h"

/* Holds for every table: lines that fit, and nothing that a terminal would obey. */
static void check_legible(const char *text)
{
	size_t column = 0;

	assert_true(*text != '\0' && text[strlen(text) - 1] == '\n');
	for (; *text != '\0'; text++) {
		column = *text == '\n' ? 0 : column + 1;
		assert_in_range(column, 0, LINE_COLUMNS);
		assert_true(*text == '\n' || (*text >= ' ' && *text <= '~'));
	}
}

static char *table_of(const struct run_results *run)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	table_print(out, run);
	fclose(out);
	check_legible(text);
	return text;
}

/* For CASE(). */
static char *case_text(const struct run_results *run)
{
	return table_of(run);
}

static void every_protocol_has_its_row(void **state)
{
	char *text = table_of(fixture_reset());

	(void)state;
	golden_check("table.txt", text);
	free(text);
}

/* A time for each quantile of the stall: 1000 samples from the p50 on, ten from the p99 on. */
static void set_times(struct protocol_result *result)
{
	result->measured_ns = 81234567;
	histogram_init(&result->wall_ns);
	histogram_init(&result->stall_ns);
	histogram_record(&result->wall_ns, 8000000);
	histogram_record(&result->wall_ns, 9000000);
	for (int i = 0; i < 10000; i++)
		histogram_record(&result->stall_ns, i < 9000 ? 812 : i < 9950 ? 29312 :
				 i < 9999 ? 1230000000 : 2000000000);
}

static void set_unmeasured(struct protocol_result *result)
{
	enum sd_protocol protocol = result->protocol;

	memset(result, 0, sizeof(*result));
	result->protocol = protocol;
}

static void rows_follow_their_figures(void **state)
{
	(void)state;
	CASE(set_times(ipi));
	CASE(set_unmeasured(ipi));
	CASE(run->result_count = 0);
	cases_check("table_rows.txt");
}

static void the_header_says_what_ran(void **state)
{
	(void)state;
	CASE(cpus_add(&run->slot_cpus, 5));
	CASE(run->host.emulated = true; strcpy(run->host.below, "tcg"));
	CASE(run->host.emulated = true; options->slice_given = true);
	CASE(run->host.emulated = true; options->preempt = PREEMPT_HOST);
	CASE(strcpy(run->host.below, "none"));
	CASE(run->entry_flush = ENTRY_FLUSH_SREGS; run->steal_failed = 16);
	CASE(run->by_page = true);
	CASE(options->pages = 8; run->by_page = true);
	CASE(options->pages = 64);
	CASE(options->workload = WORKLOAD_CHURN);
	CASE(options->workload = WORKLOAD_CHURN; options->table_free = TABLE_FREE_NOW);
	CASE(options->table_free = TABLE_FREE_NOW);
	CASE(options->sleepers = 1);
	CASE(options->sleepers = 7);
	CASE(options->preempt = PREEMPT_RANDOM);
	CASE(options->preempt = PREEMPT_HOST);
	CASE(options->preempt = PREEMPT_AT_STEP; options->steps = 1 << SD_STEP_SERVED);
	CASE(options->preempt = PREEMPT_AT_STEP;
	     options->steps = 1 << SD_STEP_POSTED | 1 << SD_STEP_SERVED);
	CASE(options->slice_us = options->pace_us = options->ple_us = 999);
	CASE(options->pages = 2);
	CASE(options->ple_us = 1);
	CASE(run->host.quota_cpus = 0.5);
	CASE(run->first_instruction_ns = 0);
	CASE(options->ple_us = 50);
	CASE(options->clear_pending = true);
	CASE(options->confine = CONFINE_LOG);
	CASE(options->confine = CONFINE_OFF);
	CASE(options->workload = WORKLOAD_CHURN; options->pages = 2; run->by_page = true;
	     options->preempt = PREEMPT_RANDOM; options->ple_us = 1000);
	CASE(options->payload = "a\nb\033[1m");
	cases_check("table_header.txt");
}

/* Before anything else. */
static void an_emulated_host_is_said_first(void **state)
{
	static const char first[] = "emulated host (kvm): ";
	struct run_results *run = fixture_reset();
	char *text;

	(void)state;
	run->host.emulated = true;
	text = table_of(run);
	assert_memory_equal(text, first, sizeof(first) - 1);
	free(text);
}

/* All of it at once is more than a line, and nothing of it is lost. */
static void set_everything_unusual(struct options *options)
{
	options->workload = WORKLOAD_CHURN;
	options->pages = 64;
	options->sleepers = 1023;
	options->preempt = PREEMPT_AT_STEP;
	options->steps = (1 << SD_STEPS) - 1;
	options->ple_us = 999000;
	options->clear_pending = true;
}

static void set_odd_host(struct run_results *run)
{
	memset(run->host.cpu, 'x', sizeof(run->host.cpu) - 1);
	memset(run->host.kernel, 'y', sizeof(run->host.kernel) - 1);
	strcpy(run->host.kvm, "\x1b[31m\n\x7f\xff");
	for (uint32_t cpu = 0; cpu < CPUS_MAX; cpu += 2)
		cpus_add(&run->slot_cpus, cpu);
}

static void long_facts_are_cut_or_go_on(void **state)
{
	(void)state;
	CASE(set_everything_unusual(options));
	CASE(set_odd_host(run); options->seed = UINT64_MAX);
	cases_check("table_long.txt");
}

static void marks_and_verdicts_are_explained(void **state)
{
	(void)state;
	CASE(run->interrupted = true);
	CASE(ipi->disturbed = true; ipi->taken_ns = ipi->slot_cpu_ns / 20);
	CASE(ipi->dropped = 12);
	CASE(ipi->saturated = true);
	CASE(ipi->disturbed = ipi->saturated = true; ipi->dropped = 1);
	CASE(ipi->targets_watched = 6);
	CASE(deferred->targets_watched = 6);
	CASE(ipi->targets_watched = 6; ipi->flushes = 1);
	CASE(ipi->targets_watched = 6; ipi->flushes = 0);
	CASE(deferred->disturbed = true; deferred->taken_ns = deferred->slot_cpu_ns / 10;
	     ipi->taken_ns = ipi->slot_cpu_ns / 2);
	CASE(ipi->stale = 3);
	CASE(control->stale = 0);
	CASE(ipi->checks = 0);
	CASE(options->slots = 3);
	CASE(options->slots = 3; run->slot_cpus.words[0] = 1);
	CASE(run->trace.dropped = 1);
	CASE(run->trace.dropped = 20000);
	/* What this host hides can be seen on another one, if it is an emulator's. */
	CASE(run->exit_keeps_stale = false; control->stale = 0; control->ipis = 1);
	CASE(run->exit_keeps_stale = false; control->stale = 0; control->ipis = 1;
	     run->host.emulated = true; strcpy(run->host.kvm, "svm"));
	CASE(run->exit_keeps_stale = false; control->stale = 0; control->ipis = 1;
	     run->host.emulated = true; strcpy(run->host.kvm, "vmx"));
	CASE(run->host.quota_cpus = 1.5; run->host.clock_step_ns = 10000);
	CASE(deferred->throttles = 1; deferred->throttled_ns = 98000000);
	CASE(deferred->throttles = 1; ipi->throttles = 399; ipi->throttled_ns = 38902000000);
	CASE(ipi->switches = 700; control->switches = 300; control->strayed = 1);
	CASE(ipi->clipped = 1);
	CASE(run->host.clock_step_ns = 4000000; strcpy(run->host.clocksource, "jiffies"));
	CASE(run->host.clock_step_ns = 1100; strcpy(run->host.clocksource, "hpet"));
	CASE(run->host.clock_step_ns = 10001);
	CASE(strcpy(run->host.clocksource, "kvm-clock"));
	cases_check("table_notes.txt");
}

/* Each count that shows the protocol at work. */
static void set_events(struct protocol_result *result, uint64_t count)
{
	result->transfers = result->takeovers = result->skipped = result->yields = count;
	result->kicks = result->sleeps = result->wakes = result->spun = count;
	result->steps = result->by_page = result->spurious_ipis = count;
	result->cleared_ipis = count;
}

static void set_walks(struct protocol_result *result)
{
	result->walks = 12345;
	result->walks_reused = 1;
	result->tables_freed = 9876;
	result->tables_held_max = 16;
	result->graces = 620;
	result->grace_ns = 2345678;
	result->transfers = 2;
}

/* One of each, but of what is bad. */
static void set_one_walk(struct protocol_result *result)
{
	set_walks(result);
	result->walks = result->tables_freed = result->graces = 1;
	result->walks_poisoned = 2;
}

static void set_entry_flushes(struct run_results *run)
{
	run->results[0].entry_flushes_asked = 7;
	run->results[1].entry_flushes_done = 5;
	run->results[2].entry_flushes_asked = 4;
	run->results[2].entry_flushes_done = 1;
}

static void what_protocols_did_is_counted(void **state)
{
	(void)state;
	CASE(set_events(ipi, 1));
	CASE(set_events(ipi, 2); ipi->takeovers = 12345);
	CASE(ipi->protocol = SD_PROTOCOL_ipi_pending_2017; set_events(ipi, 123456));
	CASE(options->workload = WORKLOAD_TEARDOWN; set_walks(ipi));
	CASE(options->workload = WORKLOAD_TEARDOWN; set_one_walk(ipi));
	CASE(options->workload = WORKLOAD_TEARDOWN; options->table_free = TABLE_FREE_NOW;
	     set_one_walk(ipi));
	CASE(options->workload = WORKLOAD_TEARDOWN; options->table_free = TABLE_FREE_NOW;
	     deferred->walks_poisoned = 1);
	CASE(set_entry_flushes(run));
	CASE(options->workload = WORKLOAD_TEARDOWN; options->table_free = TABLE_FREE_NOW;
	     ipi->protocol = SD_PROTOCOL_deferred);
	CASE(set_entry_flushes(run); options->extras = 1 << EXTRA_FLUSHES);
	cases_check("table_events.txt");
}

/* The VMM decides who leaves its CPU; what KVM marks on its own is said once. */
static void set_marks(struct run_results *run)
{
	run->results[0].kvm_reported = 1;
	run->results[1].kvm_reported = 6;
	run->results[2].kvm_other = 5;
}

/* Nobody was found preempted, by any protocol. */
static void set_none_met(struct run_results *run)
{
	g_fixture.options.preempt = PREEMPT_HOST;
	for (uint32_t i = 0; i < run->result_count; i++) {
		struct protocol_result *result = &run->results[i];

		result->deferred = result->takeovers = result->transfers = 0;
		result->yields = result->skipped = result->ipis = 0;
	}
}

static void marks_by_kvm_are_counted(void **state)
{
	(void)state;
	CASE(set_marks(run));
	CASE(set_marks(run); run->kvm_counts_marks = true);
	CASE(set_marks(run); run->host.marks_preempted = true);
	CASE(set_marks(run); run->kvm_counts_marks = run->host.marks_preempted = true);
	CASE(set_marks(run); options->preempt = PREEMPT_HOST);
	CASE(set_marks(run); options->preempt = PREEMPT_HOST; run->kvm_counts_marks = true);
	CASE(set_marks(run); run->kvm_counts_marks = run->host.marks_preempted = true;
	     run->results[0].kvm_reported = 0);
	CASE(run->kvm_counts_marks = run->host.marks_preempted = true; ipi->kvm_reported = 2;
	     ipi->kvm_other = 1);
	CASE(set_none_met(run));
	CASE(set_none_met(run); ipi->deferred = ipi->takeovers = 1);
	CASE(set_none_met(run); ipi->takeovers = ipi->transfers = 1);
	CASE(set_none_met(run); ipi->transfers = ipi->yields = 1);
	CASE(set_none_met(run); ipi->skipped = 1);
	CASE(set_none_met(run); ipi->skipped = ipi->ipis = 1);
	cases_check("table_marks.txt");
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

		memset(&result->checks, 0xff, offsetof(struct protocol_result, exits) -
		       offsetof(struct protocol_result, checks));
		result->flushes = UINT64_MAX;
		result->measured_ns = i;
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

/* Does the table say so? */
static void assert_says(const struct run_results *run, const char *words, bool expected)
{
	char *text = table_of(run);

	if ((strstr(text, words) != NULL) != expected)
		print_error("\"%s\" in\n%s", words, text);
	assert_int_equal(strstr(text, words) != NULL, expected);
	free(text);
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
				       "what protocols do for such was never in effect\n";
	static const char not_found[] = "\npreempt host: no target was found preempted: "
					"what protocols do for such was never in effect\n";
	static const char but_parked[] = "\npreempt host: KVM marked none: but for parked vCPUs, "
					 "what protocols do for such was never in effect\n";
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
	for (size_t i = 0; i < COUNT_OF(evidence); i++) {
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

/* All that can be said at once, with large figures. */
static void legends_are_not_cut(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	for (uint32_t i = 0; i < run->result_count; i++) {
		run->results[i].disturbed = true;
		run->results[i].kvm_reported = run->results[i].kvm_other = UINT64_MAX / 100;
		run->results[i].throttles = run->results[i].throttled_ns = UINT64_MAX / 100;
		run->results[i].strayed = run->results[i].switches = UINT64_MAX / 100;
		run->results[i].clipped = UINT64_MAX / 100;
	}
	fixture_first(SD_KIND_SAFE)->stale = 1;
	fixture_first(SD_KIND_CONTROL)->stale = 0;
	run->host.clock_step_ns = UINT64_MAX;
	run->interrupted = true;
	run->kvm_counts_marks = run->host.marks_preempted = true;
	g_fixture.options.sleepers = 1;
	for (enum preempt preempt = PREEMPT_SLICE; preempt <= PREEMPT_HOST; preempt++) {
		g_fixture.options.preempt = preempt;
		assert_says(run, "...", false);
	}
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	g_fixture.options.table_free = TABLE_FREE_NOW;
	fixture_with(SD_KIND_SAFE, SD_WALKERS_HELD)->walks_reused = 1;
	assert_says(run, "...", false);
}

/* One row for each kind there was, none for others; shares are of the protocol's own. */
static void exits_have_a_table_of_their_own(void **state)
{
	struct run_results *run = fixture_reset();
	struct round_figure figure = { .flushes = 0 };

	(void)state;
	run->results[SD_PROTOCOL_ipi].exits[EXIT_KIND_SIGNAL] =
		(struct exit_figure){ 300, 1500000, 70000 };
	run->results[SD_PROTOCOL_ipi].exits[SD_REQ_SLEEP] =
		(struct exit_figure){ 100, 500000, 9000 };
	run->results[SD_PROTOCOL_yield].exits[SD_REQ_STEP + SD_STEP_WALK] =
		(struct exit_figure){ 1, 0, 0 };
	run->results[SD_PROTOCOL_ipi].by_round = &figure;       /* stands after the exits */
	exits_print(g_out, run);
	cases_check("exits.txt");
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

	(void)state;
	memset(&costs, 0, sizeof(costs));
	fixture_histogram_ns(&costs.gate_ns, 6400, 1);
	host_print(g_out, fixture_reset(), &costs);
	cases_check("host.txt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_has_its_row),
		WITH_CASES(rows_follow_their_figures),
		WITH_CASES(the_header_says_what_ran),
		cmocka_unit_test(an_emulated_host_is_said_first),
		WITH_CASES(long_facts_are_cut_or_go_on),
		WITH_CASES(marks_and_verdicts_are_explained),
		WITH_CASES(what_protocols_did_is_counted),
		WITH_CASES(marks_by_kvm_are_counted),
		cmocka_unit_test(absurd_counts_do_not_break_columns),
		cmocka_unit_test(what_was_never_in_effect_is_said),
		cmocka_unit_test(legends_are_not_cut),
		WITH_CASES(exits_have_a_table_of_their_own),
		cmocka_unit_test(every_exit_has_a_name),
		WITH_CASES(primitives_are_shown_or_not_measured),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
