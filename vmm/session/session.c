// SPDX-License-Identifier: MIT
/*
 * session.c - how the threads of a session tell each other how far they are (session.h).
 *
 * Threads: main; vCPU threads call session_vcpu_ready(), session_vcpu_failed(),
 *          session_initiator_stopped() and session_break().
 */
#include "session.h"

#include "confine.h"

void session_set_entry_flush(struct session *session, enum entry_flush way)
{
	session->park.entry_flush = way;
	session->park.settles = session->shape.marks_preempted;
}

bool session_is_done(struct session *session)
{
	return atomic_load_explicit(&session->ready, memory_order_acquire) ==
		session->shape.vcpus;
}

int session_failure(struct session *session, struct why *why)
{
	int error = confine_failure(why);

	if (error != 0 || !atomic_load(&session->failed))
		return error;
	pthread_mutex_lock(&session->lock);
	*why = session->failure;
	pthread_mutex_unlock(&session->lock);
	return -EIO;
}

static void look_at(const struct session *session, uint32_t vcpu, struct vcpu_snapshot *snapshot)
{
	const struct vcpu_thread *thread = &session->threads[vcpu];
	const struct sd_region *region = guest_region(&session->machine.memory, vcpu);

	*snapshot = (struct vcpu_snapshot){
		.state = vcpu_state_name(vcpu_state_of(thread)),
		.slot = thread->slot_number,
		.request = sd_u32_load(&region->request),
		.served = sd_u32_load(&region->served),
		.preempted = sd_u8_load(&region->preempted),
	};
}

void session_break(struct session *session)
{
	if (session->shape.snapshot == NULL || atomic_exchange(&session->broken, true))
		return;
	/* At once, not when main gets to it: so no initiator begins another flush. */
	sd_u32_store(&guest_control(&session->machine.memory)->stop_initiators, 1);
	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		look_at(session, i, &session->shape.snapshot[i]);
	loop_wake(session->loop);
}

void session_vcpu_ready(struct session *session)
{
	/* PAIR(session-ready): release here, acquire in session_is_done(). */
	unsigned before = atomic_fetch_add_explicit(&session->ready, 1, memory_order_acq_rel);

	if (before + 1 == session->shape.vcpus)
		loop_wake(session->loop);
}

void session_initiator_stopped(struct session *session)
{
	unsigned before = atomic_fetch_add(&session->stopped, 1);

	if (before + 1 == session->initiators_to_stop)
		sd_u32_store(&guest_control(&session->machine.memory)->stop_observers, 1);
}

void session_vcpu_failed(struct session *session, const struct why *why)
{
	pthread_mutex_lock(&session->lock);
	if (!atomic_load(&session->failed))
		session->failure = *why;
	atomic_store(&session->failed, true);
	pthread_mutex_unlock(&session->lock);
	loop_wake(session->loop);
}
