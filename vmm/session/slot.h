/* SPDX-License-Identifier: MIT */
/*
 * slot.h - a place to run: one CPU's worth of run time, passed from one vCPU
 * thread to the next.
 *
 * field      writer                        reader            rule
 * ---------  ----------------------------  ----------------  ------------------
 * queue      any thread                    any thread        lock
 * holder     any thread                    any thread        lock
 * waiting    under lock                    holder            atomic, relaxed
 * turn       whoever grants, the vCPU      the vCPU          atomic, futex
 * released   holder; main between jobs     next holder       before the grant
 * switches   holder; main between jobs     main              while no vCPU runs
 */
#ifndef SLOT_H
#define SLOT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "histogram.h"

/* One vCPU thread, as far as slots know it. */
struct slot_member {
	TAILQ_ENTRY(slot_member) link;
	atomic_uint turn;               /* SLOT_TURN_ */
	atomic_int thread;              /* its thread id, to kick it; 0 not yet */
};

struct slot {
	pthread_mutex_t lock;
	TAILQ_HEAD(, slot_member) queue; /* waiting, first in first out */
	struct slot_member *holder;     /* NULL: free */
	atomic_uint waiting;            /* length of the queue */
	int cpu;                        /* that its threads are pinned to */
	uint64_t phase_ns;              /* of the grid on which its slices end */
	uint64_t released_ticks;        /* TSC when the last holder began to park; 0 none */
	struct histogram switches;      /* ns, park to KVM_RUN of the next */
};

/* The signal that takes a thread out of KVM_RUN. */
#define SLOT_KICK_SIGNAL SIGUSR1

void slot_init(struct slot *slot, int cpu, uint64_t phase_ns);

/**
 * slot_slice_end - when a slice that begins now ends: on a grid of @slice_ns,
 * so that the phase between slots stays what it was and runs can be repeated.
 *
 * Returns: CLOCK_MONOTONIC, half a slice to one and a half after @now_ns.
 */
uint64_t slot_slice_end(const struct slot *slot, uint64_t now_ns, uint64_t slice_ns);
void slot_destroy(struct slot *slot);

/* slot_member_init - before its thread starts. */
void slot_member_init(struct slot_member *member);

/* slot_member_enter - the thread itself: from here on it can be kicked. */
void slot_member_enter(struct slot_member *member);

/**
 * slot_add - queue @member; it runs at once when the slot is free. A holder that
 * was alone is kicked, so that it begins to count its slice.
 */
void slot_add(struct slot *slot, struct slot_member *member);

/**
 * slot_wait - sleep until it is @member's turn.
 *
 * Returns: false when slot_member_quit() was called: leave the thread.
 */
bool slot_wait(struct slot_member *member);

/* slot_has_waiting - somebody else wants the slot. A hint: the queue may grow
 * right after, and then the holder is kicked. */
static inline bool slot_has_waiting(const struct slot *slot)
{
	return atomic_load_explicit(&slot->waiting, memory_order_relaxed) != 0;
}

/* slot_pass - hand over to the first in the queue; with @requeue go to its end.
 * By the holder, which then no longer is. */
void slot_pass(struct slot *slot, struct slot_member *holder, bool requeue);

/* slot_prefer - if @member is in the queue, it is next. From any thread. */
void slot_prefer(struct slot *slot, struct slot_member *member);

/* slot_member_quit - wake @member for good; for the end of a session. */
void slot_member_quit(struct slot_member *member);

/* slot_kick - take @member's thread out of KVM_RUN. */
void slot_kick(const struct slot_member *member);

#endif
