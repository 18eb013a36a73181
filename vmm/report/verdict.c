// SPDX-License-Identifier: MIT
/*
 * verdict.c - what the counts of a run prove.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/verdict_follows_the_counts_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include <inttypes.h>

#include "control.h"
#include "figure.h"
#include "line.h"

/* Of fewer flushes it may be that nobody could be late for any. */
#define CONTROL_FLUSHES_MIN 8

/*
 * Did the control leave a target unflushed? It says so by its skips. A control
 * that does nothing at all may have no skips to count, but then it has
 * interrupted and deferred nobody either. One that skips only preempted targets
 * and has met none has sent its IPIs: it is no worse than `ipi`. The first flush
 * of a job leaves nothing stale, because nobody has looked before it.
 */
static bool control_was_exercised(const struct protocol_result *result)
{
	return result->flushes >= CONTROL_FLUSHES_MIN &&
		(result->skipped > 0 || (result->ipis == 0 && result->deferred == 0));
}

bool verdict_is_hazardous(const struct options *options, enum sd_protocol protocol)
{
	return options->workload == WORKLOAD_TEARDOWN && options->table_free == TABLE_FREE_NOW &&
		protocol_walkers(protocol) == SD_WALKERS_MISSED;
}

/* A grace period holds a table back whatever the flush does: after it, bad walks are wrong
 * under a control too. */
static enum verdict verdict_of_bad_walks(const struct options *options, enum sd_protocol protocol)
{
	if (!verdict_is_hazardous(options, protocol))
		return VERDICT_FREED;
	return protocol_kind(protocol) == SD_KIND_CONTROL ? VERDICT_CAUGHT : VERDICT_HAZARD;
}

/*
 * Where every exit drops a vCPU's translations, only a vCPU that runs from the PTE stores to
 * the end of the flush can be late for it. Is there such a target? Not where the initiator
 * has the only CPU. Not where the initiator is parked in between, either: that is long
 * enough for the others to be parked as well.
 */
static bool a_target_stays(const struct run_results *run)
{
	const uint32_t between = UINT32_C(1) << SD_STEP_POSTED | UINT32_C(1) << SD_STEP_PUBLISH;
	const struct options *options = run->options;

	if (options->slots < 2 || cpus_count(&run->slot_cpus) < 2 ||
	    options->vcpus - options->sleepers < 2)
		return false;
	return options->vcpus == options->slots || !(options->steps & between);
}

/* Of one with neither stale loads nor bad walks. */
static enum verdict verdict_of_control(const struct run_results *run,
				       const struct protocol_result *result)
{
	if (run->options->workload == WORKLOAD_TEARDOWN || !control_was_exercised(result))
		return VERDICT_IDLE;
	/* A control that flushes whoever runs can only be caught by a vCPU that brings old
	 * translations back from its park. */
	if (!run->exit_keeps_stale && (result->ipis > 0 || !a_target_stays(run)))
		return VERDICT_HIDDEN;
	return VERDICT_MISSED;
}

static enum verdict verdict_of_counts(const struct run_results *run,
				      const struct protocol_result *result)
{
	bool control = protocol_kind(result->protocol) == SD_KIND_CONTROL;

	if (protocol_kind(result->protocol) == SD_KIND_UNSAFE)
		return VERDICT_UNSAFE;
	if (result->stale > 0)
		return control ? VERDICT_CAUGHT : VERDICT_STALE;
	if (run->options->workload == WORKLOAD_TEARDOWN && figure_bad_walks(result) > 0)
		return verdict_of_bad_walks(run->options, result->protocol);
	/* One vCPU has no target to flush and nobody to look. */
	if (result->flushes == 0 || run->options->vcpus < 2)
		return VERDICT_IDLE;
	if (control)
		return verdict_of_control(run, result);
	if (verdict_is_hazardous(run->options, result->protocol))
		return VERDICT_HAZARD;
	if (result->checks == 0 || result->targets_watched == 0)
		return VERDICT_BLIND;
	return result->targets_watched < result->targets ? VERDICT_PARTLY : VERDICT_OK;
}

enum verdict verdict_of_protocol(const struct run_results *run,
				 const struct protocol_result *result)
{
	enum verdict verdict = verdict_of_counts(run, result);

	if (run->options->payload != NULL &&
	    (verdict == VERDICT_OK || verdict == VERDICT_PARTLY || verdict == VERDICT_CAUGHT))
		return VERDICT_CLAIMED;
	return verdict;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_CAUGHT] = "caught",
		[VERDICT_CLAIMED] = "claimed",
		[VERDICT_PARTLY] = "partly",
		[VERDICT_IDLE] = "idle",
		[VERDICT_BLIND] = "blind",
		[VERDICT_UNSAFE] = "unsafe",
		[VERDICT_HIDDEN] = "hidden",
		[VERDICT_STALE] = "STALE",
		[VERDICT_HAZARD] = "hazard",
		[VERDICT_FREED] = "FREED",
		[VERDICT_MISSED] = "MISSED",
	};

	return names[verdict];
}

const char *verdict_words(enum verdict verdict)
{
	static const char *const words[] = {
		[VERDICT_OK] = NULL,
		[VERDICT_CAUGHT] = "a control loses flushes by design; its stale loads or bad "
				   "walks prove that such are seen",
		[VERDICT_CLAIMED] = "by the counts of a payload that is not the built-in one, "
				    "which may be any",
		[VERDICT_IDLE] = "not exercised, or nobody looked for what it loses: nothing is "
				 "proved",
		[VERDICT_PARTLY] = "too few flushes for every target to look before and after one",
		[VERDICT_BLIND] = "nobody looked before and after a flush, so 0 stale loads prove "
				  "nothing",
		[VERDICT_UNSAFE] = "known to lose flushes now and then; measured for comparison, "
				   "not relied on",
		[VERDICT_HIDDEN] = "an exit empties the TLB here: what this control loses "
				   "cannot be seen",
		[VERDICT_STALE] = "declared safe, but used translations older than a flush that "
				  "had returned",
		[VERDICT_HAZARD] = "tables freed at once, and not every target is interrupted: "
				   "walkers may meet freed tables",
		[VERDICT_FREED] = "walkers met freed tables, which the flush or a grace period "
				  "had to hold back",
		[VERDICT_MISSED] = "a control ran and was not caught: stale loads are not seen "
				   "here, 0 proves nothing",
	};

	return words[verdict];
}

static void say_stale(FILE *messages, const struct protocol_result *result)
{
	fprintf(messages,
		"%s: declared safe, but %" PRIu64 " stale load%s in %" PRIu64 " checks "
		"(one saw epoch %" PRIu64 " where %" PRIu64 " was published)\n",
		protocol_name(result->protocol), result->stale, line_plural(result->stale),
		result->checks, result->stale_saw, result->stale_expected);
}

static void say_missed(FILE *messages, const struct protocol_result *result)
{
	fprintf(messages,
		"%s: a control, and none of %" PRIu64 " checks caught it in %" PRIu64 " flushes: "
		"this run cannot show stale translations\n",
		protocol_name(result->protocol), result->checks, result->flushes);
}

static void say_freed(FILE *messages, const struct protocol_result *result)
{
	uint64_t bad = figure_bad_walks(result);

	fprintf(messages, "%s: a walker met %" PRIu64 " freed table%s in %" PRIu64 " walk%s\n",
		protocol_name(result->protocol), bad, line_plural(bad), result->walks,
		line_plural(result->walks));
}

static void say_moved(FILE *messages, const struct moved_pages *moved)
{
	fprintf(messages,
		"moved pages: %" PRIu64 " of %" PRIu64 " reads by the VMM and %" PRIu64 " of %"
		PRIu64 " by vCPUs were not what stands there\n",
		moved->wrong, moved->checks, moved->loads_wrong, moved->loads);
}

enum exit_status verdict_of(const struct run_results *run, FILE *messages)
{
	enum exit_status status = EXIT_OK;

	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct protocol_result *result = &run->results[i];
		enum verdict verdict = verdict_of_protocol(run, result);

		if (verdict == VERDICT_STALE)
			say_stale(messages, result);
		else if (verdict == VERDICT_FREED)
			say_freed(messages, result);
		else if (verdict == VERDICT_MISSED)
			say_missed(messages, result);
		else
			continue;
		status = EXIT_WRONG;
	}
	if (run->options->reclaim_hz != 0 &&
	    (run->moved.wrong != 0 || run->moved.loads_wrong != 0)) {
		say_moved(messages, &run->moved);
		status = EXIT_WRONG;
	}
	return status;
}
