// SPDX-License-Identifier: MIT
/*
 * scripts.c - the interleavings (script.h). A and B initiate, T is their target.
 */
#include "script.h"

#include "acts.h"
#include "wrong.h"

#define STEP(step) (UINT32_C(1) << SD_STEP_##step)
#define RETURNS    (STEP(IDLE) | STEP(WAITS))

#define RUN(actor, stop) { .kind = MOVE_RUN, .who = SD_CAST_##actor, .steps = stop }
#define GO_ON(actor)     { .kind = MOVE_GO_ON, .who = SD_CAST_##actor }
#define START(actor)     { .kind = MOVE_START, .who = SD_CAST_##actor }
#define STOP(actor)      { .kind = MOVE_STOP, .who = SD_CAST_##actor }
#define ACT(actor, does) { .kind = MOVE_ACT, .who = SD_CAST_##actor, .act = does }
#define PARK(actor)      ACT(actor, act_park)
#define UNPARK(actor)    ACT(actor, act_unpark)
#define END              { .kind = MOVE_END }

/* A flushes, with T running. */
const struct move script_one_flush[] = { RUN(A, RETURNS), END };

/* B asks between T's flush for A and T's acknowledgement of it. */
const struct move script_two_initiators[] = {
	RUN(A, STEP(WAITS)),
	RUN(T, STEP(LOADED)),
	RUN(B, STEP(POSTED)),
	RUN(T, STEP(SERVED)),
	GO_ON(B),
	GO_ON(A),
	END
};

/* T is parked between its flush and its acknowledgement. A's first flush returns where
 * the park or A itself takes it over, and A asks again before T gets to acknowledge. */
const struct move script_park_in_handler[] = {
	RUN(A, STEP(WAITS)),
	RUN(T, STEP(FLUSHED)),
	PARK(T),
	GO_ON(A),
	UNPARK(T),
	RUN(T, STEP(LOADED)),
	RUN(A, STEP(POSTED) | STEP(WAITS)),
	RUN(T, STEP(SERVED)),
	GO_ON(A),
	END
};

/* A asks while T is being parked: between the transfer and the mark, or after both. */
const struct move script_park_in_two_steps[] = {
	ACT(T, wrong_park_transfer),
	RUN(A, STEP(POSTED)),
	ACT(T, wrong_park_mark),
	UNPARK(T),
	GO_ON(A),
	END
};

const struct move script_park_in_one_step[] = {
	PARK(T),
	RUN(A, STEP(POSTED)),
	UNPARK(T),
	GO_ON(A),
	END
};

/* T is in its handler, before its flush, and A goes on if it may. */
const struct move script_acknowledged_early[] = {
	RUN(A, STEP(WAITS)),
	RUN(T, STEP(READ)),
	GO_ON(A),
	RUN(T, STEP(FLUSHED)),
	END
};

/* T is parked when A looks, and runs when A acts on it. */
const struct move script_unparked_under_the_look[] = {
	PARK(T),
	RUN(A, STEP(LOOKED)),
	UNPARK(T),
	RUN(T, STEP(WATCHED)),
	GO_ON(A),
	END
};

/* T has flushed for B and not acknowledged it when A asks, and is parked: A's IPI waits
 * until T's handler is over. */
const struct move script_waiter_leaves[] = {
	RUN(B, STEP(WAITS)),
	RUN(T, STEP(LOADED)),
	RUN(A, STEP(WAITS)),
	PARK(T),
	GO_ON(A),
	UNPARK(T),
	RUN(T, STEP(SERVED)),
	GO_ON(B),
	END
};

/* T is parked and has been marked by B when A flushes. */
const struct move script_marked_already[] = {
	PARK(T),
	RUN(B, RETURNS),
	RUN(A, RETURNS),
	UNPARK(T),
	END
};

/* T is marked, and its first KVM_RUN is cancelled. */
const struct move script_cancelled_run[] = {
	PARK(T),
	RUN(A, RETURNS),
	UNPARK(T),
	ACT(T, act_cancelled_run),
	END
};

const struct move script_cancelled_run_drops_debt[] = {
	PARK(T),
	RUN(A, RETURNS),
	ACT(T, wrong_unpark_for_cancelled_run),
	END
};

/* T is marked, and preempted once more before it runs. */
const struct move script_preempted_twice[] = {
	PARK(T),
	RUN(A, RETURNS),
	ACT(T, act_mark_again),
	UNPARK(T),
	END
};

const struct move script_preempted_twice_by_store[] = {
	PARK(T),
	RUN(A, RETURNS),
	ACT(T, wrong_mark_by_store),
	UNPARK(T),
	END
};

/* T is marked while the VMM is about to unpark it. */
const struct move script_unparked_at_once[] = { PARK(T), RUN(A, RETURNS), UNPARK(T), END };

const struct move script_unparked_by_copy[] = {
	PARK(T),
	ACT(T, wrong_unpark_copy),
	RUN(A, RETURNS),
	ACT(T, wrong_unpark_write_back),
	END
};

/* T has been parked and runs again. */
const struct move script_preempted_cleared[] = {
	PARK(T),
	UNPARK(T),
	RUN(T, STEP(WATCHED)),
	RUN(A, RETURNS),
	END
};

const struct move script_preempted_stays[] = {
	PARK(T),
	ACT(T, wrong_unpark_keeps_preempted),
	RUN(T, STEP(WATCHED)),
	RUN(A, RETURNS),
	END
};

/* T is in the guest, and stays there until it is kicked. */
const struct move script_kick_awaited[] = {
	START(T),
	RUN(A, STEP(LOOKED)),
	ACT(A, act_flush_others),
	RUN(A, STEP(IDLE)),
	STOP(T),
	END
};

const struct move script_kick_not_awaited[] = {
	START(T),
	RUN(A, STEP(LOOKED)),
	ACT(A, wrong_flush_others_unawaited),
	RUN(A, STEP(IDLE)),
	STOP(T),
	END
};

/* T is parked between two levels of A's page tables, which A tears down. */
const struct move script_parked_in_walk[] = {
	RUN(A, STEP(BUILT)),
	RUN(T, STEP(WALK)),
	PARK(T),
	GO_ON(A),
	UNPARK(T),
	END
};

/* T has read the register and not yet written it when A takes it out of T's address
 * space. A's first flush has put it there. */
#define TO_THE_DEVICE PARK(T), RUN(A, RETURNS), UNPARK(T), RUN(T, STEP(DEVICE))

const struct move script_parked_behind_instruction[] = {
	TO_THE_DEVICE,
	PARK(T),
	RUN(A, RETURNS),
	UNPARK(T),
	END
};

const struct move script_parked_in_instruction[] = {
	TO_THE_DEVICE,
	ACT(T, wrong_park_in_mid_instruction),
	RUN(A, RETURNS),
	UNPARK(T),
	END
};
