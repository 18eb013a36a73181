// SPDX-License-Identifier: MIT
/*
 * summary_has_the_promised_shape_test.c - the JSON of a run, of --host and of --break-over has
 * every promised key with its value, whatever the strings and counts are, and is either whole
 * or absent.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "control.h"
#include "figure.h"
#include "protocol_list.h"
#include "results_cases.h"

static json_t *parse(char *text)
{
	json_error_t error;
	json_t *json;
	size_t length;

	assert_non_null(text);
	length = strlen(text);
	assert_true(length > 0 && text[length - 1] == '\n');
	json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	free(text);
	if (json == NULL)
		print_error("line %d: %s\n", error.line, error.text);
	assert_non_null(json);
	return json;
}

static char *case_text(const struct run_results *run)
{
	json_decref(parse(summary_text(run)));
	return summary_text(run);
}

static void check_golden(const char *name, char *text)
{
	golden_check(name, text);
	json_decref(parse(text));
}

static void check_string(const json_t *object, const char *key, const char *expected)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_string(value));
	assert_string_equal(json_string_value(value), expected);
}

static const json_t *protocol_at(const json_t *summary, size_t i)
{
	return json_array_get(json_object_get(summary, "protocols"), i);
}

/* A different value in each, so that a mix-up shows. */
static void set_counts(struct protocol_result *result)
{
	result->over_quarter_slice = 101;
	result->stale = 102;
	result->transfers = 103;
	result->takeovers = 104;
	result->spurious_ipis = 105;
	result->switches = 106;
	result->dropped = 107;
	result->sample_ns = 108;
	result->skipped = 109;
	result->steal_ns = 110;
	result->involuntary_switches = 111;
	result->rounds = 112;
	result->yields = 113;
	result->kicks = 114;
	result->sleeps = 115;
	result->wakes = 116;
	result->spun = 117;
	result->steps = 118;
	result->by_page = 119;
	result->cleared_ipis = 120;
	result->vcpu_cpu_ns = 121;
	result->entry_flushes_asked = 122;
	result->throttles = 123;
	result->throttled_ns = 124;
	result->strayed = 125;
	result->clipped = 126;
	result->targets = 128;
	result->targets_watched = 127;
	result->disturbed = true;
}

static void set_options(struct options *options)
{
	options->slots = 3;
	options->initiators = 5;
	options->pages = 33;
	options->sleepers = 2;
	options->ple_us = 50;
	options->workload = WORKLOAD_CHURN;
	options->clear_pending = true;
	options->confine = CONFINE_LOG;
}

static void every_key_has_its_value(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->result_count = 1;
	run->interrupted = true;
	run->entry_flush = ENTRY_FLUSH_SREGS;
	set_options(&g_fixture.options);
	set_counts(&run->results[0]);
	check_golden("summary.json", summary_text(run));
}

/* Other workloads walk no tables: 0 would be a claim. */
static void set_walks(struct protocol_result *result)
{
	result->walks = 201;
	result->walks_poisoned = 202;
	result->walks_reused = 203;
	result->tables_freed = 204;
	result->tables_held_max = 205;
	result->graces = 206;
	result->grace_ns = 207;
}

/* The third was never run. */
static void set_rounds(struct protocol_result *result)
{
	static struct round_figure figures[3] = {
		{ .flushes = 600, .measured_ns = 1500000000, .decisions = 70,
		  .decisions_digest = 10 },
		{ .flushes = 400, .measured_ns = 500000000, .decisions = 80,
		  .decisions_digest = UINT64_C(0xfedcba9876543210) },
		{ .flushes = 99, .measured_ns = 1, .decisions = 99, .decisions_digest = 99 },
	};

	result->by_round = figures;
	result->rounds = 2;
}

/* One that is just exceeded, one that just holds, and one that was not measured. */
static void set_limits(struct run_results *run, struct options *options)
{
	static const struct figure_limit limits[] = {
		{ { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX }, 129899 },
		{ { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX }, 129900 },
		{ { SD_PROTOCOL_deferred, FIGURE_FLOOR, FIGURE_P50 }, 7 },
	};

	memcpy(options->fail_over, limits, sizeof(limits));
	options->fail_over_count = COUNT_OF(limits);
	histogram_init(&run->results[1].floor_ns);
}

static void set_unmeasured(struct protocol_result *result)
{
	memset(result, 0, sizeof(*result));
	result->ipis = 5;               /* of a flush that was not recorded */
}

static void set_huge(struct run_results *run)
{
	run->results[0].checks = UINT64_MAX;
	run->results[0].steal_ns = (uint64_t)INT64_MAX + 1;
	run->results[0].walks_poisoned = UINT64_MAX;
	run->results[0].walks_reused = 1;
	histogram_record(&run->results[0].wall_ns, UINT64_MAX);
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
}

/* What was not counted, or is not in use, is not there: 0 would be a claim. */
static void keys_are_there_where_they_mean_something(void **state)
{
	(void)state;
	CASE(ipi->flushes = 3; ipi->ipis = 2);
	CASE(options->payload = "built-in"; ipi->saturated = true);
	CASE(options->trace = "t.json"; run->trace = (struct trace_counts){ 11, 12, 13, 14 });
	CASE(deferred->exits[SD_REQ_FLUSH_OTHERS] = (struct exit_figure){ 7, 800, 90 });
	CASE(set_limits(run, options));
	CASE(options->steps = 1 << SD_STEP_READ | 1 << SD_STEP_PUBLISH);
	CASE(options->steps = 1 << SD_STEP_READ | 1 << SD_STEP_PUBLISH;
	     options->preempt = PREEMPT_AT_STEP);
	CASE(options->preempt = PREEMPT_HOST);
	CASE(ipi->kvm_reported = 5; ipi->kvm_other = 6);
	CASE(ipi->kvm_reported = 5; ipi->kvm_other = 6; run->kvm_counts_marks = true);
	CASE(run->by_page = true);
	CASE(deferred->entry_flushes_asked = 11; deferred->entry_flushes_done = 12);
	CASE(deferred->entry_flushes_asked = 11; deferred->entry_flushes_done = 12;
	     options->extras = 1 << EXTRA_FLUSHES);
	CASE(set_walks(ipi));
	CASE(set_walks(ipi); options->workload = WORKLOAD_CHURN);
	CASE(set_walks(ipi); options->workload = WORKLOAD_TEARDOWN;
	     options->table_free = TABLE_FREE_NOW);
	CASE(set_rounds(ipi));
	CASE(set_rounds(ipi); options->preempt = PREEMPT_RANDOM);
	CASE(set_rounds(ipi); ipi->rounds = 0);
	CASE(set_unmeasured(ipi));
	CASE(options->break_over_us = 200; run->broke.broke = true);
	CASE(options->reclaim_hz = 9; run->moved = (struct moved_pages){
		1, 2, 3, 4, 5, true, 6, 7, 8, 9, 10 });
	CASE(run->host.quota_cpus = 1.5);
	cases_check("summary_cases.txt");
}

/* A seed must come back whole, so that the run can be repeated: as text, if need be. */
static void counts_beyond_63_bits_are_not_negative(void **state)
{
	(void)state;
	CASE(set_huge(run));
	CASE(options->seed = UINT64_MAX);
	CASE(options->seed = INT64_MAX);
	cases_check("summary_huge.txt");
}

static void a_run_without_results_is_valid(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->result_count = 0;
	run->argc = 0;
	run->slot_cpus = (struct cpus){ 0 };
	run->host.load_1m = NAN;
	check_golden("summary_empty.json", summary_text(run));
}

static void nothing_measured_gives_no_figures(void **state)
{
	static const struct protocol_result result;

	(void)state;
	assert_true(figure_flushes_per_s(&result) == 0.0);
	assert_true(figure_per_flush(&result, 5) == 0.0);
	assert_true(figure_taken_pct(&result) == 0.0);
	assert_true(figure_round_per_s(&(struct round_figure){ .flushes = 5 }) == 0.0);
}

static void safety_is_that_of_the_protocol(void **state)
{
	json_t *summary = parse(summary_text(fixture_reset()));

	(void)state;
	for (int i = 0; i < SD_PROTOCOLS; i++) {
		const json_t *safe = json_object_get(protocol_at(summary, (size_t)i), "safe");

		assert_int_equal(json_is_true(safe),
				 protocol_kind((enum sd_protocol)i) == SD_KIND_SAFE);
	}
	json_decref(summary);
}

/* Request and served are generations; the flags of a request stand apart. */
static void a_break_has_its_flush_and_every_vcpu(void **state)
{
	static struct vcpu_snapshot vcpus[3] = {
		{ "running", 0, 1, 0, 3 }, { "parked", 1, 21, 20, 2 }, { "asleep", 2, 14, 8, 1 },
	};
	struct run_results *run = fixture_reset();

	(void)state;
	g_fixture.options.break_over_us = 200;
	g_fixture.options.vcpus = COUNT_OF(vcpus);
	run->broke = (struct break_result){ .vcpus = vcpus, .timeline = "a\"b", .file = "f" };
	check_golden("break_none.json", break_text(run));
	run->broke.broke = true;
	run->broke.protocol = SD_PROTOCOL_takeover;
	run->broke.row = (struct flush_row){ .run = 1, .seq = 2, .initiator = 3, .targets = 7,
					     .ipis = 4, .deferred = 5, .taken_over = 6,
					     .start_ns = 8, .wall_ns = 9, .stall_ns = 10 };
	check_golden("break.json", break_text(run));
}

/* What stands in argv, and what has to come out of the JSON. */
static const struct { const char *raw, *expected; } g_strings[] = {
	{ "", "" },
	{ "plain", "plain" },
	{ "quote\" backslash\\ tab\t newline\n \x01", "quote\" backslash\\ tab\t newline\n \x01" },
	{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf" },
	{ "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf" },
	{ "\xff", "\\xff" },
	{ "a\xfe" "b", "a\\xfeb" },
	{ "\x80", "\\x80" },                            /* continuation alone */
	{ "\xc3", "\\xc3" },                            /* cut by the end */
	{ "\xe2\x82", "\\xe2\\x82" },
	{ "\xf0\x9f\x98", "\\xf0\\x9f\\x98" },
	{ "\xe2\x82z", "\\xe2\\x82z" },                 /* cut by a letter */
	{ "\xc3\xc3\xa4", "\\xc3\xc3\xa4" },            /* the next one is whole */
	{ "\xc0\x80", "\\xc0\\x80" },                   /* overlong */
	{ "\xc1\xbf", "\\xc1\\xbf" },
	{ "\xe0\x9f\xbf", "\\xe0\\x9f\\xbf" },
	{ "\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },          /* surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
};

static void any_bytes_in_argv_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_strings); i++) {
		struct run_results *run = fixture_reset();
		char raw[64];
		json_t *summary;

		strcpy(raw, g_strings[i].raw);
		g_fixture.argv[1] = raw;
		strcpy(run->host.cpu, raw);
		summary = parse(summary_text(run));
		assert_string_equal(json_string_value(json_array_get(
			json_object_get(summary, "command"), 1)), g_strings[i].expected);
		check_string(json_object_get(summary, "host"), "cpu", g_strings[i].expected);
		json_decref(summary);
	}
}

/* Every pair of bytes, so that the rules here and jansson's are the same. */
static void every_pair_of_bytes_is_taken(void **state)
{
	struct run_results *run = fixture_reset();

	(void)state;
	run->result_count = 0;
	for (unsigned first = 1; first < 256; first++) {
		char raw[256 * 3], *at = raw;

		for (unsigned second = 1; second < 256; second++) {
			*at++ = (char)first;
			*at++ = (char)second;
			*at++ = '.';
		}
		*at = '\0';
		g_fixture.argv[1] = raw;
		json_decref(parse(summary_text(run)));
	}
}

static void host_costs_have_their_keys(void **state)
{
	static struct host_costs costs;
	struct histogram *const all[] = {
		&costs.ipi_round_trip_ns, &costs.shootdown_floor_ns, &costs.clock_ns,
		&costs.gate_ns, &costs.exit_ns, &costs.kick_ns, &costs.kick_flush_ns,
		&costs.flush_on_entry_steal_ns, &costs.flush_on_entry_sregs_ns,
		&costs.futex_handover_ns, &costs.slot_switch_ns,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		histogram_init(all[i]);
		for (size_t n = 0; n < 1000 + i; n++)
			histogram_record(all[i], 1000 * i);
	}
	check_golden("host.json", host_text(fixture_reset(), &costs));
}

static size_t g_allocations, g_allocation_to_fail;

static void *scarce_malloc(size_t bytes)
{
	return g_allocations++ == g_allocation_to_fail ? NULL : malloc(bytes);
}

/* Memory that runs out at any one step gives no text at all, and leaks nothing. */
static void no_memory_gives_no_text(void **state)
{
	static struct round_figure figures[2];
	struct run_results *run = fixture_reset();
	char *text = NULL;

	(void)state;
	run->result_count = 2;
	run->results[1].rounds = 2;
	run->results[1].by_round = figures;
	g_fixture.options.preempt = PREEMPT_RANDOM;
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	for (g_allocation_to_fail = 0; text == NULL; g_allocation_to_fail++) {
		g_allocations = 0;
		json_set_alloc_funcs(scarce_malloc, free);
		text = summary_text(run);
		json_set_alloc_funcs(malloc, free);
		assert_true((text == NULL) == (g_allocations > g_allocation_to_fail));
	}
	assert_true(g_allocations > 100);
	json_decref(parse(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_value),
		WITH_CASES(keys_are_there_where_they_mean_something),
		WITH_CASES(counts_beyond_63_bits_are_not_negative),
		cmocka_unit_test(a_run_without_results_is_valid),
		cmocka_unit_test(nothing_measured_gives_no_figures),
		cmocka_unit_test(safety_is_that_of_the_protocol),
		cmocka_unit_test(a_break_has_its_flush_and_every_vcpu),
		cmocka_unit_test(any_bytes_in_argv_are_kept),
		cmocka_unit_test(every_pair_of_bytes_is_taken),
		cmocka_unit_test(host_costs_have_their_keys),
		cmocka_unit_test(no_memory_gives_no_text),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
