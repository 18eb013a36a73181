// SPDX-License-Identifier: MIT
/*
 * litmus.c - the litmus tests, one after the other (litmus.h).
 *
 * Threads: main. One session for all of them, with a slot for each vCPU of the cast:
 *          nobody is parked but by a script.
 */
#include "litmus.h"

#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "confine.h"
#include "device.h"
#include "figure.h"
#include "host_facts.h"
#include "job.h"
#include "litmus_list.h"
#include "play.h"
#include "protocol_list.h"
#include "session_life.h"
#include "standard.h"
#include "terminal.h"

/* Rounds of each test: enough to tell "each time" from "now and then", and not more than
 * there is time for, because on a busy host each move waits for a CPU. */
#define ROUNDS       200
#define ROUNDS_LEAST 8
#define ROUNDS_NS    (150 * NS_PER_MS)

#define SLICE_NS (2 * NS_PER_MS)        /* of a vCPU that is alone on its slot: of no effect */

enum oracle { ORACLE_TLB, ORACLE_WALK, ORACLE_DEVICE };

static const struct {
	enum sd_protocol protocol;
	const struct move *script;
	enum oracle oracle;
	struct { bool loses; const char *unless; } expected;
	const char *hazard;
} litmuses[SD_LITMUSES] = {
#define LOST { .loses = true }
#define KEPT { .loses = false }
#define BUFFERED { .loses = true, .unless = "every exit drains the store buffer" }
#define SD_LITMUS(identifier, name, protocol_, guest, moves, oracle_, expected_, hazard_) \
	[SD_LITMUS_##identifier] = { \
		.protocol = SD_PROTOCOL_##protocol_, \
		.script = script_##moves, \
		.oracle = ORACLE_##oracle_, \
		.expected = expected_, \
		.hazard = hazard_, \
	},
#include "litmus.def"
#undef SD_LITMUS
#undef LOST
#undef KEPT
#undef BUFFERED
};

static const char *empties_tlb(const struct host_facts *host)
{
	const char *other = figure_kept_on(host);
	static char reason[96];

	snprintf(reason, sizeof(reason), "an exit from the guest empties the TLB here%s%s",
		 other != NULL ? "; see --on " : "", other != NULL ? other : "");
	return reason;
}

static const char *reason_to_skip(const struct run_results *run, enum sd_litmus litmus)
{
	if (litmuses[litmus].oracle == ORACLE_TLB && !run->exit_keeps_stale)
		return empties_tlb(&run->host);
	if (litmuses[litmus].oracle == ORACLE_DEVICE && litmuses[litmus].expected.loses &&
	    run->entry_flush == ENTRY_FLUSH_SREGS)
		return "KVM_SET_SREGS flushes before the rest of the instruction";
	return NULL;
}

/* A busy host may take a stale translation out of the TLB before it is met. */
static bool needs_more(const struct litmus_result *result)
{
	return result->rounds < ROUNDS_LEAST ||
		(result->loses && result->unless == NULL && result->lost == 0);
}

static int play_rounds(struct session *session, const struct move *script,
		       struct litmus_result *result, struct why *why)
{
	uint64_t until_ns = clock_ns() + ROUNDS_NS;
	int error = 0;

	while (result->rounds < ROUNDS && (needs_more(result) || clock_ns() < until_ns)) {
		struct play_outcome outcome = { 0 };

		error = play_round(session, script, &outcome, why);
		if (error != 0)
			break;
		result->rounds++;
		result->complete += outcome.complete;
		result->lost += outcome.stale != 0;
		result->checks += outcome.checks;
		result->stale += outcome.stale;
	}
	return error;
}

static int play(struct session *session, enum sd_litmus litmus, struct litmus_result *result,
		struct why *why)
{
	int error = play_begin(session, litmus, litmuses[litmus].protocol, why);

	if (error == 0)
		error = play_rounds(session, litmuses[litmus].script, result, why);
	return error == 0 ? play_end(session, why) : error;
}

/* Shows the name of the test that is played, on a terminal. */
static void show_progress(const struct litmus_run *plays, const char *name)
{
	if (!plays->facts.options->quiet && terminal_moves(STDERR_FILENO) &&
	    standard_has_room(STDERR_FILENO))
		fprintf(stderr, TERMINAL_OVER "%.79s", name);
}

static int play_all(struct session *session, struct litmus_run *plays, struct why *why)
{
	int error = 0;

	for (enum sd_litmus litmus = 0; error == 0 && litmus < SD_LITMUSES; litmus++) {
		struct litmus_result *result = &plays->results[plays->count];

		if (!litmus_list_matches(litmus, plays->facts.options->litmus))
			continue;
		*result = (struct litmus_result){
			.name = litmus_list_name(litmus),
			.hazard = litmuses[litmus].hazard,
			.protocol = protocol_name(litmuses[litmus].protocol),
			.loses = litmuses[litmus].expected.loses,
			.unless = litmuses[litmus].expected.unless,
			.skip = reason_to_skip(&plays->facts, litmus),
		};
		show_progress(plays, result->name);
		if (result->skip == NULL)
			error = play(session, litmus, result, why);
		/* A test that was cut short before it had begun says nothing. */
		plays->count += error == 0 || result->rounds != 0;
	}
	show_progress(plays, "");
	return error;
}

int litmus_play(struct litmus_run *plays, struct machine_payload payload, struct loop *loop,
		struct kvm_system system, struct why *why)
{
	const struct session_shape shape = {
		.vcpus = SD_CAST,
		.initiators = SD_LITMUS_INITIATORS,
		.pages = 1,
		.slots = SD_CAST,
		.slice_ns = SLICE_NS,
		.cpus = plays->facts.slot_cpus,
		.marks_preempted = host_kvm_marks(),
	};
	static struct session session;
	static struct stage stage;
	int error = session_create(&session, loop, system, &shape, payload, why);

	if (error != 0)
		return error;
	host_facts_read(&plays->facts.host, &session);
	error = confine_enter(CONFINE_MAIN, why);
	if (error == 0)
		error = session_boot(&session, why);
	if (error == 0)
		error = host_survey(&session, plays->facts.options->entry_flush, &plays->facts, why);
	stage_open(&stage, loop);
	stage.access = device_access;
	session.stage = &stage;
	if (error == 0)
		error = play_all(&session, plays, why);
	session_destroy(&session);
	/* A thread that its filter has stopped may wait there for ever (confine.h). */
	if (!confine_stopped_thread())
		stage_destroy(&stage);
	return error;
}
