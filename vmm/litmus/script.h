/* SPDX-License-Identifier: MIT */
/*
 * script.h - an interleaving: who runs, from where it is held to which step; one vCPU
 * at a time, so that what happens does not depend on time.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "control.h"
#include "stage.h"

enum move_kind {
	MOVE_END,
	MOVE_RUN,               /* release, until it is held at one of the steps */
	MOVE_GO_ON,             /* an initiator that has a flush in hand: until it has
	                           returned, or has to wait once more */
	MOVE_START,             /* release, until it is in the guest; the next moves are made
	                           while it runs there */
	MOVE_STOP,              /* one that was started: has looked through every window
	                           since the last move, and is held */
	MOVE_ACT,               /* its own thread does something to it; it stays held */
};

struct move {
	enum move_kind kind;
	enum sd_litmus_cast who;
	uint32_t steps;                 /* RUN: bits 1 << SD_STEP_ */
	stage_act_fn act;               /* ACT */
};

/* Each begins with the initiators at SD_STEP_IDLE and the target at SD_STEP_WATCHED, its
 * TLB flushed and filled again by a look, and must leave the target unparked. When it is
 * over, flushes in hand are finished, the target running in turn, and the target looks
 * once more. */
#define SD_LITMUS(identifier, name, protocol, guest, script, oracle, expected, hazard) \
	extern const struct move script_##script[];
#include "litmus.def"
#undef SD_LITMUS

#endif
