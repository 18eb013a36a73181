// SPDX-License-Identifier: MIT
/*
 * table.c - the comparison table: what ran, a row a protocol, what to know.
 *
 * Owns:    nothing; no state. The text is ASCII, at most LINE_COLUMNS wide
 *          for protocol names of up to 16 characters.
 * Threads: any.
 * Tested:  tests/unit/table_shows_every_protocol_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "count.h"
#include "figure.h"
#include "line.h"

#define DISTURBED_LIMIT_PCT 2   /* as struct protocol_result says */

/* "-": the host's scheduler has slices of its own. */
static struct figure_text slice_text(const struct options *options)
{
	if (options->preempt == PREEMPT_HOST)
		return (struct figure_text){ "-" };
	return figure_time(options->slice_us * UINT64_C(1000));
}

/* Two lines; what may be long stands last, so that the seed is never cut. */
static void machine_print(FILE *out, const struct run_results *run)
{
	const struct options *options = run->options;
	char cpus[LINE_COLUMNS];

	cpus_text(cpus, sizeof(cpus), &run->slot_cpus);
	line_print(out, "%u vCPU%s on %u slot%s, slice %s, %u initiator%s, pause %s, seed %" PRIu64
		   ", CPUs %s",
		   options->vcpus, line_plural(options->vcpus),
		   options->slots, line_plural(options->slots),
		   slice_text(options).text,
		   options->initiators, line_plural(options->initiators),
		   figure_time(options->pace_us * UINT64_C(1000)).text, options->seed, cpus);
	line_print(out, "host kvm-%s on %s, entry flush by %s (%s), %s, %s", run->host.kvm,
		   figure_below(&run->host), figure_entry_flush(run->entry_flush),
		   figure_entry_flush_test(run), run->host.kernel, run->host.cpu);
}

/* As on the command line: "preempt at-step=posted,read". */
static void preempt_add(struct line_list *list, const struct options *options)
{
	char steps[LINE_COLUMNS] = "";
	size_t used = 0;

	for (uint32_t step = 0; step < SD_STEPS && used < sizeof(steps); step++)
		if (options->steps & UINT32_C(1) << step)
			used += (size_t)snprintf(steps + used, sizeof(steps) - used, "%s%s",
						 used > 0 ? "," : "=", step_name(step));
	line_list_add(list, "preempt %s%s", preempt_name(options->preempt), steps);
}

/* More lines, of what is not as by default. */
static void setup_print(FILE *out, const struct run_results *run)
{
	const struct options *options = run->options;
	struct line_list list;

	if (options->payload != NULL)
		line_print(out, "payload not the built-in one, its counts are claims: %s",
			   options->payload);
	line_list_begin(&list, out, "");
	if (options->workload != WORKLOAD_TOGGLE)
		line_list_add(&list, "workload %s", workload_name(options->workload));
	if (options->workload == WORKLOAD_TEARDOWN)
		line_list_add(&list, "tables freed %s", options->table_free == TABLE_FREE_RCU ?
			      "after a grace period" : "at once");
	if (options->pages > 1 || run->by_page)
		line_list_add(&list, "%u page%s%s", options->pages, line_plural(options->pages),
			      run->by_page ? " by page" : ", full flushes");
	if (options->sleepers > 0)
		line_list_add(&list, "%u sleeper%s", options->sleepers,
			      line_plural(options->sleepers));
	if (options->preempt != PREEMPT_SLICE)
		preempt_add(&list, options);
	if (options->ple_us > 0)
		line_list_add(&list, "PLE %s", figure_time(options->ple_us * UINT64_C(1000)).text);
	if (options->clear_pending)
		line_list_add(&list, "clear-pending");
	if (run->host.quota_cpus > 0)
		line_list_add(&list, "cgroup quota %s CPUs", figure_ratio(run->host.quota_cpus).text);
	if (options->confine != CONFINE_ON)
		line_list_add(&list, "confine %s", confine_name(options->confine));
	line_list_end(&list);
}

static int name_columns(const struct run_results *run)
{
	size_t columns = strlen("protocol");

	for (uint32_t i = 0; i < run->result_count; i++) {
		size_t length = strlen(protocol_name(run->results[i].protocol));

		columns = length > columns ? length : columns;
	}
	return (int)columns;
}

static void columns_print(FILE *out, int name)
{
	fprintf(out, "\n%-*s %5s %5s  %6s  %27s  %9s  %12s\n", name, "", "", "flush",
		"wall", "---------- stall ----------", "per flush", "-- oracle --");
	fprintf(out, "%-*s %5s %5s  %6s  %6s %6s %6s %6s  %4s %4s  %5s %6s\n", name, "protocol",
		"n", "per s", "p50", "p50", "p99", "p99.9", "max", "IPIs", "defd", "stale", "checks");
}

static void row_print(FILE *out, int name, const struct run_results *run,
		      const struct protocol_result *result)
{
	const struct histogram *stall_ns = &result->stall_ns;

	fprintf(out, "%-*s %5s %5s  %6s  %6s %6s %6s %6s  %4s %4s  %5s %6s %s%s%s%s\n",
		name, protocol_name(result->protocol), figure_count(result->flushes).text,
		figure_ratio(figure_flushes_per_s(result)).text,
		figure_quantile(&result->wall_ns, FIGURE_P50).text,
		figure_quantile(stall_ns, FIGURE_P50).text, figure_quantile(stall_ns, FIGURE_P99).text,
		figure_quantile(stall_ns, FIGURE_P999).text, figure_quantile(stall_ns, FIGURE_MAX).text,
		figure_ratio(figure_per_flush(result, result->ipis)).text,
		figure_ratio(figure_per_flush(result, result->deferred)).text,
		figure_count(result->stale).text, figure_count(result->checks).text,
		verdict_name(verdict_of_protocol(run, result)),
		result->disturbed ? "*" : "", result->dropped ? "+" : "",
		result->saturated ? "!" : "");
}

static void times_print(FILE *out, const char *what, const struct histogram *times_ns)
{
	if (times_ns->count == 0)
		line_print(out, "%s: not measured", what);
	else
		line_print(out, "%s: p50 %s, p99 %s, max %s, %s sample%s", what,
			   figure_quantile(times_ns, FIGURE_P50).text,
			   figure_quantile(times_ns, FIGURE_P99).text,
			   figure_quantile(times_ns, FIGURE_MAX).text,
			   figure_count(times_ns->count).text, line_plural(times_ns->count));
}

/* A time over all protocols: the histogram that is @member of a result. Their sum is not on
 * the stack, which may be smaller. */
static void all_times_print(FILE *out, const char *what, const struct run_results *run,
			    size_t member)
{
	struct histogram *all = malloc(sizeof(*all));

	if (all == NULL) {
		line_print(out, "%s: no memory", what);
		return;
	}
	histogram_init(all);
	for (uint32_t i = 0; i < run->result_count; i++)
		histogram_merge(all, (const struct histogram *)(const void *)
				((const char *)&run->results[i] + member));
	times_print(out, what, all);
	free(all);
}

/* What does not depend on the protocol, over all of them. */
static void costs_print(FILE *out, const struct run_results *run)
{
	all_times_print(out, "floor (one running target)", run,
			offsetof(struct protocol_result, floor_ns));
	all_times_print(out, "slot switch", run, offsetof(struct protocol_result, switch_ns));
	if (run->first_instruction_ns != 0)
		line_print(out, "last vCPU at its first instruction after %s",
			   figure_time(run->first_instruction_ns).text);
}

/* Of WORKLOAD_TEARDOWN: shown even where they are 0. */
static void walks_add(struct line_list *list, const struct options *options,
		      const struct protocol_result *result)
{
	uint64_t bad = figure_bad_walks(result);

	line_list_add(list, "%s walk%s", figure_count(result->walks).text,
		      line_plural(result->walks));
	line_list_add(list, "%s bad walk%s (%s poisoned, %s reused)", figure_count(bad).text,
		      line_plural(bad), figure_count(result->walks_poisoned).text,
		      figure_count(result->walks_reused).text);
	line_list_add(list, "%s table%s freed", figure_count(result->tables_freed).text,
		      line_plural(result->tables_freed));
	line_list_add(list, "%s held at most", figure_count(result->tables_held_max).text);
	if (options->table_free == TABLE_FREE_RCU)
		line_list_add(list, "%s grace period%s (mean %s)",
			      figure_count(result->graces).text, line_plural(result->graces),
			      result->graces == 0 ? "-" : figure_time(result->grace_ns).text);
}

/* The counts that show a protocol at work beyond IPIs and deferrals, as far as there are any. */
static void events_print(FILE *out, const struct options *options,
			 const struct protocol_result *result)
{
	const struct { uint64_t count; const char *one, *many; } events[] = {
		{ result->transfers, "transfer", "transfers" },
		{ result->takeovers, "takeover", "takeovers" },
		{ result->skipped, "skipped target", "skipped targets" },
		{ result->yields, "yield", "yields" },
		{ result->kicks, "kick", "kicks" },
		{ result->sleeps, "sleep", "sleeps" },
		{ result->wakes, "wake", "wakes" },
		{ result->spun, "spun slice", "spun slices" },
		{ result->steps, "park at a step", "parks at a step" },
		{ result->by_page, "by-page flush", "by-page flushes" },
		{ result->spurious_ipis, "spurious IPI", "spurious IPIs" },
		{ result->cleared_ipis, "cleared IPI", "cleared IPIs" },
	};
	struct line_list list;
	char head[64];

	snprintf(head, sizeof(head), "%s: ", protocol_name(result->protocol));
	line_list_begin(&list, out, head);
	if (options->workload == WORKLOAD_TEARDOWN)
		walks_add(&list, options, result);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (events[i].count > 0)
			line_list_add(&list, "%s %s", figure_count(events[i].count).text,
				      events[i].count == 1 ? events[i].one : events[i].many);
	line_list_end(&list);
}

/* Marks of all protocols together. */
struct marks {
	uint64_t reported;              /* by KVM */
	uint64_t other;                 /* scheduled out by the host, and not marked */
	uint64_t met;                   /* what protocols did for targets found preempted */
};

/* A protocol that interrupts nobody skips everybody. That does not say that any target was
 * preempted. */
static uint64_t met_of(const struct protocol_result *result)
{
	uint64_t met = result->deferred + result->takeovers + result->transfers + result->yields;

	if (result->ipis > 0)
		(void)count_add(&met, result->skipped);
	return met;
}

static struct marks marks_of(const struct run_results *run)
{
	struct marks marks = { 0 };

	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct protocol_result *result = &run->results[i];

		marks.reported += result->kvm_reported;
		marks.other += result->kvm_other;
		(void)count_add(&marks.met, met_of(result));
	}
	return marks;
}

/* --preempt host: only KVM marks a vCPU preempted, unless the VMM has parked it, as it does
 * with one that sleeps. NULL: what protocols do for such a vCPU may have been in effect. */
static const char *effect_missing(const struct run_results *run)
{
	const struct marks marks = marks_of(run);
	bool unmarked = run->kvm_counts_marks ? marks.reported == 0 : !run->host.marks_preempted;

	if (unmarked && marks.met > 0)
		return "KVM marked none: but for parked vCPUs, what protocols do for such was "
		       "never in effect";
	if (unmarked)
		return "no vCPU was marked preempted: what protocols do for such was never in effect";
	if (marks.met == 0)
		return "no target was found preempted: what protocols do for such was never in effect";
	return NULL;
}

static void host_marks_print(FILE *out, const struct run_results *run)
{
	const char *missing = effect_missing(run);

	for (uint32_t i = 0; i < run->result_count && run->kvm_counts_marks; i++) {
		const struct protocol_result *result = &run->results[i];

		line_print(out, "%s: KVM marked a vCPU %s time%s (preemption_reported), "
			   "%s not (preemption_other)", protocol_name(result->protocol),
			   figure_count(result->kvm_reported).text,
			   line_plural(result->kvm_reported),
			   figure_count(result->kvm_other).text);
	}
	if (missing)
		line_print(out, "preempt host: %s", missing);
}

/* KVM may mark vCPUs that the VMM has not parked. */
static void kvm_marks_print(FILE *out, const struct run_results *run)
{
	const struct marks marks = marks_of(run);

	if (!run->host.marks_preempted || !run->kvm_counts_marks)
		return;
	line_print(out, "KVM itself marked %s of %s preemption%s"
		   " (preemption_reported / reported + other)", figure_count(marks.reported).text,
		   figure_count(marks.reported + marks.other).text,
		   line_plural(marks.reported + marks.other));
}

static void entry_flushes_print(FILE *out, const struct run_results *run)
{
	uint64_t asked = 0, done = 0;

	for (uint32_t i = 0; i < run->result_count; i++) {
		asked += run->results[i].entry_flushes_asked;
		done += run->results[i].entry_flushes_done;
	}
	if (options_wants(run->options, EXTRA_FLUSHES))
		line_print(out, "flushes on entry: %s asked for in KVM's byte, %s done",
			   figure_count(asked).text, figure_count(done).text);
}

/* vCPUs that lost their CPU without the VMM, and sleepers, which are not preempted. */
static void preemption_print(FILE *out, const struct run_results *run)
{
	if (run->options->preempt == PREEMPT_HOST)
		host_marks_print(out, run);
	else
		kvm_marks_print(out, run);
	if (run->options->sleepers > 0)
		line_print(out, "sleepers: deferring one that sleeps goes beyond mainline, "
			   "which marks only preempted vCPUs");
}

/* What the user has asked for and may go wrong, whether it did or not. */
static void hazards_print(FILE *out, const struct run_results *run)
{
	struct line_list list;

	line_list_begin(&list, out,
			"tables freed at once, though a flush does not wait for every walker: ");
	for (uint32_t i = 0; i < run->result_count; i++)
		if (verdict_is_hazardous(run->options, run->results[i].protocol))
			line_list_add(&list, "%s", protocol_name(run->results[i].protocol));
	line_list_end(&list);
}

/* What a host hides, another one may show. */
static void verdict_print(FILE *out, const struct run_results *run, enum verdict verdict)
{
	const char *other = verdict == VERDICT_HIDDEN ? figure_kept_on(&run->host) : NULL;

	line_print(out, "%s: %s%s%s", verdict_name(verdict), verdict_words(verdict),
		   other != NULL ? "; see --on " : "", other != NULL ? other : "");
}

/* A line for each verdict in the table that needs words. */
static void verdicts_print(FILE *out, const struct run_results *run)
{
	for (enum verdict verdict = VERDICT_OK; verdict <= VERDICT_MISSED; verdict++)
		for (uint32_t i = 0; verdict_words(verdict) && i < run->result_count; i++)
			if (verdict_of_protocol(run, &run->results[i]) == verdict) {
				verdict_print(out, run, verdict);
				break;
			}
}

/* How far the oracle has seen, where that is not all. */
static void watched_print(FILE *out, const struct run_results *run)
{
	struct line_list list;

	line_list_begin(&list, out, "oracle, targets that looked before and after a flush: ");
	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct protocol_result *result = &run->results[i];

		if (result->flushes > 0 && result->targets_watched < result->targets)
			line_list_add(&list, "%s %u of %u", protocol_name(result->protocol),
				      result->targets_watched, result->targets);
	}
	line_list_end(&list);
}

/* What the marks after a row's verdict mean. */
static void row_marks_print(FILE *out, const struct run_results *run)
{
	uint64_t dropped = 0;
	double taken_pct = 0.0;
	bool disturbed = false, saturated = run->moved.saturated;

	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct protocol_result *result = &run->results[i];

		(void)count_add(&dropped, result->dropped);
		saturated |= result->saturated;
		disturbed |= result->disturbed;
		if (result->disturbed && figure_taken_pct(result) > taken_pct)
			taken_pct = figure_taken_pct(result);
	}
	if (disturbed)
		line_print(out, "* disturbed: up to %.1f %% of the slots' CPU time went elsewhere (limit %d %%)",
			   taken_pct, DISTURBED_LIMIT_PCT);
	if (dropped)
		line_print(out, "+ dropped: %s sample%s found the ring full and are not in the figures",
			   figure_count(dropped).text, line_plural(dropped));
	if (saturated)
		line_print(out, "! ran over: sums of the payload's counts do not fit, and stand at %s",
			   figure_count(UINT64_MAX).text);
}

static void moved_print(FILE *out, const struct run_results *run)
{
	const struct moved_pages *moved = &run->moved;

	if (run->options->reclaim_hz == 0)
		return;
	line_print(out, "moved %s page%s: %s of %s reads by the VMM wrong, %s of %s by vCPUs; "
		   "%s faults retried", figure_count(moved->moves).text, line_plural(moved->moves),
		   figure_count(moved->wrong).text, figure_count(moved->checks).text,
		   figure_count(moved->loads_wrong).text, figure_count(moved->loads).text,
		   figure_count(moved->retries).text);
}

static void notes_print(FILE *out, const struct run_results *run)
{
	uint32_t cpus = cpus_count(&run->slot_cpus);

	hazards_print(out, run);
	for (uint32_t i = 0; i < run->result_count; i++)
		events_print(out, run->options, &run->results[i]);
	preemption_print(out, run);
	entry_flushes_print(out, run);
	moved_print(out, run);
	watched_print(out, run);
	verdicts_print(out, run);
	row_marks_print(out, run);
	host_notes_print(out, run);
	if (run->options->slots > cpus)
		line_print(out, "%u slots on %u CPU%s: the host's scheduler is part of these figures",
			   run->options->slots, cpus, line_plural(cpus));
	if (run->trace.dropped > 0)
		line_print(out, "timeline: %s event%s found no room and %s missing",
			   figure_count(run->trace.dropped).text, line_plural(run->trace.dropped),
			   run->trace.dropped == 1 ? "is" : "are");
	if (run->interrupted)
		line_print(out, "interrupted: the figures cover what had run by then");
}

void table_print(FILE *out, const struct run_results *run)
{
	int name = name_columns(run);

	emulated_print(out, run);
	machine_print(out, run);
	setup_print(out, run);
	columns_print(out, name);
	for (uint32_t i = 0; i < run->result_count; i++)
		row_print(out, name, run, &run->results[i]);
	putc('\n', out);
	costs_print(out, run);
	notes_print(out, run);
}
