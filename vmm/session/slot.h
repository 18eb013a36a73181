/* SPDX-License-Identifier: MIT */
/*
 * slot.h - a place to run: one CPU's worth of run time, passed from one vCPU
 * thread to the next.
 *
 * A member waits in the queue, holds the slot, sleeps, or has left. The policy decides
 * who is next and for how long (preempt/preempt.h). A sleeper goes to the head of the queue
 * when it is woken or when an interrupt is pending for it, and to the end of the queue when
 * its time has come. Interrupts and times are looked at on each dispatch, and by the first
 * sleeper's thread while the slot is free.
 *
 * field      writer                        reader            rule
 * ---------  ----------------------------  ----------------  ------------------
 * queue, sleepers, holder, dice; asleep, woken, wake_ns of a member
 *            any thread                    any thread        lock
 * waiting, sleeping
 *            under lock                    holder            atomic, relaxed
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
#include "preempt.h"

/* One vCPU thread, as far as slots know it. */
struct slot_member {
	TAILQ_ENTRY(slot_member) link;  /* of the queue or of the sleepers */
	uint32_t id;                    /* of the vCPU */
	atomic_uint turn;               /* what its thread is to do next */
	atomic_int thread;              /* its thread id, to kick it; 0 not yet */
	bool asleep;
	bool woken;                     /* before it slept: the next sleep ends at once */
	uint64_t wake_ns;               /* CLOCK_MONOTONIC, when the sleep ends by itself */
	/* Of a sleeper, under the lock: is an interrupt pending? NULL: never. */
	bool (*is_interrupted)(struct slot_member *member);
};

TAILQ_HEAD(slot_members, slot_member);

struct slot {
	pthread_mutex_t lock;
	struct slot_members queue;      /* waiting, in the order in which they came */
	struct slot_members sleepers;
	struct slot_member *holder;     /* NULL: free */
	atomic_uint waiting;            /* length of queue and sleepers together */
	atomic_uint sleeping;           /* length of the sleepers */
	int cpu;                        /* that its threads are pinned to */
	uint64_t slice_ns;
	uint64_t phase_ns;              /* of the grid on which its slices end */
	const struct preempt_ops *preempt;
	struct preempt_dice dice;       /* of a policy that draws */
	uint64_t released_ticks;        /* TSC when the last holder began to park; 0 none */
	struct histogram switches;      /* ns, park to KVM_RUN of the next */
};

/* slot_init - a free slot under the policy of slices. */
void slot_init(struct slot *slot, int cpu, uint64_t slice_ns, uint64_t phase_ns);
void slot_destroy(struct slot *slot);

/* slot_member_init - before its thread starts. */
void slot_member_init(struct slot_member *member, uint32_t id);

/* slot_member_enter - the thread itself: from here on it can be kicked. */
void slot_member_enter(struct slot_member *member);

/**
 * slot_queue - queue @member without giving the slot out; slot_open() does that
 * when all are queued, so that the first decision does not depend on who came first.
 */
void slot_queue(struct slot *slot, struct slot_member *member);
void slot_open(struct slot *slot);

/**
 * slot_wait - block until it is @member's turn; by its own thread.
 *
 * Returns: false when slot_member_quit() was called: leave the thread.
 */
bool slot_wait(struct slot *slot, struct slot_member *member);

/* slot_has_waiting - somebody else wants the slot, or will: the holder has to count
 * its slice. */
static inline bool slot_has_waiting(const struct slot *slot)
{
	return atomic_load_explicit(&slot->waiting, memory_order_relaxed) != 0;
}

/* slot_is_wanted - at the end of a slice: does somebody wait, sleepers whose time
 * has come included? By the holder. */
bool slot_is_wanted(struct slot *slot);

/* slot_pass - hand over to the next one; with @requeue go to the queue's end. By
 * the holder, which then no longer is. */
void slot_pass(struct slot *slot, struct slot_member *holder, bool requeue);

/* slot_sleep - hand over, and off the queue until @until_ns (UINT64_MAX: no time), an
 * interrupt or slot_wake(). By the holder, which then no longer is. */
void slot_sleep(struct slot *slot, struct slot_member *holder, uint64_t until_ns);

/* slot_wake - end @member's sleep, or the next one. From any thread. */
void slot_wake(struct slot *slot, struct slot_member *member);

/* slot_forget - @member's thread ends: nobody looks after its sleep any more. */
void slot_forget(struct slot *slot, struct slot_member *member);

/* slot_prefer - if @member is in the queue, it comes first there. From any thread. */
void slot_prefer(struct slot *slot, struct slot_member *member);

/* slot_member_quit - wake @member for good; for the end of a session. */
void slot_member_quit(struct slot_member *member);

/* slot_kick - take @member's thread out of KVM_RUN. */
void slot_kick(const struct slot_member *member);

#endif
