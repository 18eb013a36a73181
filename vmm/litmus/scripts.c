// SPDX-License-Identifier: MIT
/*
 * scripts.c - the interleavings (script.h). A and B initiate, T is their target.
 */
#include "script.h"

#include "acts.h"

#define STEP(step) (UINT32_C(1) << SD_STEP_##step)

#define RUN(actor, stop) { .kind = MOVE_RUN, .who = SD_CAST_##actor, .steps = stop }
#define GO_ON(actor)     { .kind = MOVE_GO_ON, .who = SD_CAST_##actor }
#define ACT(actor, does) { .kind = MOVE_ACT, .who = SD_CAST_##actor, .act = does }
#define PARK(actor)      ACT(actor, act_park)
#define UNPARK(actor)    ACT(actor, act_unpark)
#define END              { .kind = MOVE_END }

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
