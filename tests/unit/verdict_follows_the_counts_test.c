// SPDX-License-Identifier: MIT
/*
 * verdict_follows_the_counts_test.c - the exit status of a run, and a line for
 * each reason, follow from the counts alone.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol_list.h"
#include "results_fixture.h"
#include "unit_test.h"

struct counts {
	enum sd_protocol_kind kind;
	uint32_t vcpus;
	uint64_t flushes, checks, stale, skipped, ipis, deferred;
	enum verdict expected;
};

#define SAFE SD_KIND_SAFE
#define CONTROL SD_KIND_CONTROL
#define UNSAFE SD_KIND_UNSAFE
#define HELD SD_WALKERS_HELD
#define MISSED SD_WALKERS_MISSED
#define RCU TABLE_FREE_RCU
#define NOW TABLE_FREE_NOW
#define MANY UINT64_MAX

static const struct counts g_cases[] = {
	/* kind, vcpus, flushes, checks, stale, skipped, ipis, deferred */
	{ SAFE, 8, 1000, 9999, 0, 0, 7000, 0, VERDICT_OK },
	{ SAFE, 2, 1, 1, 0, 0, 1, 0, VERDICT_OK },
	{ SAFE, 8, 1000, 9999, 1, 0, 7000, 0, VERDICT_STALE },
	{ SAFE, 8, MANY, MANY, MANY, 0, MANY, MANY, VERDICT_STALE },
	{ SAFE, 8, 0, 9999, 1, 0, 0, 0, VERDICT_STALE },        /* in the warm-up */
	{ SAFE, 8, 1000, 0, 0, 0, 7000, 0, VERDICT_BLIND },
	{ SAFE, 8, 0, 0, 0, 0, 0, 0, VERDICT_IDLE },
	{ SAFE, 1, 1000, 0, 0, 0, 0, 0, VERDICT_IDLE },
	{ CONTROL, 8, 1000, 9999, 1, 5250, 1750, 0, VERDICT_CAUGHT },
	{ CONTROL, 8, 0, 9999, 1, 0, 0, 0, VERDICT_CAUGHT },
	{ CONTROL, 8, 1000, 9999, 0, 1, 6999, 0, VERDICT_MISSED },
	{ CONTROL, 2, 8, 1, 0, 0, 0, 0, VERDICT_MISSED },       /* does nothing at all */
	{ CONTROL, 2, 7, 1, 0, 0, 0, 0, VERDICT_IDLE },         /* too few to be late for */
	{ CONTROL, 8, 1000, 0, 0, 7000, 0, 0, VERDICT_MISSED }, /* a blind oracle too */
	{ CONTROL, 8, 1000, 9999, 0, 0, 7000, 0, VERDICT_IDLE },/* found nobody to skip */
	{ CONTROL, 8, 1000, 9999, 0, 0, 0, 7000, VERDICT_IDLE },
	{ CONTROL, 8, 0, 9999, 0, 0, 0, 0, VERDICT_IDLE },
	{ CONTROL, 1, 1000, 0, 0, 0, 0, 0, VERDICT_IDLE },
};

static struct run_results *run_of(const struct counts *counts)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = fixture_first(counts->kind);

	assert_non_null(result);
	result->flushes = counts->flushes;
	result->checks = counts->checks;
	result->stale = counts->stale;
	result->skipped = counts->skipped;
	result->ipis = counts->ipis;
	result->deferred = counts->deferred;
	g_fixture.options.vcpus = counts->vcpus;
	run->results = result;
	run->result_count = 1;
	return run;
}

/* The status; @lines gets the number of lines said, @text (may be NULL) them. */
static enum exit_status status_of(const struct run_results *run, unsigned *lines, char **text)
{
	char *said = NULL;
	size_t bytes = 0;
	FILE *messages = open_memstream(&said, &bytes);
	enum exit_status status;

	assert_non_null(messages);
	status = verdict_of(run, messages);
	fclose(messages);
	*lines = 0;
	for (size_t i = 0; i < bytes; i++)
		*lines += said[i] == '\n';
	assert_true(bytes == 0 || said[bytes - 1] == '\n');
	if (text != NULL)
		*text = said;
	else
		free(said);
	return status;
}

/* Page tables are torn down. */
struct teardown_counts {
	enum sd_protocol_kind kind;
	enum sd_protocol_walkers walkers;
	enum table_free table_free;
	uint32_t vcpus;
	uint64_t flushes, checks, stale, poisoned, reused;
	enum verdict expected;
};

static const struct teardown_counts g_teardowns[] = {
	/* kind, walkers, table_free, vcpus, flushes, checks, stale, poisoned, reused */
	{ SAFE, HELD, RCU, 8, 1000, 9999, 0, 0, 0, VERDICT_OK },
	{ SAFE, HELD, RCU, 8, 1000, 9999, 0, 1, 0, VERDICT_FREED },
	{ SAFE, HELD, RCU, 8, 1000, 9999, 0, 0, 1, VERDICT_FREED },
	{ SAFE, HELD, NOW, 8, 1000, 9999, 0, 0, 0, VERDICT_OK },
	{ SAFE, HELD, NOW, 8, 1000, 9999, 0, 1, 0, VERDICT_FREED },
	{ SAFE, HELD, NOW, 8, 1000, 9999, 0, 0, 1, VERDICT_FREED },
	{ SAFE, MISSED, RCU, 8, 1000, 9999, 0, 0, 0, VERDICT_OK },
	{ SAFE, MISSED, RCU, 8, 1000, 9999, 0, 1, 0, VERDICT_FREED },
	{ SAFE, MISSED, RCU, 8, 1000, 9999, 0, 0, 1, VERDICT_FREED },
	{ SAFE, MISSED, RCU, 8, 1000, 9999, 0, MANY, 1, VERDICT_FREED }, /* their sum is more */
	{ SAFE, MISSED, NOW, 8, 1000, 9999, 0, 0, 0, VERDICT_HAZARD },
	{ SAFE, MISSED, NOW, 8, 1000, 9999, 0, 1, 0, VERDICT_HAZARD },
	{ SAFE, MISSED, NOW, 8, 1000, 9999, 0, 0, 1, VERDICT_HAZARD },
	/* Stale loads come first, and fail where bad walks do not. */
	{ SAFE, HELD, RCU, 8, 1000, 9999, 1, 1, 1, VERDICT_STALE },
	{ SAFE, MISSED, NOW, 8, 1000, 9999, 1, 1, 1, VERDICT_STALE },
	/* Nothing to hold a table back from; but a bad walk is one, also in the warm-up. */
	{ SAFE, MISSED, NOW, 8, 0, 9999, 0, 0, 0, VERDICT_IDLE },
	{ SAFE, MISSED, NOW, 1, 1000, 9999, 0, 0, 0, VERDICT_IDLE },
	{ SAFE, HELD, RCU, 1, 1000, 9999, 0, 0, 0, VERDICT_IDLE },
	{ SAFE, HELD, NOW, 8, 0, 9999, 0, 1, 0, VERDICT_FREED },
	{ SAFE, MISSED, RCU, 8, 0, 0, 0, 0, 1, VERDICT_FREED },
	{ SAFE, MISSED, NOW, 8, 0, 9999, 0, 1, 0, VERDICT_HAZARD },
	/* Nobody walked. */
	{ SAFE, HELD, NOW, 8, 1000, 0, 0, 0, 0, VERDICT_BLIND },
	{ SAFE, MISSED, RCU, 8, 1000, 0, 0, 0, 0, VERDICT_BLIND },
	/* Nobody watches a window, so only bad walks catch a control; but none of them is
	 * the flush's after a grace period. */
	{ CONTROL, MISSED, RCU, 8, 1000, 9999, 0, 0, 0, VERDICT_IDLE },
	{ CONTROL, MISSED, NOW, 8, 1000, 9999, 0, 0, 0, VERDICT_IDLE },
	{ CONTROL, MISSED, NOW, 8, 1000, 9999, 0, 1, 0, VERDICT_CAUGHT },
	{ CONTROL, MISSED, NOW, 8, 0, 9999, 0, 0, 1, VERDICT_CAUGHT },
	{ CONTROL, MISSED, NOW, 8, 1000, 9999, 1, 0, 0, VERDICT_CAUGHT },
	{ CONTROL, MISSED, RCU, 8, 1000, 9999, 0, 1, 0, VERDICT_FREED },
	{ UNSAFE, MISSED, RCU, 8, 1000, 9999, 0, 0, 0, VERDICT_UNSAFE },
	{ UNSAFE, MISSED, NOW, 8, 1000, 9999, 0, 1, 1, VERDICT_UNSAFE },
	{ UNSAFE, MISSED, RCU, 8, 1000, 9999, 1, 1, 1, VERDICT_UNSAFE },
};

static struct run_results *run_of_teardown(const struct teardown_counts *counts)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = fixture_with(counts->kind, counts->walkers);

	assert_non_null(result);
	result->flushes = counts->flushes;
	result->checks = result->walks = counts->checks;
	result->stale = counts->stale;
	result->walks_poisoned = counts->poisoned;
	result->walks_reused = counts->reused;
	g_fixture.options.vcpus = counts->vcpus;
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	g_fixture.options.table_free = counts->table_free;
	run->results = result;
	run->result_count = 1;
	return run;
}

static bool fails(enum verdict verdict)
{
	return verdict == VERDICT_STALE || verdict == VERDICT_FREED || verdict == VERDICT_MISSED;
}

static void walkers_meet_no_freed_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_teardowns); i++) {
		struct run_results *run = run_of_teardown(&g_teardowns[i]);
		bool wrong = fails(g_teardowns[i].expected);
		unsigned lines;

		if (verdict_of_protocol(run, run->results) != g_teardowns[i].expected)
			print_error("teardown %zu\n", i);
		assert_int_equal(verdict_of_protocol(run, run->results), g_teardowns[i].expected);
		assert_int_equal(status_of(run, &lines, NULL), wrong ? EXIT_WRONG : EXIT_OK);
		assert_int_equal(lines, wrong ? 1 : 0);
	}
}

/* Whether an exit keeps old translations is nothing to a walk of the tables. */
static void a_hidden_control_is_idle_in_a_teardown(void **state)
{
	static const struct teardown_counts idle = {
		CONTROL, MISSED, NOW, 8, 1000, 9999, 0, 0, 0, VERDICT_IDLE,
	};
	struct run_results *run = run_of_teardown(&idle);

	(void)state;
	run->exit_keeps_stale = false;
	assert_int_equal(verdict_of_protocol(run, run->results), VERDICT_IDLE);
}

static void a_bad_walk_is_said_with_its_counts(void **state)
{
	static const struct {
		struct teardown_counts counts;
		const char *line;
	} cases[] = {
		{ { SAFE, HELD, NOW, 8, 1000, 1, 0, 1, 0, VERDICT_FREED },
		  ": a walker met 1 freed table in 1 walk\n" },
		{ { SAFE, MISSED, RCU, 8, 1000, 123456, 0, 3, 4, VERDICT_FREED },
		  ": a walker met 7 freed tables in 123456 walks\n" },
		{ { SAFE, MISSED, RCU, 8, 1000, 2, 0, MANY, MANY, VERDICT_FREED },
		  ": a walker met 18446744073709551615 freed tables in 2 walks\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct run_results *run = run_of_teardown(&cases[i].counts);
		const char *name = protocol_name(run->results->protocol);
		unsigned lines;
		char *text;

		assert_int_equal(status_of(run, &lines, &text), EXIT_WRONG);
		assert_int_equal(lines, 1);
		assert_memory_equal(text, name, strlen(name));
		assert_string_equal(text + strlen(name), cases[i].line);
		free(text);
	}
}

/* Walks and tables are a teardown's, whatever a payload counts elsewhere. */
static void other_workloads_have_no_walks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++)
		for (enum workload workload = WORKLOAD_TOGGLE; workload <= WORKLOAD_CHURN;
		     workload++) {
			struct run_results *run = run_of(&g_cases[i]);

			g_fixture.options.workload = workload;
			g_fixture.options.table_free = TABLE_FREE_NOW;
			run->results->walks = run->results->walks_poisoned = 1;
			assert_int_equal(verdict_of_protocol(run, run->results),
					 g_cases[i].expected);
			assert_false(verdict_is_hazardous(run->options, run->results->protocol));
		}
}

/* By when tables are freed and the protocol's column, not by what was seen. */
static void a_hazard_is_known_beforehand(void **state)
{
	(void)state;
	for (int i = 0; i < SD_PROTOCOLS; i++) {
		enum sd_protocol protocol = (enum sd_protocol)i;
		struct options options = { .workload = WORKLOAD_TEARDOWN };

		options.table_free = TABLE_FREE_NOW;
		assert_int_equal(verdict_is_hazardous(&options, protocol),
				 protocol_walkers(protocol) == SD_WALKERS_MISSED);
		options.table_free = TABLE_FREE_RCU;
		assert_false(verdict_is_hazardous(&options, protocol));
	}
}

/* Where an exit flushes by itself, a control that flushes all who run cannot
 * be caught; one that flushes nobody still can. */
static void a_host_that_keeps_nothing_hides_one_control(void **state)
{
	static const struct counts skips_parked = { CONTROL, 8, 1000, 9999, 0, 1, 6999, 0, 0 };
	static const struct counts flushes_nobody = { CONTROL, 8, 1000, 9999, 0, 7000, 0, 0, 0 };
	struct run_results *run = run_of(&skips_parked);
	unsigned lines;

	(void)state;
	run->exit_keeps_stale = false;
	assert_int_equal(verdict_of_protocol(run, run->results), VERDICT_HIDDEN);
	assert_int_equal(status_of(run, &lines, NULL), EXIT_OK);
	assert_int_equal(lines, 0);
	run = run_of(&flushes_nobody);
	run->exit_keeps_stale = false;
	assert_int_equal(verdict_of_protocol(run, run->results), VERDICT_MISSED);
}

/* There one that flushes nobody is caught by a target that does not leave the guest from
 * the PTE stores to the return: if there can be one. */
static void where_no_target_stays_every_control_is_hidden(void **state)
{
	static const struct counts flushes_nobody = { CONTROL, 8, 1000, 9999, 0, 7000, 0, 0, 0 };
	static const struct {
		uint32_t vcpus, slots, sleepers, cpus, steps;
		enum verdict expected;
	} cases[] = {
		{ 8, 2, 0, 2, 0, VERDICT_MISSED },
		{ 8, 1, 0, 2, 0, VERDICT_HIDDEN },
		{ 8, 2, 0, 1, 0, VERDICT_HIDDEN },
		{ 8, 2, 6, 2, 0, VERDICT_MISSED },
		{ 8, 2, 7, 2, 0, VERDICT_HIDDEN },
		{ 8, 2, 0, 2, 1 << SD_STEP_POSTED, VERDICT_HIDDEN },
		{ 8, 2, 0, 2, 1 << SD_STEP_PUBLISH, VERDICT_HIDDEN },
		{ 8, 2, 0, 2, 1 << SD_STEP_READ | 1 << SD_STEP_WALK, VERDICT_MISSED },
		/* With a slot of its own a vCPU is not away for anybody. */
		{ 2, 2, 0, 2, 1 << SD_STEP_POSTED | 1 << SD_STEP_PUBLISH, VERDICT_MISSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct run_results *run = run_of(&flushes_nobody);

		g_fixture.options.vcpus = cases[i].vcpus;
		g_fixture.options.slots = cases[i].slots;
		g_fixture.options.sleepers = cases[i].sleepers;
		g_fixture.options.steps = cases[i].steps;
		if (cases[i].cpus < 2)
			run->slot_cpus.words[0] &= ~UINT64_C(2);
		/* Where exits keep translations, a parked vCPU shows it. */
		assert_int_equal(verdict_of_protocol(run, run->results), VERDICT_MISSED);
		run->exit_keeps_stale = false;
		assert_int_equal(verdict_of_protocol(run, run->results), cases[i].expected);
	}
}

static void each_case_has_its_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++) {
		struct run_results *run = run_of(&g_cases[i]);
		enum verdict expected = g_cases[i].expected;
		bool wrong = fails(expected);
		unsigned lines;

		if (verdict_of_protocol(run, run->results) != expected)
			print_error("case %zu\n", i);
		assert_int_equal(verdict_of_protocol(run, run->results), expected);
		assert_int_equal(status_of(run, &lines, NULL), wrong ? EXIT_WRONG : EXIT_OK);
		assert_int_equal(lines, wrong ? 1 : 0);
	}
}

/* Who takes vCPUs off their CPU, and what the initiators do, is no evidence. */
static void verdicts_do_not_depend_on_the_policy(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++)
		for (enum preempt preempt = PREEMPT_SLICE; preempt <= PREEMPT_HOST; preempt++) {
			struct run_results *run = run_of(&g_cases[i]);

			g_fixture.options.preempt = preempt;
			g_fixture.options.workload = WORKLOAD_CHURN;
			g_fixture.options.sleepers = 1;
			run->kvm_counts_marks = run->host.marks_preempted = true;
			assert_int_equal(verdict_of_protocol(run, run->results),
					 g_cases[i].expected);
		}
}

static void a_good_run_is_ok_and_silent(void **state)
{
	struct run_results *run = fixture_reset();
	unsigned lines;

	(void)state;
	assert_int_equal(status_of(run, &lines, NULL), EXIT_OK);
	assert_int_equal(lines, 0);
	run->result_count = 0;
	assert_int_equal(status_of(run, &lines, NULL), EXIT_OK);
	assert_int_equal(lines, 0);
}

/* One failure anywhere decides, and each has its own line. */
static void every_failure_is_said(void **state)
{
	(void)state;
	for (uint32_t failing = 0; failing < SD_PROTOCOLS; failing++) {
		struct run_results *run = fixture_reset();
		struct protocol_result *result = &run->results[failing];
		unsigned lines;
		char *text;

		if (protocol_kind(result->protocol) == SD_KIND_UNSAFE)
			continue;
		result->stale = protocol_kind(result->protocol) == SD_KIND_SAFE;
		assert_int_equal(status_of(run, &lines, &text), EXIT_WRONG);
		assert_int_equal(lines, 1);
		assert_ptr_equal(strstr(text, protocol_name(result->protocol)), text);
		free(text);
	}
}

static void all_failures_are_said(void **state)
{
	struct run_results *run = fixture_reset();
	unsigned lines, failures = 0;

	(void)state;
	for (uint32_t i = 0; i < run->result_count; i++) {
		run->results[i].stale = protocol_kind(run->results[i].protocol) == SD_KIND_SAFE;
		failures += protocol_kind(run->results[i].protocol) != SD_KIND_UNSAFE;
	}
	assert_int_equal(status_of(run, &lines, NULL), EXIT_WRONG);
	assert_int_equal(lines, failures);
}

/* One that is known to lose flushes fails in neither case. */
static void an_unsafe_protocol_never_fails(void **state)
{
	(void)state;
	for (uint64_t stale = 0; stale < 3; stale++) {
		struct run_results *run = fixture_reset();
		unsigned lines;

		run->results = fixture_first(SD_KIND_UNSAFE);
		assert_non_null(run->results);
		run->result_count = 1;
		run->results->stale = stale;
		assert_int_equal(verdict_of_protocol(run, run->results), VERDICT_UNSAFE);
		assert_int_equal(status_of(run, &lines, NULL), EXIT_OK);
		assert_int_equal(lines, 0);
	}
}

static void a_stale_load_is_said_with_its_epochs(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = fixture_first(SD_KIND_SAFE);
	unsigned lines;
	char *text;

	(void)state;
	result->stale = 3;
	result->checks = 123456;
	result->stale_saw = 4141;
	result->stale_expected = 4243;
	assert_int_equal(status_of(run, &lines, &text), EXIT_WRONG);
	assert_non_null(strstr(text, "3 stale loads in 123456 checks"));
	assert_non_null(strstr(text, "4141"));
	assert_non_null(strstr(text, "4243"));
	free(text);
}

/* Of a target that has never looked across a flush nothing is known. */
static void targets_that_did_not_look_are_told(void **state)
{
	static const struct { uint32_t targets, watched; enum verdict expected; } cases[] = {
		{ 7, 7, VERDICT_OK }, { 7, 6, VERDICT_PARTLY }, { 129, 1, VERDICT_PARTLY },
		{ 129, 0, VERDICT_BLIND },
	};
	struct run_results *run = fixture_reset();
	struct protocol_result *result = fixture_first(SD_KIND_SAFE);
	unsigned lines;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		result->targets = cases[i].targets;
		result->targets_watched = cases[i].watched;
		assert_int_equal(verdict_of_protocol(run, result), cases[i].expected);
		assert_int_equal(status_of(run, &lines, NULL), EXIT_OK);
	}
}

/* What speaks for a run is only claimed; what speaks against it stays what it is. */
static void another_payloads_word_is_a_claim(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++) {
		const struct run_results *run = run_of(&g_cases[i]);
		enum verdict expected = g_cases[i].expected;

		g_fixture.options.payload = "mine";
		if (expected == VERDICT_OK || expected == VERDICT_CAUGHT)
			expected = VERDICT_CLAIMED;
		assert_int_equal(verdict_of_protocol(run, run->results), expected);
	}
}

/* Nor do two sums that add up to 0. */
static void wrong_reads_of_moved_pages_fail(void **state)
{
	static const struct { uint64_t wrong, loads_wrong; } cases[] = {
		{ 1, 0 }, { 0, 1 }, { 1, UINT64_MAX },
	};
	struct run_results *run = fixture_reset();
	unsigned lines;

	(void)state;
	g_fixture.options.reclaim_hz = 1;
	assert_int_equal(status_of(run, &lines, NULL), EXIT_OK);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		run->moved.wrong = cases[i].wrong;
		run->moved.loads_wrong = cases[i].loads_wrong;
		assert_int_equal(status_of(run, &lines, NULL), EXIT_WRONG);
		assert_int_equal(lines, 1);
	}
}

static void names_differ_and_failures_are_capitals(void **state)
{
	(void)state;
	for (int a = VERDICT_OK; a <= VERDICT_MISSED; a++) {
		const char *name = verdict_name((enum verdict)a);
		bool capital = name[0] >= 'A' && name[0] <= 'Z';

		assert_in_range(strlen(name), 1, 7);
		assert_int_equal(capital, fails((enum verdict)a));
		assert_int_equal(verdict_words((enum verdict)a) == NULL, a == VERDICT_OK);
		for (int b = VERDICT_OK; b < a; b++)
			assert_string_not_equal(name, verdict_name((enum verdict)b));
	}
}

/* Of moved pages: only with --reclaim, and whoever has read a wrong word. */
static void a_wrong_word_of_a_moved_page_is_wrong(void **state)
{
	static const struct { uint64_t wrong, loads_wrong; bool fails; } cases[] = {
		{ 0, 0, false }, { 1, 0, true }, { 0, 1, true }, { 3, 3, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (uint32_t reclaim_hz = 0; reclaim_hz < 2; reclaim_hz++) {
			struct run_results *run = fixture_reset();
			bool fails = cases[i].fails && reclaim_hz != 0;
			char said[512] = "", expected[128];
			FILE *messages = fmemopen(said, sizeof(said), "w");

			assert_non_null(messages);
			run->result_count = 1;
			g_fixture.options.reclaim_hz = reclaim_hz;
			run->moved = (struct moved_pages){
				.checks = 70, .wrong = cases[i].wrong, .loads = 90,
				.loads_wrong = cases[i].loads_wrong,
			};
			assert_int_equal(verdict_of(run, messages), fails ? EXIT_WRONG : EXIT_OK);
			fclose(messages);
			snprintf(expected, sizeof(expected), "moved pages: %d of 70 reads by the VMM "
				 "and %d of 90 by vCPUs were not what stands there\n",
				 (int)cases[i].wrong, (int)cases[i].loads_wrong);
			assert_string_equal(said, fails ? expected : "");
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_has_its_verdict),
		cmocka_unit_test(a_host_that_keeps_nothing_hides_one_control),
		cmocka_unit_test(where_no_target_stays_every_control_is_hidden),
		cmocka_unit_test(walkers_meet_no_freed_table),
		cmocka_unit_test(a_hidden_control_is_idle_in_a_teardown),
		cmocka_unit_test(a_bad_walk_is_said_with_its_counts),
		cmocka_unit_test(other_workloads_have_no_walks),
		cmocka_unit_test(a_hazard_is_known_beforehand),
		cmocka_unit_test(verdicts_do_not_depend_on_the_policy),
		cmocka_unit_test(a_good_run_is_ok_and_silent),
		cmocka_unit_test(every_failure_is_said),
		cmocka_unit_test(all_failures_are_said),
		cmocka_unit_test(an_unsafe_protocol_never_fails),
		cmocka_unit_test(a_stale_load_is_said_with_its_epochs),
		cmocka_unit_test(targets_that_did_not_look_are_told),
		cmocka_unit_test(another_payloads_word_is_a_claim),
		cmocka_unit_test(wrong_reads_of_moved_pages_fail),
		cmocka_unit_test(names_differ_and_failures_are_capitals),
		cmocka_unit_test(a_wrong_word_of_a_moved_page_is_wrong),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
