// SPDX-License-Identifier: MIT
/*
 * verdict.c - what the counts of a run prove.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/verdict_follows_the_counts_test.c
 */
#include "report.h"

#include <inttypes.h>

#include "line.h"

/* Fewer flushes may all have been ones that nobody could be late for. */
#define CONTROL_FLUSHES_MIN 8

/*
 * Did the control leave a target unflushed? It says so by its skips. A control
 * that does nothing at all may have no skips to count, but then it has
 * interrupted and deferred nobody either; one that skips only preempted
 * targets, and met none, has sent its IPIs and is no worse than `ipi`. The first
 * flush of a job leaves nothing stale behind: nobody has looked before it.
 */
static bool control_was_exercised(const struct protocol_result *result)
{
	return result->flushes >= CONTROL_FLUSHES_MIN &&
		(result->skipped > 0 || (result->ipis == 0 && result->deferred == 0));
}

enum verdict verdict_of_protocol(const struct run_results *run,
				 const struct protocol_result *result)
{
	bool control = protocol_kind(result->protocol) == SD_KIND_CONTROL;

	if (protocol_kind(result->protocol) == SD_KIND_UNSAFE)
		return VERDICT_UNSAFE;
	if (result->stale > 0)
		return control ? VERDICT_CAUGHT : VERDICT_STALE;
	/* One vCPU has no target to flush and nobody to look. */
	if (result->flushes == 0 || run->options->vcpus < 2)
		return VERDICT_IDLE;
	if (control && !control_was_exercised(result))
		return VERDICT_IDLE;
	/* One that flushes whoever runs can only be caught by a vCPU that brings
	 * old translations back from its park. */
	if (control)
		return result->ipis > 0 && !run->exit_keeps_stale ? VERDICT_HIDDEN : VERDICT_MISSED;
	return result->checks > 0 ? VERDICT_OK : VERDICT_BLIND;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_CAUGHT] = "caught",
		[VERDICT_IDLE] = "idle",
		[VERDICT_BLIND] = "blind",
		[VERDICT_UNSAFE] = "unsafe",
		[VERDICT_HIDDEN] = "hidden",
		[VERDICT_STALE] = "STALE",
		[VERDICT_MISSED] = "MISSED",
	};

	return names[verdict];
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

enum exit_status verdict_of(const struct run_results *run, FILE *messages)
{
	enum exit_status status = EXIT_OK;

	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct protocol_result *result = &run->results[i];
		enum verdict verdict = verdict_of_protocol(run, result);

		if (verdict == VERDICT_STALE)
			say_stale(messages, result);
		else if (verdict == VERDICT_MISSED)
			say_missed(messages, result);
		else
			continue;
		status = EXIT_WRONG;
	}
	return status;
}
