/* SPDX-License-Identifier: MIT */
/*
 * litmus.h - the known ways to lose a flush, each played as a directed interleaving, on
 * the wrong variant that loses it and on the protocols that do not.
 */
#ifndef LITMUS_H
#define LITMUS_H

#include "litmus_cast.h"
#include "loop.h"
#include "results.h"
#include "machine.h"

/* All of --litmus. */
struct litmus_run {
	struct run_results facts;       /* options, command, host, times; no protocols */
	struct litmus_result results[SD_LITMUSES];
	uint32_t count;                 /* played, or skipped */
};

/**
 * litmus_play - build a machine, and play those that the options ask for.
 *
 * Shape:   @plays->facts has options and slot_cpus.
 * Errors:  as session_check(); -EINTR on a signal. What was played up to then is in
 *          @plays, the one in hand as far as it came.
 */
__attribute__((warn_unused_result))
int litmus_play(struct litmus_run *plays, struct machine_payload payload, struct loop *loop,
		struct kvm_system system, struct why *why);

#endif
