// SPDX-License-Identifier: MIT
/*
 * proof.c - do the counts of a run prove that its safe protocols lost no flush?
 * --require-proof.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/proof_is_required_of_safe_protocols_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include "control.h"

/* Was a target off its CPU, as far as anybody counts that? */
static bool were_preempted(const struct run_results *run, const struct protocol_result *result)
{
	if (run->options->preempt != PREEMPT_HOST)
		return run->options->vcpus > run->options->slots;
	if (run->kvm_counts_marks)
		return result->kvm_reported + result->kvm_other > 0;
	return result->involuntary_switches > 0;
}

/* What is missing of a protocol's effect; NULL: nothing. */
static const char *effect_missing(const struct run_results *run,
				  const struct protocol_result *result)
{
	bool preempted = were_preempted(run, result);

	switch (protocol_effect(result->protocol)) {
	case SD_EFFECT_ASKS:
		return result->exits[SD_REQ_FLUSH_OTHERS].count == 0
			? "not in effect: no flush asked the VMM" : NULL;
	case SD_EFFECT_WAKES:
		if (preempted && result->wakes == 0)
			return "not in effect: vCPUs were preempted, and no initiator slept until it was woken";
		break;
	case SD_EFFECT_YIELDS:
		if (preempted && result->yields == 0)
			return "not in effect: vCPUs were preempted, and no slot was given to one";
		break;
	case SD_EFFECT_DEFERS:
		if (preempted && result->deferred == 0)
			return "not in effect: vCPUs were preempted, and none was deferred";
		break;
	case SD_EFFECT_IPIS:
	case SD_EFFECT_NOTHING:
		break;
	}
	return result->ipis == 0 && result->deferred == 0
		? "not in effect: no target was interrupted or deferred" : NULL;
}

const char *proof_missing(const struct run_results *run, const struct protocol_result *result)
{
	if (protocol_kind(result->protocol) != SD_KIND_SAFE)
		return NULL;
	switch (verdict_of_protocol(run, result)) {
	case VERDICT_IDLE:
		return result->flushes == 0 ? "idle: no flush" : "idle: one vCPU has no target";
	case VERDICT_BLIND:
		return "blind: nobody checked for stale loads";
	case VERDICT_HAZARD:
		return "blind: tables were freed under walkers, as asked";
	case VERDICT_PARTLY:
		return "partly: some targets never looked before and after a flush";
	case VERDICT_CLAIMED:
		return "claimed: by a payload that is not the built-in one";
	case VERDICT_OK:
		break;
	default:
		return NULL;            /* wrong, and says so */
	}
	/* Walks of page tables go through no TLB. */
	if (!run->exit_keeps_stale && run->options->workload != WORKLOAD_TEARDOWN)
		return "blind: an exit drops every translation on this host, so that a lost flush "
		       "does not show";
	return effect_missing(run, result);
}

enum exit_status proof_of(const struct run_results *run, FILE *messages)
{
	enum exit_status status = EXIT_OK;

	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct protocol_result *result = &run->results[i];
		const char *missing = proof_missing(run, result);

		if (missing == NULL)
			continue;
		fprintf(messages, "%s: nothing is proved: %s\n", protocol_name(result->protocol),
			missing);
		status = EXIT_WRONG;
	}
	return status;
}
