/* SPDX-License-Identifier: MIT */
/*
 * exits.h - how often and how long a vCPU is out of the guest, by reason.
 *
 * From the return of KVM_RUN to the next one, or to the park: two readings of the TSC
 * an exit. By the vCPU's own thread.
 */
#ifndef EXITS_H
#define EXITS_H

#include <x86intrin.h>

#include "vcpu_thread.h"

/* exit_begin - KVM_RUN has returned; a doorbell is told from a signal later. */
static inline void exit_begin(struct vcpu_thread *thread)
{
	thread->exit_kind = EXIT_KIND_SIGNAL;
	thread->exit_ticks = __rdtsc();
}

/* exit_end - the vCPU enters again, or is parked, at @now_ticks. Nothing, if it has
 * not been in the guest since its last park. */
static inline void exit_end(struct vcpu_thread *thread, uint64_t now_ticks)
{
	struct exit_count *count = &thread->counts.exits[thread->exit_kind];
	uint64_t ticks = now_ticks - thread->exit_ticks;

	if (thread->exit_ticks == 0)
		return;
	trace_add(thread->trace, TRACE_EXIT, thread->exit_ticks, now_ticks, thread->exit_kind);
	thread->exit_ticks = 0;
	count->count++;
	count->ticks += ticks;
	if (ticks > count->max_ticks)
		count->max_ticks = ticks;
}

#endif
