/* SPDX-License-Identifier: MIT */
/*
 * job.h - what a session's guest does: to boot, and then one job after another.
 */
#ifndef JOB_H
#define JOB_H

#include "session.h"

struct session_job {
	uint32_t kind;                  /* SD_JOB_ */
	enum sd_protocol protocol;
	uint64_t pace_ticks;
	uint64_t flush_quota;           /* recorded flushes of all initiators; 0 no limit */
	uint32_t floor_interval;
	uint32_t initiators_to_stop;    /* doorbells before the observers are stopped */
	uint64_t seed;
	uint32_t round;                 /* another one draws other numbers */
	uint32_t litmus;                /* SD_JOB_LITMUS: enum sd_litmus */
};

/**
 * session_boot - every vCPU has rung its first doorbell and is idle when this returns.
 *
 * Errors:  EXIT_HOST, EXIT_GUEST (did not boot), -EINTR on a signal; the session is to
 *          be destroyed all the same.
 */
__attribute__((warn_unused_result))
int session_boot(struct session *session, struct why *why);

/* session_start - give out a job; the loop is woken when it is done. */
void session_start(struct session *session, const struct session_job *job);

/* While a job runs, by main. */
void session_record(struct session *session);           /* warm-up is over */
void session_count_flush(struct session *session);      /* one more was read from a ring */
void session_stop_job(struct session *session);         /* initiators first */

/**
 * session_run - a whole job from start to end, unrecorded.
 *
 * Errors:  as session_check(); -EINTR on a signal.
 */
__attribute__((warn_unused_result))
int session_run(struct session *session, const struct session_job *job, struct why *why);

#endif
