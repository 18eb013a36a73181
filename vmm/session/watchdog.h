/* SPDX-License-Identifier: MIT */
/*
 * watchdog.h - has a guest failed, or does it stand still?
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "session.h"

/* watchdog_begin - what comes next has its whole time. */
void watchdog_begin(struct session *session);

/**
 * session_check - failures, and a guest that stands still. Call it now and then while a
 * job runs; it also prints what the guest has logged.
 *
 * A guest stands still when it makes no progress for 30 s, or for 4 rotations of the slots
 * if these are longer. A time in which nobody called counts as one second at most: the host
 * may have stood still itself. Progress is what the job is about. During the warm-up these
 * are the guest's own counts; then, until the job is stopped, flushes read from the rings.
 * What has to be done once (stopping, the samples of a job that measures a primitive) is
 * progress only in quarters of all there is to do.
 *
 * Errors:  as session_failure(); a guest that stands still is EXIT_GUEST, and
 *          @why then has a line for each vCPU: state and rip. The session is over.
 */
__attribute__((warn_unused_result))
int session_check(struct session *session, uint64_t now_ns, struct why *why);

#endif
