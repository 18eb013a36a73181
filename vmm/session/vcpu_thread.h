/* SPDX-License-Identifier: MIT */
/*
 * vcpu_thread.h - what is known of a vCPU and its host thread.
 *
 * All fields belong to the thread itself but for those marked.
 */
#ifndef VCPU_THREAD_H
#define VCPU_THREAD_H

#include <pthread.h>
#include <time.h>

#include "exit_kind.h"
#include "shadow.h"
#include "slot.h"
#include "trace_ring.h"
#include "vcpu.h"
#include "vcpu_state.h"

struct park_policy;
struct session;

/* Exits of one kind; TSC ticks out of the guest, parks not included. */
struct exit_count {
	uint64_t count;
	uint64_t ticks;
	uint64_t max_ticks;
};

/* What happened to a vCPU in a job; main reads it while no vCPU runs. */
struct vcpu_counts {
	uint64_t switches;              /* parks */
	uint64_t transfers;
	uint64_t spurious_ipis;
	uint64_t cleared_ipis;
	uint64_t entry_flushes_asked;   /* flush bits of KVM's byte that a KVM_RUN took away */
	uint64_t kicks;                 /* sent to others */
	uint64_t yields;
	uint64_t sleeps;
	uint64_t wakes;                 /* sent to others */
	uint64_t spun;
	uint64_t steps;
	uint64_t strayed;               /* parks on another CPU than the slot's */
	uint64_t stamp_checks;          /* stamps read through the secondary MMU */
	uint64_t stamps_wrong;          /* of these */
	struct exit_count exits[EXIT_KINDS];
};

struct vcpu_thread {
	struct vcpu vcpu;
	struct session *session;
	const struct park_policy *policy; /* the session's */
	struct slot *slot;
	uint32_t slot_number;
	struct slot_member member;
	pthread_t pthread;
	timer_t timer;                  /* ends the slice */
	bool has_timer;
	bool timed;                     /* the timer is armed, deadline_ns counts */
	uint64_t deadline_ns;           /* CLOCK_MONOTONIC */
	bool owes_flush;                /* before guest code runs: kept here until KVM has it */
	bool transferred;               /* the last park took over a request */
	struct shadow_reader *reader;   /* follows the vCPU's pointers: guest_pointer.h */
	struct vcpu_mode *mode;         /* the reader's; any thread: vcpu_mode.h */
	atomic_bool flush_asked;        /* by another vCPU's thread: request_flush.c */
	uint64_t sleep_until_ns;        /* of the sleep it is about to begin */
	bool unfinished;                /* KVM_RUN has to complete the last doorbell yet */
	uint64_t parked_ticks;          /* TSC when the park began */
	uint32_t exit_kind;             /* of the exit in hand: EXIT_KIND_ or a doorbell */
	uint64_t running_ticks;         /* TSC when it was last unparked */
	struct trace_ring *trace;       /* NULL: nothing is traced */
	uint64_t exit_ticks;            /* TSC at that exit; 0: in the guest, or parked */
	struct vcpu_counts counts;      /* of the job in hand; main zeroes them */
	uint64_t first_doorbell_ns;     /* CLOCK_MONOTONIC; 0 not yet */
	uint64_t cpu_ns;                /* CPU time up to the last doorbell that ended a job,
	                                   or to the thread's end */
	uint64_t involuntary_switches;  /* the same */
	atomic_uint state;              /* enum vcpu_state; others look at it */
	struct kvm_regs regs;           /* as it left, these three */
	uint8_t pending_vector;         /* the highest; 0: none */
	uint8_t vector_in_service;      /* the same */
	struct why why;
};

/* vcpu_state_of - where a vCPU is, or was a moment ago: relaxed, a hint to all but its own
 * thread; vcpu_state_set - by its own thread. */
static inline enum vcpu_state vcpu_state_of(const struct vcpu_thread *thread)
{
	return (enum vcpu_state)atomic_load_explicit(&thread->state, memory_order_relaxed);
}

static inline void vcpu_state_set(struct vcpu_thread *thread, enum vcpu_state state)
{
	atomic_store_explicit(&thread->state, state, memory_order_relaxed);
}

/* vcpu_is_interrupted - does an interrupt wait for the sleeping vCPU of @member? By
 * any thread, under the slot's lock: the vCPU is off its slot. */
bool vcpu_is_interrupted(struct slot_member *member);

/**
 * vcpu_run - KVM_RUN. Counts a flush that was asked for when KVM has found
 * KVM_VCPU_FLUSH_TLB in its byte, or has erased it. A KVM_RUN that returns too early to look
 * leaves the bit there for the next one.
 *
 * Returns: as kvm_run().
 */
__attribute__((warn_unused_result))
int vcpu_run(struct vcpu_thread *thread);

/**
 * vcpu_complete - the instruction at which the vCPU has left KVM_RUN, if it still has to be.
 *
 * Threads: the vCPU's own, outside KVM_RUN.
 * Errors:  as vcpu_finish_instruction().
 */
__attribute__((warn_unused_result))
static inline int vcpu_complete(struct vcpu_thread *thread)
{
	int error = thread->unfinished ? vcpu_finish_instruction(&thread->vcpu, &thread->why) : 0;

	thread->unfinished = false;
	return error;
}

#endif
