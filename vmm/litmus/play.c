// SPDX-License-Identifier: MIT
/*
 * play.c - playing a script (play.h).
 *
 * Threads: main. Every move is over before the next one begins; only a vCPU that was
 *          started runs beside them.
 */
#include "play.h"

#include "acts.h"
#include "clock.h"
#include "device.h"
#include "job.h"
#include "watchdog.h"

#define LOOK_EVERY_NS (100 * NS_PER_MS)

/* Turns of everybody, after which a flush that has not returned never will: a right one
 * needs a handler run or two. */
#define SETTLE_TURNS 64

/* Loads of one look through all windows. */
#define LOOK_CHECKS SD_LITMUS_INITIATORS

#define IDLE    (UINT32_C(1) << SD_STEP_IDLE)
#define WAITS   (UINT32_C(1) << SD_STEP_WAITS)
#define WATCHED (UINT32_C(1) << SD_STEP_WATCHED)
#define WALK    (UINT32_C(1) << SD_STEP_WALK)

static bool is_initiator(enum sd_litmus_cast who)
{
	return who < SD_LITMUS_INITIATORS;
}

static void set_steps(struct session *session, uint32_t steps)
{
	sd_u32_store(&guest_control(&session->machine.memory)->steps, steps);
}

static int wait_held(struct session *session, enum sd_litmus_cast who, uint32_t *step,
		     struct why *why)
{
	while (!stage_is_held(session->stage, who, step)) {
		int error = session_check(session, clock_ns(), why);

		if (error != 0)
			return error;
		if (loop_wait(session->loop, clock_ns() + LOOK_EVERY_NS) & LOOP_SIGNAL)
			return why_set(why, EXIT_OK, EINTR, "interrupted");
	}
	return 0;
}

/* The step at which the actor is held; it has to be. */
static uint32_t place_of(struct session *session, enum sd_litmus_cast who)
{
	uint32_t step;

	(void)stage_is_held(session->stage, who, &step);
	return UINT32_C(1) << step;
}

/* The steps of an actor's own loop, where it has missed the others. A walk comes to its
 * step only now and then (guest-payload/walker.c), but it does. */
static uint32_t last_steps(enum sd_litmus_cast who, uint32_t steps)
{
	if (is_initiator(who))
		return IDLE | WAITS;
	return steps & WALK ? 0 : WATCHED;
}

static int run(struct session *session, enum sd_litmus_cast who, uint32_t steps, bool *there,
	       struct why *why)
{
	uint32_t step;
	int error;

	set_steps(session, steps | last_steps(who, steps));
	stage_release(session->stage, who);
	error = wait_held(session, who, &step, why);
	*there = error == 0 && (steps & UINT32_C(1) << step);
	return error;
}

static int go_on(struct session *session, enum sd_litmus_cast who, struct why *why)
{
	bool ignored;

	if (place_of(session, who) == IDLE)
		return 0;
	return run(session, who, IDLE | WAITS, &ignored, why);
}

static int do_act(struct session *session, enum sd_litmus_cast who, stage_act_fn act,
		  struct why *why)
{
	uint32_t ignored;

	stage_act(session->stage, who, act);
	return wait_held(session, who, &ignored, why);
}

static uint64_t checks_of(const struct session *session, enum sd_litmus_cast who)
{
	return sd_u64_load(&guest_region(&session->machine.memory, who)->checks);
}

/* Until @who, which runs, has looked through every window in a look that has begun from
 * here on. */
static int wait_look(struct session *session, enum sd_litmus_cast who, struct why *why)
{
	uint64_t enough = checks_of(session, who) + 2 * LOOK_CHECKS;
	int error = 0;

	while (error == 0 && checks_of(session, who) < enough) {
		error = session_check(session, clock_ns(), why);
		sched_yield();
	}
	return error;
}

/* It has looked, so it is in the guest, and has no reason to leave. */
static int start(struct session *session, enum sd_litmus_cast who, struct why *why)
{
	set_steps(session, 0);
	stage_release(session->stage, who);
	return wait_look(session, who, why);
}

static int stop(struct session *session, enum sd_litmus_cast who, struct why *why)
{
	int error = wait_look(session, who, why);
	uint32_t ignored;

	if (error != 0)
		return error;
	set_steps(session, WATCHED);
	return wait_held(session, who, &ignored, why);
}

static int make_move(struct session *session, const struct move *move, bool *there,
		     struct why *why)
{
	*there = true;
	switch (move->kind) {
	case MOVE_RUN:
		return run(session, move->who, move->steps, there, why);
	case MOVE_GO_ON:
		return go_on(session, move->who, why);
	case MOVE_START:
		return start(session, move->who, why);
	case MOVE_STOP:
		return stop(session, move->who, why);
	case MOVE_ACT:
		return do_act(session, move->who, move->act, why);
	case MOVE_END:
		break;
	}
	return 0;
}

static bool is_settled(struct session *session)
{
	return place_of(session, SD_CAST_A) == IDLE && place_of(session, SD_CAST_B) == IDLE;
}

static int turn(struct session *session, struct why *why)
{
	bool ignored;
	int error = run(session, SD_CAST_T, WATCHED, &ignored, why);

	if (error == 0)
		error = go_on(session, SD_CAST_A, why);
	if (error == 0)
		error = go_on(session, SD_CAST_B, why);
	return error;
}

/* Nothing of the round before is left in the target, and it has looked through every window. */
static int renew(struct session *session, struct why *why)
{
	bool ignored;
	int error = do_act(session, SD_CAST_T, act_renew, why);

	return error == 0 ? run(session, SD_CAST_T, WATCHED, &ignored, why) : error;
}

/* A script that was left in the middle may have left its target parked. */
static int leave_parked(struct session *session, struct why *why)
{
	if (!sd_word_preempted(guest_region(&session->machine.memory, SD_CAST_T)))
		return 0;
	return do_act(session, SD_CAST_T, act_unpark, why);
}

/* Everybody in turn, until no flush is in hand; then one look of the target that begins
 * after all of them. */
static int settle(struct session *session, struct why *why)
{
	bool ignored;
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < SETTLE_TURNS && !is_settled(session); i++)
		error = turn(session, why);
	if (error == 0 && !is_settled(session))
		error = why_set(why, EXIT_GUEST, ETIMEDOUT, "a flush does not return");
	for (uint32_t i = 0; error == 0 && i < 2; i++)
		error = run(session, SD_CAST_T, WATCHED, &ignored, why);
	return error;
}

/* The vCPUs are held: their counts stand still. */
static void add_counts(const struct session *session, struct play_outcome *outcome)
{
	const struct sd_region *region = guest_region(&session->machine.memory, SD_CAST_T);

	outcome->checks += sd_u64_load(&region->checks) + device.writes;
	outcome->stale += sd_u64_load(&region->stale) + sd_u64_load(&region->walks_poisoned) +
		sd_u64_load(&region->walks_reused) + device.late;
}

int play_begin(struct session *session, enum sd_litmus litmus, enum sd_protocol protocol,
	       struct why *why)
{
	const struct session_job job = {
		.kind = SD_JOB_LITMUS,
		.protocol = protocol,
		.initiators_to_stop = SD_LITMUS_INITIATORS,
		.litmus = litmus,
	};
	uint32_t ignored;
	int error = 0;

	set_steps(session, IDLE | WATCHED);
	session_start(session, &job);
	for (uint32_t who = 0; error == 0 && who < SD_CAST; who++)
		error = wait_held(session, who, &ignored, why);
	return error;
}

int play_round(struct session *session, const struct move *script, struct play_outcome *outcome,
	       struct why *why)
{
	struct play_outcome before = { 0 }, after = { 0 };
	bool there = true;
	int error = renew(session, why);

	add_counts(session, &before);
	for (const struct move *move = script; error == 0 && there && move->kind != MOVE_END; move++)
		error = make_move(session, move, &there, why);
	if (error == 0 && !there)
		error = leave_parked(session, why);
	if (error == 0)
		error = settle(session, why);
	add_counts(session, &after);
	outcome->complete = there;
	outcome->checks = after.checks - before.checks;
	outcome->stale = after.stale - before.stale;
	return error;
}

int play_end(struct session *session, struct why *why)
{
	int error;

	set_steps(session, 0);
	session_stop_job(session);
	for (uint32_t who = 0; who < SD_CAST; who++)
		stage_release(session->stage, who);
	while (!session_is_done(session)) {
		error = session_check(session, clock_ns(), why);
		if (error != 0)
			return error;
		if (loop_wait(session->loop, clock_ns() + LOOK_EVERY_NS) & LOOP_SIGNAL)
			return why_set(why, EXIT_OK, EINTR, "interrupted");
	}
	return session_failure(session, why);
}
