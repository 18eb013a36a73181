/* SPDX-License-Identifier: MIT */
/*
 * play.h - one interleaving, played to its end on a machine that is running.
 */
#ifndef PLAY_H
#define PLAY_H

#include "script.h"
#include "session.h"

/* What one round of a litmus has shown. */
struct play_outcome {
	bool complete;                  /* every vCPU came to where the script says */
	uint64_t checks;                /* loads compared, walks that met their stamp,
	                                   writes to the device */
	uint64_t stale;                 /* loads that were too old, walks of freed tables,
	                                   late writes */
};

/**
 * play_begin - start the job of @litmus: every vCPU of the cast is held at its first step
 * when this returns.
 *
 * Threads: main, as below. @session has a stage and SD_CAST vCPUs, and is idle.
 * Errors:  as session_check(); -EINTR on a signal.
 */
__attribute__((warn_unused_result))
int play_begin(struct session *session, enum sd_litmus litmus, enum sd_protocol protocol,
	       struct why *why);

/**
 * play_round - play @script once.
 *
 * Errors:  as play_begin(); EXIT_GUEST: a flush that never returns.
 */
__attribute__((warn_unused_result))
int play_round(struct session *session, const struct move *script, struct play_outcome *outcome,
	       struct why *why);

/* play_end - stop the job; the session is idle again. Errors: as play_begin(). */
__attribute__((warn_unused_result))
int play_end(struct session *session, struct why *why);

#endif
