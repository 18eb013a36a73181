// SPDX-License-Identifier: MIT
/*
 * request_flush.c - flushes asked for by another vCPU (request_flush.h).
 *
 * Threads: vCPU threads. flush_asked is set by any of them and taken by its
 *          owner; the mode is vcpu_mode.h's.
 */
#include "request_flush.h"

#include <sched.h>
#include <x86intrin.h>

#include "guest_pointer.h"
#include "park.h"
#include "session.h"

/* Only a vCPU that is in the guest is signalled, and only once. */
static bool kick(struct vcpu_thread *target)
{
	if (!vcpu_mode_kick(target->mode))
		return false;
	slot_kick(&target->member);
	return true;
}

/* Out of the guest since the request was made, or the request has been taken:
 * either way it flushes before it runs guest code. The caller that returned
 * before that was KVM's own bug of 2021. */
static bool is_covered(struct vcpu_thread *target)
{
	return !vcpu_mode_is_in_guest(target->mode) || !atomic_load(&target->flush_asked);
}

static bool is_target(const struct sd_flush_request *request, uint32_t vcpu)
{
	return request->targets[vcpu / 64] >> vcpu % 64 & 1;
}

static bool is_sound(const struct sd_flush_request *request, uint32_t vcpus)
{
	uint64_t top = request->start + request->pages * SD_PAGE_BYTES;

	for (uint32_t i = vcpus; i < SD_MAX_VCPUS; i++)
		if (is_target(request, i))
			return false;
	/* The lower half, where all of the guest's memory is. */
	return request->start % SD_PAGE_BYTES == 0 && request->pages <= UINT32_MAX &&
		top >= request->start && top <= UINT64_C(1) << 47;
}

/* The request is the guest's, which may go on writing: copied once, then checked. */
static int read_request(struct vcpu_thread *thread, struct sd_flush_request *request)
{
	uint64_t gva = sd_u64_load(&thread->vcpu.region->argument);
	int error = guest_pointer_copy(thread, gva, request, sizeof(*request), "flush request");

	if (error != 0)
		return error;
	if (!is_sound(request, thread->session->shape.vcpus))
		return why_set(&thread->why, EXIT_GUEST, EINVAL,
			       "vCPU %u: flush request of %llu pages from 0x%llx, or its targets, make no sense",
			       thread->vcpu.id, (unsigned long long)request->pages,
			       (unsigned long long)request->start);
	return 0;
}

static void trace_asked(struct vcpu_thread *thread, uint32_t target, bool kicked)
{
	uint64_t now;

	if (thread->trace == NULL)
		return;
	now = __rdtsc();
	trace_add(thread->trace, kicked ? TRACE_KICKED : TRACE_DEFERRED, now, now, target);
}

int request_flush_others(struct vcpu_thread *thread)
{
	struct session *session = thread->session;
	struct sd_flush_request request;
	int error = read_request(thread, &request);

	if (error != 0)
		return error;
	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		struct vcpu_thread *target = &session->threads[i];
		bool kicked;

		if (target == thread || !is_target(&request, i))
			continue;
		/* PAIR(request-mode): a locked exchange is the fence. */
		(void)atomic_exchange(&target->flush_asked, true);
		kicked = kick(target);
		thread->counts.kicks += kicked;
		trace_asked(thread, i, kicked);
	}
	/* A target that is outside may be following a pointer by what it has found before. */
	shadow_flush(session->shadow, request.targets, session->shape.vcpus);
	/* One in the guest may have lost its CPU to somebody else. */
	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		while (&session->threads[i] != thread && is_target(&request, i) &&
		       !is_covered(&session->threads[i]))
			sched_yield();
	return 0;
}

int request_flush_enter(struct vcpu_thread *thread)
{
	int error;

	/* PAIR(request-mode): its locked exchange is the fence. */
	vcpu_mode_enter_guest(thread->mode);
	if (!atomic_load(&thread->flush_asked))
		return 0;
	vcpu_mode_leave_guest(thread->mode);
	thread->owes_flush |= atomic_exchange(&thread->flush_asked, false);
	/* Not in mid-instruction: its operands may have been translated. */
	error = vcpu_complete(thread);
	if (error == 0)
		error = vcpu_settle_and_flush(thread);
	return error != 0 ? error : 1;
}

void request_flush_leave(struct vcpu_thread *thread)
{
	vcpu_mode_leave_guest(thread->mode);
	/* The guest may have changed its tables, and loaded CR3. */
	shadow_exit_begin(thread->reader);
}
