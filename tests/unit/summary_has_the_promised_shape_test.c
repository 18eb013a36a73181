// SPDX-License-Identifier: MIT
/*
 * summary_has_the_promised_shape_test.c - the JSON of a run and of --host has
 * every promised key with its type and value, whatever the strings and counts
 * are, and is either whole or absent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "control.h"
#include "figure.h"
#include "results_fixture.h"

#ifdef NDEBUG
#error "tests need their assertions"
#endif

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define INTEGER JSON_INTEGER
#define FLAG JSON_TRUE          /* stands for either boolean */

struct member {
	const char *key;
	json_type type;
};

static const struct member g_run_members[] = {
	{ "schema", INTEGER }, { "command", JSON_ARRAY }, { "version", JSON_STRING },
	{ "seed", INTEGER }, { "started", JSON_STRING }, { "ended", JSON_STRING },
	{ "host", JSON_OBJECT }, { "vcpus", INTEGER }, { "slots", INTEGER },
	{ "slice_us", INTEGER }, { "pages", INTEGER }, { "initiators", INTEGER },
	{ "pace_us", INTEGER }, { "preempt", JSON_STRING }, { "entry_flush", JSON_STRING },
	{ "entry_flush_tested", FLAG }, { "steal_failed", FLAG }, { "exit_keeps_stale", FLAG },
	{ "interrupted", FLAG },
	{ "first_instruction_ns", INTEGER }, { "overcommit", INTEGER }, { "cpus", JSON_ARRAY },
	{ "workload", JSON_STRING }, { "sleepers", INTEGER }, { "ple_us", INTEGER },
	{ "by_page", FLAG }, { "clear_pending", FLAG }, { "table_free", JSON_STRING },
	{ "confine", JSON_STRING }, { "protocols", JSON_ARRAY },
};

static const struct member g_host_members[] = {
	{ "kernel", JSON_STRING }, { "cpu", JSON_STRING }, { "kvm", JSON_STRING },
	{ "below", JSON_STRING }, { "emulated", FLAG }, { "clock_step_ns", INTEGER },
	{ "mitigations", JSON_STRING }, { "clocksource", JSON_STRING }, { "cpus_online", INTEGER },
	{ "max_vcpus", INTEGER }, { "tsc_hz", INTEGER }, { "pv_features", INTEGER },
	{ "marks_preempted", FLAG }, { "load_1m", JSON_REAL },
};

static const struct member g_protocol_members[] = {
	{ "name", JSON_STRING }, { "safe", FLAG }, { "verdict", JSON_STRING },
	{ "saturated", FLAG }, { "flushes", INTEGER }, { "targets", INTEGER },
	{ "targets_watched", INTEGER }, { "watched_per_flush", JSON_REAL },
	{ "flushes_per_s", JSON_REAL }, { "wall_ns", JSON_OBJECT }, { "stall_ns", JSON_OBJECT },
	{ "floor_ns", JSON_OBJECT }, { "pte_ns", JSON_OBJECT }, { "switch_ns", JSON_OBJECT },
	{ "over_quarter_slice", INTEGER }, { "checks", INTEGER }, { "stale", INTEGER },
	{ "disturbed", FLAG }, { "ipis_per_flush", JSON_REAL }, { "deferred_per_flush", JSON_REAL },
	{ "transfers", INTEGER }, { "takeovers", INTEGER }, { "spurious_ipis", INTEGER },
	{ "switches", INTEGER }, { "dropped", INTEGER }, { "sample_ns", INTEGER },
	{ "skipped", INTEGER }, { "taken_pct", JSON_REAL }, { "steal_ns", INTEGER },
	{ "involuntary_switches", INTEGER }, { "rounds", INTEGER }, { "yields", INTEGER },
	{ "kicks", INTEGER }, { "sleeps", INTEGER }, { "wakes", INTEGER }, { "spun", INTEGER },
	{ "steps", INTEGER }, { "by_page", INTEGER }, { "cleared_ipis", INTEGER },
	{ "vcpu_cpu_ns", INTEGER }, { "entry_flushes_asked", INTEGER },
	{ "throttles", INTEGER }, { "throttled_ns", INTEGER }, { "strayed", INTEGER },
	{ "clipped", INTEGER },
};

static const struct member g_walk_members[] = {
	{ "walks", INTEGER }, { "bad_walks", INTEGER }, { "walks_poisoned", INTEGER },
	{ "walks_reused", INTEGER }, { "tables_freed", INTEGER }, { "tables_held_max", INTEGER },
	{ "graces", INTEGER }, { "grace_ns", INTEGER },
};

static const struct member g_quantiles[] = {
	{ "p50", INTEGER }, { "p90", INTEGER }, { "p99", INTEGER }, { "p995", INTEGER },
	{ "p999", INTEGER }, { "max", INTEGER },
};

static const char *const g_times[] = { "wall_ns", "stall_ns", "floor_ns", "pte_ns", "switch_ns" };

static void check_members(const json_t *object, const struct member *members, size_t count)
{
	assert_true(json_is_object(object));
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, members[i].key);

		if (value == NULL)
			print_error("no %s\n", members[i].key);
		assert_non_null(value);
		if (members[i].type == FLAG)
			assert_true(json_is_boolean(value));
		else
			assert_int_equal(json_typeof(value), members[i].type);
	}
}

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

static json_int_t count_in(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void check_real(const json_t *object, const char *key, double expected)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_real(value));
	assert_true(fabs(json_real_value(value) - expected) <= expected * 1e-5);
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

static void every_key_is_there(void **state)
{
	json_t *summary = parse(summary_text(fixture_reset()));

	(void)state;
	check_members(summary, g_run_members, LENGTH(g_run_members));
	check_members(json_object_get(summary, "host"), g_host_members, LENGTH(g_host_members));
	assert_int_equal(json_array_size(json_object_get(summary, "protocols")), SD_PROTOCOLS);
	for (size_t i = 0; i < SD_PROTOCOLS; i++) {
		const json_t *protocol = protocol_at(summary, i);

		check_members(protocol, g_protocol_members, LENGTH(g_protocol_members));
		for (size_t t = 0; t < LENGTH(g_times); t++)
			check_members(json_object_get(protocol, g_times[t]), g_quantiles,
				      LENGTH(g_quantiles));
	}
	json_decref(summary);
}

static void the_run_is_described(void **state)
{
	struct run_results *run = fixture_reset();
	json_t *summary, *command, *cpus;

	(void)state;
	g_fixture.options.slots = 3;
	g_fixture.options.initiators = 5;
	g_fixture.options.pages = 33;
	g_fixture.options.sleepers = 2;
	g_fixture.options.ple_us = 50;
	g_fixture.options.workload = WORKLOAD_CHURN;
	g_fixture.options.clear_pending = true;
	g_fixture.options.confine = CONFINE_LOG;
	run->interrupted = true;
	run->entry_flush = ENTRY_FLUSH_SREGS;
	summary = parse(summary_text(run));
	command = json_object_get(summary, "command");
	cpus = json_object_get(summary, "cpus");
	assert_int_equal(count_in(summary, "schema"), 1);
	assert_int_equal(count_in(summary, "seed"), 7);
	assert_int_equal(count_in(summary, "vcpus"), 8);
	assert_int_equal(count_in(summary, "overcommit"), 4);
	assert_int_equal(count_in(summary, "slots"), 3);
	assert_int_equal(count_in(summary, "slice_us"), 2000);
	assert_int_equal(count_in(summary, "pages"), 33);
	assert_int_equal(count_in(summary, "sleepers"), 2);
	assert_int_equal(count_in(summary, "ple_us"), 50);
	check_string(summary, "workload", "churn");
	check_string(summary, "table_free", "rcu");
	check_string(summary, "confine", "log");
	assert_true(json_is_true(json_object_get(summary, "clear_pending")));
	assert_true(json_is_false(json_object_get(summary, "by_page")));
	assert_int_equal(count_in(summary, "initiators"), 5);
	assert_int_equal(count_in(summary, "pace_us"), 100);
	assert_int_equal(count_in(summary, "first_instruction_ns"), 4900000);
	check_string(summary, "preempt", "slice");
	check_string(summary, "entry_flush", "sregs");
	check_string(summary, "started", "2023-11-14T22:13:20.005Z");
	check_string(summary, "ended", "2023-11-14T22:13:32.999Z");
	assert_true(json_is_true(json_object_get(summary, "interrupted")));
	assert_true(json_is_true(json_object_get(summary, "entry_flush_tested")));
	assert_int_equal(json_array_size(command), 3);
	assert_string_equal(json_string_value(json_array_get(command, 1)), "--seed");
	assert_int_equal(json_array_size(cpus), 2);
	assert_int_equal(json_integer_value(json_array_get(cpus, 1)), 1);
	json_decref(summary);
}

static void the_payload_is_named(void **state)
{
	struct run_results *run = fixture_reset();
	json_t *summary = parse(summary_text(run));

	(void)state;
	check_string(summary, "payload", "built-in");
	assert_true(json_is_false(json_object_get(summary, "claimed")));
	assert_int_equal(count_in(protocol_at(summary, 0), "targets"), 7);
	assert_int_equal(count_in(protocol_at(summary, 0), "targets_watched"), 7);
	check_string(protocol_at(summary, 0), "verdict", "ok");
	json_decref(summary);
	g_fixture.options.payload = "built-in";
	run->results[0].saturated = true;
	summary = parse(summary_text(run));
	check_string(summary, "payload", "built-in");
	assert_true(json_is_true(json_object_get(summary, "claimed")));
	check_string(protocol_at(summary, 0), "verdict", "claimed");
	assert_true(json_is_true(json_object_get(protocol_at(summary, 0), "saturated")));
	assert_true(json_is_false(json_object_get(protocol_at(summary, 1), "saturated")));
	json_decref(summary);
}

static void a_protocol_is_described(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = &run->results[0];
	const json_t *protocol, *wall;
	json_t *summary;

	(void)state;
	/* A different value in each, so that a mix-up shows. */
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
	result->disturbed = true;
	summary = parse(summary_text(run));
	protocol = protocol_at(summary, 0);
	check_string(protocol, "name", protocol_name(result->protocol));
	assert_int_equal(count_in(protocol, "over_quarter_slice"), 101);
	assert_int_equal(count_in(protocol, "stale"), 102);
	assert_int_equal(count_in(protocol, "transfers"), 103);
	assert_int_equal(count_in(protocol, "takeovers"), 104);
	assert_int_equal(count_in(protocol, "spurious_ipis"), 105);
	assert_int_equal(count_in(protocol, "switches"), 106);
	assert_int_equal(count_in(protocol, "dropped"), 107);
	assert_int_equal(count_in(protocol, "sample_ns"), 108);
	assert_int_equal(count_in(protocol, "skipped"), 109);
	assert_int_equal(count_in(protocol, "steal_ns"), 110);
	assert_int_equal(count_in(protocol, "involuntary_switches"), 111);
	assert_int_equal(count_in(protocol, "rounds"), 112);
	assert_int_equal(count_in(protocol, "yields"), 113);
	assert_int_equal(count_in(protocol, "kicks"), 114);
	assert_int_equal(count_in(protocol, "sleeps"), 115);
	assert_int_equal(count_in(protocol, "wakes"), 116);
	assert_int_equal(count_in(protocol, "spun"), 117);
	assert_int_equal(count_in(protocol, "steps"), 118);
	assert_int_equal(count_in(protocol, "by_page"), 119);
	assert_int_equal(count_in(protocol, "cleared_ipis"), 120);
	assert_int_equal(count_in(protocol, "vcpu_cpu_ns"), 121);
	assert_int_equal(count_in(protocol, "checks"), 1900000000);
	assert_int_equal(count_in(protocol, "flushes"), 1000);
	assert_true(json_is_true(json_object_get(protocol, "disturbed")));
	check_real(protocol, "flushes_per_s", 500.0);
	check_real(protocol, "ipis_per_flush", 1.75);
	check_real(protocol, "deferred_per_flush", 5.25);
	check_real(protocol, "taken_pct", 0.25);
	wall = json_object_get(protocol, "wall_ns");
	assert_int_equal(count_in(wall, "p50"), histogram_quantile(&result->wall_ns, 0.5));
	assert_int_equal(count_in(wall, "p90"), histogram_quantile(&result->wall_ns, 0.9));
	assert_int_equal(count_in(wall, "p99"), histogram_quantile(&result->wall_ns, 0.99));
	assert_int_equal(count_in(wall, "p995"), histogram_quantile(&result->wall_ns, 0.995));
	assert_int_equal(count_in(wall, "p999"), histogram_quantile(&result->wall_ns, 0.999));
	assert_int_equal(count_in(wall, "max"), 30000 + 999 * 100);
	json_decref(summary);
}

static void a_break_has_its_flush_and_every_vcpu(void **state)
{
	static struct vcpu_snapshot vcpus[8];
	struct run_results *run = fixture_reset();
	const json_t *flush, *vcpu;
	json_t *text;

	(void)state;
	for (uint32_t i = 0; i < LENGTH(vcpus); i++)
		vcpus[i] = (struct vcpu_snapshot){ i == 0 ? "running" : "parked", i % 2, 4 * i + 1,
						   4 * i, 3 };
	g_fixture.options.break_over_us = 200;
	run->broke = (struct break_result){ .vcpus = vcpus, .timeline = "a\"b", .file = "f" };
	text = parse(break_text(run));
	assert_true(json_is_false(json_object_get(text, "broke")));
	assert_int_equal(count_in(text, "break_over_us"), 200);
	check_string(text, "timeline", "a\"b");
	assert_null(json_object_get(text, "flush"));
	assert_int_equal(json_array_size(json_object_get(text, "vcpus")), 0);
	json_decref(text);

	run->broke.broke = true;
	run->broke.protocol = SD_PROTOCOL_takeover;
	run->broke.row = (struct flush_row){ .run = 1, .seq = 2, .initiator = 3, .targets = 7,
					     .ipis = 4, .deferred = 5, .taken_over = 6,
					     .start_ns = 8, .wall_ns = 9, .stall_ns = 10 };
	text = parse(break_text(run));
	assert_true(json_is_true(json_object_get(text, "broke")));
	flush = json_object_get(text, "flush");
	check_string(flush, "protocol", "takeover");
	assert_int_equal(count_in(flush, "run"), 1);
	assert_int_equal(count_in(flush, "seq"), 2);
	assert_int_equal(count_in(flush, "initiator"), 3);
	assert_int_equal(count_in(flush, "ipis"), 4);
	assert_int_equal(count_in(flush, "deferred"), 5);
	assert_int_equal(count_in(flush, "taken_over"), 6);
	assert_int_equal(count_in(flush, "targets"), 7);
	assert_int_equal(count_in(flush, "start_ns"), 8);
	assert_int_equal(count_in(flush, "wall_ns"), 9);
	assert_int_equal(count_in(flush, "stall_ns"), 10);
	assert_int_equal(json_array_size(json_object_get(text, "vcpus")), 8);
	vcpu = json_array_get(json_object_get(text, "vcpus"), 5);
	check_string(vcpu, "state", "parked");
	assert_int_equal(count_in(vcpu, "vcpu"), 5);
	assert_int_equal(count_in(vcpu, "slot"), 1);
	assert_int_equal(count_in(vcpu, "preempted"), 3);
	/* Generations; the flags stand apart. */
	assert_int_equal(count_in(vcpu, "request"), 5);
	assert_int_equal(count_in(vcpu, "served"), 5);
	assert_true(json_is_true(json_object_get(vcpu, "marked")));
	assert_true(json_is_false(json_object_get(vcpu, "should_flush")));
	json_decref(text);
}

/* Only where there is a timeline. */
static void a_timeline_has_its_counts(void **state)
{
	struct run_results *run = fixture_reset();
	const json_t *trace;
	json_t *summary = parse(summary_text(run));

	(void)state;
	assert_null(json_object_get(summary, "trace"));
	json_decref(summary);
	g_fixture.options.trace = "t.json";
	run->trace = (struct trace_counts){ 11, 12, 13, 14 };
	summary = parse(summary_text(run));
	trace = json_object_get(summary, "trace");
	assert_int_equal(count_in(trace, "slices"), 11);
	assert_int_equal(count_in(trace, "arrows"), 12);
	assert_int_equal(count_in(trace, "arrows_lost"), 13);
	assert_int_equal(count_in(trace, "dropped"), 14);
	json_decref(summary);
}

static void exits_are_there_by_name(void **state)
{
	struct run_results *run = fixture_reset();
	const json_t *exits;
	json_t *summary;

	(void)state;
	run->results[0].exits[SD_REQ_FLUSH_OTHERS] = (struct exit_figure){ 7, 800, 90 };
	summary = parse(summary_text(run));
	exits = json_object_get(protocol_at(summary, 0), "exits");
	assert_int_equal(json_object_size(exits), 1);
	exits = json_object_get(exits, "flush-others");
	assert_int_equal(count_in(exits, "count"), 7);
	assert_int_equal(count_in(exits, "total_ns"), 800);
	assert_int_equal(count_in(exits, "max_ns"), 90);
	assert_int_equal(json_object_size(json_object_get(protocol_at(summary, 1), "exits")), 0);
	json_decref(summary);
}

static void thresholds_have_their_figures(void **state)
{
	static const struct figure_limit limits[] = {
		{ { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX }, 129899 },
		{ { SD_PROTOCOL_ipi, FIGURE_WALL, FIGURE_MAX }, 129900 },
		{ { SD_PROTOCOL_generation, FIGURE_FLOOR, FIGURE_P50 }, 7 },
	};
	struct run_results *run = fixture_reset();
	const json_t *first, *last;
	json_t *summary = parse(summary_text(run)), *list = json_object_get(summary, "fail_over");

	(void)state;
	assert_true(json_is_array(list));
	assert_int_equal(json_array_size(list), 0);
	json_decref(summary);
	memcpy(g_fixture.options.fail_over, limits, sizeof(limits));
	g_fixture.options.fail_over_count = LENGTH(limits);
	histogram_init(&run->results[SD_PROTOCOL_generation].floor_ns);
	summary = parse(summary_text(run));
	list = json_object_get(summary, "fail_over");
	assert_int_equal(json_array_size(list), 3);
	first = json_array_get(list, 0);
	check_string(first, "figure", "ipi:wall.max");
	assert_int_equal(count_in(first, "limit_ns"), 129899);
	assert_int_equal(count_in(first, "value_ns"), 129900);
	assert_true(json_is_true(json_object_get(first, "exceeded")));
	assert_true(json_is_false(json_object_get(json_array_get(list, 1), "exceeded")));
	last = json_array_get(list, 2);
	check_string(last, "figure", "generation:floor.p50");
	assert_null(json_object_get(last, "value_ns"));
	assert_true(json_is_false(json_object_get(last, "exceeded")));
	json_decref(summary);
}

static void a_policy_is_named_with_its_steps(void **state)
{
	struct run_results *run = fixture_reset();
	json_t *summary, *steps;

	(void)state;
	for (enum preempt preempt = PREEMPT_SLICE; preempt <= PREEMPT_HOST; preempt++) {
		g_fixture.options.preempt = preempt;
		g_fixture.options.steps = 1 << SD_STEP_READ | 1 << SD_STEP_PUBLISH;
		summary = parse(summary_text(run));
		check_string(summary, "preempt", preempt_name(preempt));
		steps = json_object_get(summary, "steps");
		if (preempt == PREEMPT_AT_STEP) {
			assert_int_equal(json_array_size(steps), 2);
			assert_string_equal(json_string_value(json_array_get(steps, 0)), "read");
			assert_string_equal(json_string_value(json_array_get(steps, 1)), "publish");
		} else {
			assert_null(steps);
		}
		json_decref(summary);
	}
}

/* No statistics, no figures: 0 would be a claim. */
static void marks_are_there_where_kvm_counts_them(void **state)
{
	struct run_results *run = fixture_reset();
	json_t *summary;

	(void)state;
	run->results[0].kvm_reported = 5;
	run->results[0].kvm_other = 6;
	summary = parse(summary_text(run));
	assert_null(json_object_get(protocol_at(summary, 0), "kvm_reported"));
	assert_null(json_object_get(protocol_at(summary, 0), "kvm_other"));
	json_decref(summary);
	run->kvm_counts_marks = true;
	run->by_page = true;
	summary = parse(summary_text(run));
	assert_int_equal(count_in(protocol_at(summary, 0), "kvm_reported"), 5);
	assert_int_equal(count_in(protocol_at(summary, 0), "kvm_other"), 6);
	assert_int_equal(count_in(protocol_at(summary, 1), "kvm_reported"), 0);
	assert_true(json_is_true(json_object_get(summary, "by_page")));
	json_decref(summary);
}

/* What was not counted is not 0. */
static void flushes_done_are_there_where_they_are_counted(void **state)
{
	struct run_results *run = fixture_reset();
	json_t *summary;

	(void)state;
	run->results[1].entry_flushes_asked = 11;
	run->results[1].entry_flushes_done = 12;
	summary = parse(summary_text(run));
	assert_int_equal(count_in(protocol_at(summary, 1), "entry_flushes_asked"), 11);
	assert_null(json_object_get(protocol_at(summary, 1), "entry_flushes_done"));
	json_decref(summary);
	g_fixture.options.extras = 1 << EXTRA_FLUSHES;
	summary = parse(summary_text(run));
	assert_int_equal(count_in(protocol_at(summary, 1), "entry_flushes_asked"), 11);
	assert_int_equal(count_in(protocol_at(summary, 1), "entry_flushes_done"), 12);
	assert_int_equal(count_in(protocol_at(summary, 0), "entry_flushes_done"), 0);
	json_decref(summary);
}

static void fill_walks(struct protocol_result *result)
{
	result->walks = 201;
	result->walks_poisoned = 202;
	result->walks_reused = 203;
	result->tables_freed = 204;
	result->tables_held_max = 205;
	result->graces = 206;
	result->grace_ns = 207;
}

/* Other workloads walk no tables: 0 would be a claim. */
static void walks_are_there_in_a_teardown(void **state)
{
	struct run_results *run = fixture_reset();
	const json_t *protocol;
	json_t *summary;

	(void)state;
	for (enum workload workload = WORKLOAD_TOGGLE; workload < WORKLOAD_TEARDOWN; workload++) {
		g_fixture.options.workload = workload;
		fill_walks(&run->results[0]);
		summary = parse(summary_text(run));
		for (size_t i = 0; i < LENGTH(g_walk_members); i++)
			assert_null(json_object_get(protocol_at(summary, 0),
						    g_walk_members[i].key));
		json_decref(summary);
	}
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	g_fixture.options.table_free = TABLE_FREE_NOW;
	summary = parse(summary_text(run));
	check_string(summary, "workload", "teardown");
	check_string(summary, "table_free", "now");
	protocol = protocol_at(summary, 0);
	check_members(protocol, g_walk_members, LENGTH(g_walk_members));
	assert_int_equal(count_in(protocol, "walks"), 201);
	assert_int_equal(count_in(protocol, "bad_walks"), 405);
	assert_int_equal(count_in(protocol, "walks_poisoned"), 202);
	assert_int_equal(count_in(protocol, "walks_reused"), 203);
	assert_int_equal(count_in(protocol, "tables_freed"), 204);
	assert_int_equal(count_in(protocol, "tables_held_max"), 205);
	assert_int_equal(count_in(protocol, "graces"), 206);
	assert_int_equal(count_in(protocol, "grace_ns"), 207);
	assert_int_equal(count_in(protocol_at(summary, 1), "walks"), 0);
	json_decref(summary);
}

static void rounds_stand_one_by_one(void **state)
{
	static struct round_figure figures[3] = {
		{ .flushes = 600, .measured_ns = 1500000000, .decisions = 70,
		  .decisions_digest = 10 },
		{ .flushes = 400, .measured_ns = 500000000, .decisions = 80,
		  .decisions_digest = UINT64_C(0xfedcba9876543210) },
		{ .flushes = 99, .measured_ns = 1, .decisions = 99, .decisions_digest = 99 },
	};
	struct run_results *run = fixture_reset();
	json_t *summary, *rounds;

	(void)state;
	run->results[0].by_round = figures;
	run->results[0].rounds = 2;     /* the third was never run */
	summary = parse(summary_text(run));
	rounds = json_object_get(protocol_at(summary, 0), "by_round");
	assert_int_equal(json_array_size(rounds), 2);
	assert_int_equal(count_in(json_array_get(rounds, 0), "flushes"), 600);
	check_real(json_array_get(rounds, 0), "flushes_per_s", 400.0);
	assert_int_equal(count_in(json_array_get(rounds, 1), "flushes"), 400);
	check_real(json_array_get(rounds, 1), "flushes_per_s", 800.0);
	assert_null(json_object_get(json_array_get(rounds, 1), "decisions"));
	assert_null(json_object_get(json_array_get(rounds, 1), "decisions_digest"));
	assert_null(json_object_get(protocol_at(summary, 1), "by_round"));
	json_decref(summary);

	g_fixture.options.preempt = PREEMPT_RANDOM;
	summary = parse(summary_text(run));
	rounds = json_object_get(protocol_at(summary, 0), "by_round");
	assert_int_equal(count_in(json_array_get(rounds, 0), "decisions"), 70);
	check_string(json_array_get(rounds, 0), "decisions_digest", "000000000000000a");
	assert_int_equal(count_in(json_array_get(rounds, 1), "decisions"), 80);
	check_string(json_array_get(rounds, 1), "decisions_digest", "fedcba9876543210");
	json_decref(summary);

	run->results[0].rounds = 0;
	summary = parse(summary_text(run));
	rounds = json_object_get(protocol_at(summary, 0), "by_round");
	assert_true(json_is_array(rounds));
	assert_int_equal(json_array_size(rounds), 0);
	json_decref(summary);
}

/* Each distribution under its own key. */
static void distributions_are_not_mixed_up(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = &run->results[1];
	struct histogram *const times[] = {
		&result->wall_ns, &result->stall_ns, &result->floor_ns, &result->pte_ns,
		&result->switch_ns,
	};
	json_t *summary = parse(summary_text(run));

	(void)state;
	for (size_t i = 0; i < LENGTH(g_times); i++)
		assert_int_equal(count_in(json_object_get(protocol_at(summary, 1), g_times[i]), "max"),
				 times[i]->max);
	json_decref(summary);
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

static void nothing_measured_gives_no_times(void **state)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = &run->results[0];
	const json_t *protocol;
	json_t *summary;

	(void)state;
	memset(result, 0, sizeof(*result));
	result->ipis = 5;               /* of a flush that was not recorded */
	histogram_init(&result->wall_ns);
	histogram_init(&result->stall_ns);
	histogram_init(&result->floor_ns);
	histogram_init(&result->pte_ns);
	histogram_init(&result->switch_ns);
	summary = parse(summary_text(run));
	protocol = protocol_at(summary, 0);
	check_members(protocol, g_protocol_members, LENGTH(g_protocol_members));
	check_real(protocol, "flushes_per_s", 0.0);
	check_real(protocol, "ipis_per_flush", 0.0);
	check_real(protocol, "deferred_per_flush", 0.0);
	check_real(protocol, "taken_pct", 0.0);
	for (size_t t = 0; t < LENGTH(g_times); t++) {
		const json_t *times = json_object_get(protocol, g_times[t]);

		for (size_t q = 0; q < LENGTH(g_quantiles); q++)
			assert_true(json_is_null(json_object_get(times, g_quantiles[q].key)));
		assert_int_equal(count_in(times, "samples"), 0);
	}
	json_decref(summary);
	assert_true(figure_flushes_per_s(result) == 0.0);
	assert_true(figure_per_flush(result, 5) == 0.0);
	assert_true(figure_taken_pct(result) == 0.0);
	assert_true(figure_round_per_s(&(struct round_figure){ .flushes = 5 }) == 0.0);
}

static void a_run_without_results_is_valid(void **state)
{
	struct run_results *run = fixture_reset();
	json_t *summary;

	(void)state;
	run->result_count = 0;
	run->argc = 0;
	run->slot_cpus = (struct cpus){ 0 };
	run->host.load_1m = NAN;
	summary = parse(summary_text(run));
	check_members(summary, g_run_members, LENGTH(g_run_members));
	assert_int_equal(json_array_size(json_object_get(summary, "protocols")), 0);
	json_decref(summary);
}

static void counts_beyond_63_bits_are_not_negative(void **state)
{
	struct run_results *run = fixture_reset();
	json_t *summary;

	(void)state;
	run->results[0].checks = UINT64_MAX;
	run->results[0].steal_ns = (uint64_t)INT64_MAX + 1;
	run->results[0].walks_poisoned = UINT64_MAX;
	run->results[0].walks_reused = 1;
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	histogram_record(&run->results[0].wall_ns, UINT64_MAX);
	g_fixture.options.seed = UINT64_MAX;
	summary = parse(summary_text(run));
	assert_int_equal(count_in(protocol_at(summary, 0), "checks"), INT64_MAX);
	assert_int_equal(count_in(protocol_at(summary, 0), "steal_ns"), INT64_MAX);
	assert_int_equal(count_in(protocol_at(summary, 0), "bad_walks"), INT64_MAX);
	assert_int_equal(count_in(json_object_get(protocol_at(summary, 0), "wall_ns"), "max"),
			 INT64_MAX);
	/* A seed must come back whole, so that the run can be repeated. */
	check_string(summary, "seed", "18446744073709551615");
	json_decref(summary);

	g_fixture.options.seed = INT64_MAX;
	summary = parse(summary_text(run));
	assert_int_equal(count_in(summary, "seed"), INT64_MAX);
	json_decref(summary);
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
	for (size_t i = 0; i < LENGTH(g_strings); i++) {
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
	static const char *const keys[] = {
		"ipi_round_trip_ns", "shootdown_floor_ns", "clock_ns", "gate_ns", "exit_ns",
		"kick_ns", "kick_flush_ns", "flush_on_entry_steal_ns", "flush_on_entry_sregs_ns",
		"futex_handover_ns", "slot_switch_ns",
	};
	static struct host_costs costs;
	struct histogram *const all[] = {
		&costs.ipi_round_trip_ns, &costs.shootdown_floor_ns, &costs.clock_ns,
		&costs.gate_ns, &costs.exit_ns, &costs.kick_ns, &costs.kick_flush_ns,
		&costs.flush_on_entry_steal_ns, &costs.flush_on_entry_sregs_ns,
		&costs.futex_handover_ns, &costs.slot_switch_ns,
	};
	json_t *json, *primitives;

	(void)state;
	for (size_t i = 0; i < LENGTH(all); i++) {
		histogram_init(all[i]);
		for (size_t n = 0; n < 1000 + i; n++)
			histogram_record(all[i], 1000 * i);
	}
	json = parse(host_text(fixture_reset(), &costs));
	assert_int_equal(count_in(json, "schema"), 1);
	check_string(json, "confine", "on");
	check_members(json_object_get(json, "host"), g_host_members, LENGTH(g_host_members));
	check_string(json_object_get(json, "host"), "kvm", "pvm");
	primitives = json_object_get(json, "primitives");
	assert_int_equal(json_object_size(primitives), LENGTH(keys));
	for (size_t i = 0; i < LENGTH(keys); i++) {
		const json_t *cost = json_object_get(primitives, keys[i]);

		check_members(cost, g_quantiles, LENGTH(g_quantiles));
		assert_int_equal(count_in(cost, "samples"), 1000 + i);
		assert_int_equal(count_in(cost, "max"), 1000 * i);
	}
	json_decref(json);
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
		cmocka_unit_test(every_key_is_there),
		cmocka_unit_test(the_run_is_described),
		cmocka_unit_test(a_protocol_is_described),
		cmocka_unit_test(the_payload_is_named),
		cmocka_unit_test(a_break_has_its_flush_and_every_vcpu),
		cmocka_unit_test(a_timeline_has_its_counts),
		cmocka_unit_test(exits_are_there_by_name),
		cmocka_unit_test(thresholds_have_their_figures),
		cmocka_unit_test(a_policy_is_named_with_its_steps),
		cmocka_unit_test(marks_are_there_where_kvm_counts_them),
		cmocka_unit_test(flushes_done_are_there_where_they_are_counted),
		cmocka_unit_test(walks_are_there_in_a_teardown),
		cmocka_unit_test(rounds_stand_one_by_one),
		cmocka_unit_test(distributions_are_not_mixed_up),
		cmocka_unit_test(safety_is_that_of_the_protocol),
		cmocka_unit_test(nothing_measured_gives_no_times),
		cmocka_unit_test(a_run_without_results_is_valid),
		cmocka_unit_test(counts_beyond_63_bits_are_not_negative),
		cmocka_unit_test(any_bytes_in_argv_are_kept),
		cmocka_unit_test(every_pair_of_bytes_is_taken),
		cmocka_unit_test(host_costs_have_their_keys),
		cmocka_unit_test(no_memory_gives_no_text),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
