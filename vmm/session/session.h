/* SPDX-License-Identifier: MIT */
/*
 * session.h - a booted machine: its slots, its vCPU threads, and one job after
 * another.
 *
 * field            writer               reader          rule
 * ---------------  -------------------  --------------  ---------------------------
 * park, stage, control block
 *                  main                 vCPU threads    while no vCPU runs
 * quit             main                 vCPU threads    atomic
 * ready, stopped   vCPU threads         main            atomic
 * failure          vCPU threads         main            lock, then failed
 * broken           main, vCPU threads   the same        atomic
 * snapshot         the first to break   main            after the threads have ended
 * loop             vCPU threads         main            loop_wake() only
 * log              vCPU threads         main            guest_log.h
 * frames, shadow   vCPU threads, main,  the same        shadow.h
 *                  mover
 * all others       main                 main
 *
 * Start order: slots, threads (each creates its own vCPU and confines itself), main
 * confines itself, boot. Stop order of a job: initiators, then observers. Stop order
 * of a session: quit, wake and kick every thread, join, destroy.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdio.h>

#include "guest_log.h"
#include "loop.h"
#include "options.h"
#include "park.h"
#include "results.h"
#include "stage.h"
#include "throttle.h"
#include "vcpu_thread.h"

struct session_shape {
	uint32_t vcpus;
	uint32_t initiators;
	uint32_t pages;
	uint32_t slots;
	uint64_t slice_ns;
	bool shares_cpus;               /* no slots: every vCPU may run, the host's scheduler
	                                   chooses; the vCPUs go round the CPUs of `slots` */
	const struct preempt_ops *preempt;
	uint32_t steps;                 /* of the handshake at which vCPUs are parked */
	bool by_page;                   /* flushes go page by page */
	bool clears_pending;            /* take a transferred request's IPI back */
	uint32_t sleepers;
	bool free_after_grace;          /* page tables, SD_JOB_TEARDOWN */
	uint64_t ple_ns;                /* 0 off */
	uint64_t sleep_ns;              /* of a sleeper, each time */
	struct cpus cpus;               /* slots go round them */
	uint32_t realtime;              /* SCHED_FIFO priority of vCPU threads; 0 off */
	bool marks_preempted;           /* KVM itself writes the preempted byte */
	const struct reclaim_ops *reclaim; /* of the secondary MMU's tables; NULL: mode */
	uint32_t spare_frames;          /* to move pages to */
	uint64_t stamp_ns;              /* vCPUs have stamps checked so often; 0 never */
	struct trace_ring *trace_rings; /* [vcpus]; NULL: nothing is traced */
	uint64_t break_ns;              /* stall that breaks the run; 0 none */
	struct vcpu_snapshot *snapshot; /* [vcpus]; with break_ns: filled when one rings */
};

struct session {
	struct session_shape shape;
	struct machine machine;
	struct frames frames;           /* of the guest's memory */
	struct shadow *shadow;          /* the guest's pointers: one reader a vCPU, and main's */
	struct slot *slots;             /* [slot_count] */
	uint32_t slot_count;            /* shape.slots, or one a vCPU (shares_cpus) */
	struct vcpu_thread *threads;    /* [shape.vcpus] */
	uint32_t started;               /* threads to join */
	struct loop *loop;              /* main's; woken when a job is done or has failed */
	FILE *proc_stat;                /* NULL: no steal time (host_load.c) */
	struct throttle throttle;       /* quota and throttling of our cgroups, the same */
	struct park_policy park;
	struct guest_log log;
	struct stage *stage;            /* where vCPUs are held at steps; NULL */
	uint64_t tsc_hz;                /* of every vCPU */
	uint64_t started_ticks;         /* TSC of the host, before the first vCPU thread */
	uint32_t initiators_to_stop;    /* of the job in hand */
	bool stopping;                  /* main: the initiators stop, told to or by themselves */
	uint32_t samples_expected;      /* of a job that ends by itself; 0: it writes none */
	uint64_t unread_most;           /* main: of these, seen in the ring */
	bool claims;                    /* the payload is not the built-in one: machine.h */
	bool recording;                 /* main: warm-up is over */
	uint64_t recorded;              /* main: flushes of the job in hand, read from the rings */
	uint64_t tails[SD_MAX_INITIATORS]; /* of the sample rings: the guest's copy is not trusted */
	atomic_bool quit;
	atomic_uint ready;              /* vCPUs that have ended the job */
	atomic_uint stopped;            /* initiators that flush no more */
	atomic_bool broken;             /* somebody fills the snapshot, or has */
	atomic_bool failed;
	pthread_mutex_t lock;
	struct why failure;             /* the first one */
	uint64_t progress;              /* main: last seen */
	uint64_t checked_ns;            /* when that was, and for how long nothing has changed */
	uint64_t still_ns;
	uint64_t throttled_ns;          /* throttled so far, at the last look that found nothing changed */
};

/* session_set_entry_flush - choose the way; while no vCPU runs. */
void session_set_entry_flush(struct session *session, enum entry_flush way);

/* session_is_done - every vCPU has ended the job. PAIR(session-ready): acquire
 * here; what the vCPU threads wrote before is seen. */
bool session_is_done(struct session *session);

/**
 * session_failure - has a vCPU thread or the guest failed, or a filter stopped a thread?
 *
 * Returns: 0, or the negative errno with @why filled.
 */
__attribute__((warn_unused_result))
int session_failure(struct session *session, struct why *why);

/* session_break - stop the initiators and look at every vCPU, if nobody has yet; by main
 * too. */
void session_break(struct session *session);

/* For vCPU threads. */
void session_vcpu_ready(struct session *session);
void session_initiator_stopped(struct session *session);
void session_vcpu_failed(struct session *session, const struct why *why);

#endif
