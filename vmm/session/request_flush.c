// SPDX-License-Identifier: MIT
/*
 * request_flush.c - flushes asked for by another vCPU (request_flush.h).
 *
 * Threads: vCPU threads. flush_asked is set by any of them and taken by its
 *          owner; mode is written by its owner, and from IN_GUEST to EXITING by
 *          whoever kicks.
 */
#include "request_flush.h"

#include <sched.h>

#include "park.h"
#include "session.h"

/* Only a vCPU that is in the guest is signalled, and only once. */
static bool kick(struct vcpu_thread *target)
{
	unsigned mode = VCPU_IN_GUEST_MODE;

	if (!atomic_compare_exchange_strong(&target->mode, &mode, VCPU_EXITING_GUEST_MODE))
		return false;
	slot_kick(&target->member);
	return true;
}

/* Out of the guest since the request was made, or the request has been taken:
 * either way it flushes before it runs guest code. The caller that returned
 * before that was KVM's own bug of 2021. */
static bool is_covered(struct vcpu_thread *target)
{
	return atomic_load(&target->mode) == VCPU_OUTSIDE_GUEST_MODE ||
		!atomic_load(&target->flush_asked);
}

void request_flush_others(struct vcpu_thread *thread)
{
	struct session *session = thread->session;

	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		struct vcpu_thread *target = &session->threads[i];

		if (target == thread)
			continue;
		/* PAIR(request-mode): a locked exchange is the fence. */
		(void)atomic_exchange(&target->flush_asked, true);
		thread->kicks += kick(target);
	}
	/* A target in the guest may have lost its CPU to somebody else. */
	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		while (&session->threads[i] != thread && !is_covered(&session->threads[i]))
			sched_yield();
}

int request_flush_enter(struct vcpu_thread *thread)
{
	int error;

	/* PAIR(request-mode): a locked exchange is the fence. */
	(void)atomic_exchange(&thread->mode, VCPU_IN_GUEST_MODE);
	if (!atomic_load(&thread->flush_asked))
		return 0;
	atomic_store(&thread->mode, VCPU_OUTSIDE_GUEST_MODE);
	thread->owes_flush |= atomic_exchange(&thread->flush_asked, false);
	/* Not in mid-instruction: its operands may have been translated. */
	error = thread->unfinished ? vcpu_finish_instruction(&thread->vcpu, &thread->why) : 0;
	thread->unfinished = false;
	if (error == 0)
		error = vcpu_settle_and_flush(thread);
	return error != 0 ? error : 1;
}

void request_flush_leave(struct vcpu_thread *thread)
{
	atomic_store_explicit(&thread->mode, VCPU_OUTSIDE_GUEST_MODE, memory_order_release);
}
