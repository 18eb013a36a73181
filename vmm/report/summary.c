// SPDX-License-Identifier: MIT
/*
 * summary.c - summary.json and the JSON of --host.
 *
 * Owns:    nothing beyond a call; the text belongs to the caller.
 * Threads: one at a time: jansson seeds its hash once.
 * Tested:  tests/unit/summary_has_the_promised_shape_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include <inttypes.h>
#include <jansson.h>

#include "control.h"
#include "figure.h"
#include "json_part.h"

#ifndef VMM_VERSION
#define VMM_VERSION "unknown"
#endif

#define SCHEMA 1

void report_prepare(void)
{
	tzset();
	json_object_seed(0);
}

/* RFC 3339, UTC, milliseconds. */
static void put_time(struct json_part *object, const char *key, const struct timespec *when)
{
	struct tm tm = { .tm_mday = 1, .tm_year = 70 };
	char second[32], text[48];

	gmtime_r(&when->tv_sec, &tm);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", second, (int)(when->tv_nsec / 1000000));
	part_put_text(object, key, text);
}

/* null: not measured, or too few samples for it. */
static void put_distribution(struct json_part *object, const char *key,
			     const struct histogram *values)
{
	struct json_part part = part_new();

	for (enum figure_quantile i = 0; i < FIGURE_QUANTILES; i++) {
		uint64_t value_ns;

		if (figure_quantile_ns(values, i, &value_ns))
			part_put_count(&part, figure_quantile_name(i), value_ns);
		else
			part_put_null(&part, figure_quantile_name(i));
	}
	part_put_count(&part, "samples", values->count);
	part_put_part(object, key, part);
}

static void put_counts(struct json_part *object, const struct protocol_result *result)
{
	part_put_count(object, "over_quarter_slice", result->over_quarter_slice);
	part_put_count(object, "checks", result->checks);
	part_put_count(object, "stale", result->stale);
	part_put_count(object, "targets", result->targets);
	part_put_count(object, "targets_watched", result->targets_watched);
	part_put_real(object, "watched_per_flush", figure_per_flush(result, result->watched));
	part_put_flag(object, "disturbed", result->disturbed);
	part_put_real(object, "ipis_per_flush", figure_per_flush(result, result->ipis));
	part_put_real(object, "deferred_per_flush", figure_per_flush(result, result->deferred));
	part_put_count(object, "switches", result->switches);
	part_put_count(object, "dropped", result->dropped);
	part_put_flag(object, "saturated", result->saturated);
	part_put_count(object, "sample_ns", result->sample_ns);
	part_put_real(object, "taken_pct", figure_taken_pct(result));
	part_put_count(object, "vcpu_cpu_ns", result->vcpu_cpu_ns);
	part_put_count(object, "steal_ns", result->steal_ns);
	part_put_count(object, "involuntary_switches", result->involuntary_switches);
	part_put_count(object, "throttles", result->throttles);
	part_put_count(object, "throttled_ns", result->throttled_ns);
	part_put_count(object, "strayed", result->strayed);
	part_put_count(object, "clipped", result->clipped);
	part_put_count(object, "rounds", result->rounds);
}

/* Counts of what a protocol did, and of what took vCPUs off their CPU. */
static void put_events(struct json_part *object, const struct run_results *run,
		       const struct protocol_result *result)
{
	part_put_count(object, "transfers", result->transfers);
	part_put_count(object, "takeovers", result->takeovers);
	part_put_count(object, "spurious_ipis", result->spurious_ipis);
	part_put_count(object, "cleared_ipis", result->cleared_ipis);
	part_put_count(object, "skipped", result->skipped);
	part_put_count(object, "yields", result->yields);
	part_put_count(object, "kicks", result->kicks);
	part_put_count(object, "sleeps", result->sleeps);
	part_put_count(object, "wakes", result->wakes);
	part_put_count(object, "spun", result->spun);
	part_put_count(object, "steps", result->steps);
	part_put_count(object, "by_page", result->by_page);
	part_put_count(object, "entry_flushes_asked", result->entry_flushes_asked);
	if (options_wants(run->options, EXTRA_FLUSHES))
		part_put_count(object, "entry_flushes_done", result->entry_flushes_done);
	if (!run->kvm_counts_marks)
		return;
	part_put_count(object, "kvm_reported", result->kvm_reported);
	part_put_count(object, "kvm_other", result->kvm_other);
}

/* Walks of page tables while these are torn down. */
static void put_walks(struct json_part *object, const struct protocol_result *result)
{
	part_put_count(object, "walks", result->walks);
	part_put_count(object, "bad_walks", figure_bad_walks(result));
	part_put_count(object, "walks_poisoned", result->walks_poisoned);
	part_put_count(object, "walks_reused", result->walks_reused);
	part_put_count(object, "tables_freed", result->tables_freed);
	part_put_count(object, "tables_held_max", result->tables_held_max);
	part_put_count(object, "graces", result->graces);
	part_put_count(object, "grace_ns", result->grace_ns);
}

/* A digest is text: jansson's integers are signed. */
static struct json_part round_part(const struct options *options, const struct round_figure *round)
{
	struct json_part object = part_new();
	char digest[17];

	part_put_count(&object, "flushes", round->flushes);
	part_put_real(&object, "flushes_per_s", figure_round_per_s(round));
	if (options->preempt == PREEMPT_RANDOM) {
		snprintf(digest, sizeof(digest), "%016" PRIx64, round->decisions_digest);
		part_put_count(&object, "decisions", round->decisions);
		part_put_text(&object, "decisions_digest", digest);
	}
	return object;
}

/* The kinds of exit that there were, by name. */
static void put_exits(struct json_part *object, const struct protocol_result *result)
{
	struct json_part exits = part_new();

	for (uint32_t kind = 0; kind < EXIT_KINDS; kind++) {
		const struct exit_figure *figure = &result->exits[kind];
		struct json_part part;

		if (figure->count == 0)
			continue;
		part = part_new();
		part_put_count(&part, "count", figure->count);
		part_put_count(&part, "total_ns", figure->total_ns);
		part_put_count(&part, "max_ns", figure->max_ns);
		part_put_part(&exits, exit_kind_name(kind), part);
	}
	part_put_part(object, "exits", exits);
}

static void put_rounds(struct json_part *object, const struct options *options,
		       const struct protocol_result *result)
{
	json_t *rounds;

	if (result->by_round == NULL)
		return;
	rounds = json_array();
	for (uint32_t i = 0; i < result->rounds; i++)
		part_append_part(object, rounds, round_part(options, &result->by_round[i]));
	part_put(object, "by_round", rounds);
}

static struct json_part protocol_part(const struct run_results *run,
				      const struct protocol_result *result)
{
	struct json_part object = part_new();

	part_put_text(&object, "name", protocol_name(result->protocol));
	part_put_flag(&object, "safe", protocol_kind(result->protocol) == SD_KIND_SAFE);
	part_put_text(&object, "verdict", verdict_name(verdict_of_protocol(run, result)));
	part_put_count(&object, "flushes", result->flushes);
	part_put_real(&object, "flushes_per_s", figure_flushes_per_s(result));
	put_distribution(&object, "wall_ns", &result->wall_ns);
	put_distribution(&object, "stall_ns", &result->stall_ns);
	put_distribution(&object, "floor_ns", &result->floor_ns);
	put_distribution(&object, "pte_ns", &result->pte_ns);
	put_distribution(&object, "switch_ns", &result->switch_ns);
	put_counts(&object, result);
	put_events(&object, run, result);
	if (run->options->workload == WORKLOAD_TEARDOWN)
		put_walks(&object, result);
	put_exits(&object, result);
	put_rounds(&object, run->options, result);
	return object;
}

static struct json_part host_part(const struct host_facts *host)
{
	struct json_part object = part_new();

	part_put_text(&object, "kvm", host->kvm);
	part_put_text(&object, "below", host->below);
	part_put_flag(&object, "emulated", host->emulated);
	part_put_text(&object, "kernel", host->kernel);
	part_put_text(&object, "cpu", host->cpu);
	part_put_text(&object, "mitigations", host->mitigations);
	part_put_text(&object, "clocksource", host->clocksource);
	part_put_count(&object, "clock_step_ns", host->clock_step_ns);
	part_put(&object, "quota_cpus", host->quota_cpus > 0 ? json_real(host->quota_cpus)
							     : json_null());
	part_put_count(&object, "cpus_online", host->cpus_online);
	part_put_count(&object, "max_vcpus", host->max_vcpus);
	part_put_count(&object, "tsc_hz", host->tsc_hz);
	part_put_count(&object, "pv_features", host->pv_features);
	part_put_flag(&object, "marks_preempted", host->marks_preempted);
	part_put_real(&object, "load_1m", host->load_1m);
	return object;
}

static void put_lists(struct json_part *object, const struct run_results *run)
{
	json_t *command = json_array(), *cpus = json_array(), *protocols = json_array();

	for (int i = 0; i < run->argc; i++)
		part_append(object, command, part_string(run->argv[i]));
	for (uint32_t cpu = cpus_next(&run->slot_cpus, 0); cpu < CPUS_MAX;
	     cpu = cpus_next(&run->slot_cpus, cpu + 1))
		part_append(object, cpus, json_integer((json_int_t)cpu));
	for (uint32_t i = 0; i < run->result_count; i++)
		part_append_part(object, protocols, protocol_part(run, &run->results[i]));
	part_put(object, "command", command);
	part_put(object, "cpus", cpus);
	part_put(object, "protocols", protocols);
}

/* A seed that a signed integer cannot hold must not be cut: it goes out as text. */
static void put_seed(struct json_part *object, uint64_t seed)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, seed);
	if (seed > INT64_MAX)
		part_put_text(object, "seed", text);
	else
		part_put_count(object, "seed", seed);
}

/* "claimed": the counts made in the guest are the word of a payload that is not ours. */
static void put_payload(struct json_part *object, const struct options *options)
{
	part_put_text(object, "payload", options->payload == NULL ? "built-in" : options->payload);
	part_put_flag(object, "claimed", options->payload != NULL);
}

static void put_machine(struct json_part *object, const struct options *options)
{
	part_put_count(object, "vcpus", options->vcpus);
	part_put_count(object, "slots", options->slots);
	part_put_count(object, "overcommit", options->overcommit);
	part_put_count(object, "slice_us", options->slice_us);
	part_put_count(object, "ple_us", options->ple_us);
	part_put_count(object, "sleepers", options->sleepers);
	part_put_flag(object, "clear_pending", options->clear_pending);
	part_put_text(object, "workload", workload_name(options->workload));
	part_put_text(object, "table_free", table_free_name(options->table_free));
	part_put_count(object, "pages", options->pages);
	part_put_count(object, "initiators", options->initiators);
	part_put_count(object, "pace_us", options->pace_us);
	part_put_count(object, "reclaim_hz", options->reclaim_hz);
}

/* --preempt; its steps, where it has any, as a list. */
static void put_preempt(struct json_part *object, const struct options *options)
{
	json_t *steps;

	part_put_text(object, "preempt", preempt_name(options->preempt));
	if (options->preempt != PREEMPT_AT_STEP)
		return;
	steps = json_array();
	for (uint32_t step = 0; step < SD_STEPS; step++)
		if (options->steps & UINT32_C(1) << step)
			part_append(object, steps, part_string(step_name(step)));
	part_put(object, "steps", steps);
}

/* Which way, and what its test has shown. */
static void put_entry_flush(struct json_part *object, const struct run_results *run)
{
	part_put_text(object, "entry_flush", figure_entry_flush(run->entry_flush));
	part_put_flag(object, "entry_flush_tested", run->entry_flush_tested);
	part_put_flag(object, "steal_failed", run->steal_failed != 0);
	part_put_flag(object, "exit_keeps_stale", run->exit_keeps_stale);
}

/* What the run has found out and how it went. */
static void put_findings(struct json_part *object, const struct run_results *run)
{
	part_put_flag(object, "by_page", run->by_page);
	put_entry_flush(object, run);
	part_put_flag(object, "interrupted", run->interrupted);
	part_put_count(object, "first_instruction_ns", run->first_instruction_ns);
}

/* With --reclaim. */
static struct json_part shadow_part(const struct options *options,
				    const struct moved_pages *moved)
{
	struct json_part object = part_new();

	part_put_text(&object, "reclaim", shadow_reclaim_name(options->shadow_reclaim));
	part_put_count(&object, "moves", moved->moves);
	part_put_count(&object, "checks", moved->checks);
	part_put_count(&object, "wrong", moved->wrong);
	part_put_count(&object, "loads", moved->loads);
	part_put_count(&object, "loads_wrong", moved->loads_wrong);
	part_put_flag(&object, "saturated", moved->saturated);
	part_put_count(&object, "walks", moved->walks);
	part_put_count(&object, "faults", moved->faults);
	part_put_count(&object, "retries", moved->retries);
	part_put_count(&object, "tables_freed", moved->tables_freed);
	part_put_count(&object, "tables_held_most", moved->tables_held_most);
	return object;
}

/* --fail-over. A figure that was not measured has no value. */
static void put_thresholds(struct json_part *object, const struct run_results *run)
{
	json_t *thresholds = json_array();

	for (uint32_t i = 0; i < run->options->fail_over_count; i++) {
		const struct figure_limit *limit = &run->options->fail_over[i];
		struct json_part part = part_new();
		char name[FIGURE_KEY_BYTES];
		uint64_t value_ns;
		enum threshold threshold = threshold_of(run, limit, &value_ns);

		figure_key_text(name, &limit->key);
		part_put_text(&part, "figure", name);
		part_put_count(&part, "limit_ns", limit->limit_ns);
		if (threshold != THRESHOLD_UNMEASURED)
			part_put_count(&part, "value_ns", value_ns);
		part_put_flag(&part, "exceeded", threshold == THRESHOLD_EXCEEDED);
		part_append_part(object, thresholds, part);
	}
	part_put(object, "fail_over", thresholds);
}

/* The timeline, if there is one. */
static void put_trace(struct json_part *object, const struct run_results *run)
{
	struct json_part part;

	if (run->options->trace == NULL)
		return;
	part = part_new();
	part_put_count(&part, "slices", run->trace.slices);
	part_put_count(&part, "arrows", run->trace.arrows);
	part_put_count(&part, "arrows_lost", run->trace.arrows_lost);
	part_put_count(&part, "dropped", run->trace.dropped);
	part_put_part(object, "trace", part);
}

char *summary_text(const struct run_results *run)
{
	struct json_part object = part_new();

	part_put_count(&object, "schema", SCHEMA);
	part_put_text(&object, "version", VMM_VERSION);
	part_put_text(&object, "confine", confine_name(run->options->confine));
	put_seed(&object, run->options->seed);
	put_time(&object, "started", &run->started);
	put_time(&object, "ended", &run->ended);
	part_put_part(&object, "host", host_part(&run->host));
	put_payload(&object, run->options);
	put_machine(&object, run->options);
	put_preempt(&object, run->options);
	put_findings(&object, run);
	if (run->options->reclaim_hz != 0)
		part_put_part(&object, "shadow", shadow_part(run->options, &run->moved));
	put_thresholds(&object, run);
	put_trace(&object, run);
	if (run->options->break_over_us != 0) {
		part_put_count(&object, "break_over_us", run->options->break_over_us);
		part_put_flag(&object, "broke", run->broke.broke);
	}
	put_lists(&object, run);
	return part_text(object);
}

static struct json_part litmus_part(const struct litmus_result *result)
{
	struct json_part object = part_new();

	part_put_text(&object, "name", result->name);
	part_put_text(&object, "hazard", result->hazard);
	part_put_text(&object, "protocol", result->protocol);
	part_put_text(&object, "expected", result->loses ? "lost" : "never");
	part_put_text(&object, "observed", litmus_observed(result));
	part_put_flag(&object, "ok", litmus_is_expected(result));
	if (litmus_skipped(result) != NULL)
		part_put_text(&object, "skip", litmus_skipped(result));
	part_put_count(&object, "rounds", result->rounds);
	part_put_count(&object, "complete", result->complete);
	part_put_count(&object, "lost", result->lost);
	part_put_count(&object, "checks", result->checks);
	part_put_count(&object, "stale", result->stale);
	return object;
}

char *litmus_text(const struct run_results *run, const struct litmus_result *results,
		  uint32_t count)
{
	struct json_part object = part_new();
	json_t *command = json_array(), *litmuses = json_array();

	part_put_count(&object, "schema", SCHEMA);
	part_put_text(&object, "version", VMM_VERSION);
	put_time(&object, "started", &run->started);
	put_time(&object, "ended", &run->ended);
	part_put_part(&object, "host", host_part(&run->host));
	put_entry_flush(&object, run);
	part_put_flag(&object, "interrupted", run->interrupted);
	for (int i = 0; i < run->argc; i++)
		part_append(&object, command, part_string(run->argv[i]));
	for (uint32_t i = 0; i < count; i++)
		part_append_part(&object, litmuses, litmus_part(&results[i]));
	part_put(&object, "command", command);
	part_put(&object, "litmus", litmuses);
	return part_text(object);
}

char *host_text(const struct run_results *run, const struct host_costs *costs)
{
	struct json_part object = part_new(), primitives = part_new();

	part_put_count(&object, "schema", SCHEMA);
	put_payload(&object, run->options);
	part_put_text(&object, "confine", confine_name(run->options->confine));
	part_put_part(&object, "host", host_part(&run->host));
	put_distribution(&primitives, "ipi_round_trip_ns", &costs->ipi_round_trip_ns);
	put_distribution(&primitives, "shootdown_floor_ns", &costs->shootdown_floor_ns);
	put_distribution(&primitives, "clock_ns", &costs->clock_ns);
	put_distribution(&primitives, "gate_ns", &costs->gate_ns);
	put_distribution(&primitives, "exit_ns", &costs->exit_ns);
	put_distribution(&primitives, "kick_ns", &costs->kick_ns);
	put_distribution(&primitives, "kick_flush_ns", &costs->kick_flush_ns);
	put_distribution(&primitives, "flush_on_entry_steal_ns", &costs->flush_on_entry_steal_ns);
	put_distribution(&primitives, "flush_on_entry_sregs_ns", &costs->flush_on_entry_sregs_ns);
	put_distribution(&primitives, "futex_handover_ns", &costs->futex_handover_ns);
	put_distribution(&primitives, "slot_switch_ns", &costs->slot_switch_ns);
	part_put_part(&object, "primitives", primitives);
	return part_text(object);
}
