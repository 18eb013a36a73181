// SPDX-License-Identifier: MIT
/*
 * session_life.c - a session's beginning and end (session_life.h).
 *
 * Threads: main, but for confine_reclaim().
 */
#include "session_life.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "confine.h"
#include "host_load.h"
#include "stamps.h"
#include "vcpu_loop.h"

static int allocate(struct session *session, struct why *why)
{
	const struct session_shape *shape = &session->shape;

	session->slot_count = shape->shares_cpus ? shape->vcpus : shape->slots;
	session->slots = calloc(session->slot_count, sizeof(*session->slots));
	session->threads = calloc(shape->vcpus, sizeof(*session->threads));
	if (session->slots == NULL || session->threads == NULL)
		return why_set(why, EXIT_HOST, ENOMEM, "%u vCPUs: %s", shape->vcpus, strerror(ENOMEM));
	for (uint32_t i = 0; i < session->slot_count; i++)
		slot_init(&session->slots[i], (int)cpus_nth(&shape->cpus, i % shape->slots),
			  shape->slice_ns, shape->slice_ns * i / session->slot_count);
	for (uint32_t i = 0; i < shape->vcpus; i++) {
		struct vcpu_thread *thread = &session->threads[i];

		thread->vcpu.id = i;
		thread->vcpu.fd.fd = -1;
		thread->session = session;
		thread->policy = &session->park;
		thread->slot_number = i % session->slot_count;
		thread->slot = &session->slots[thread->slot_number];
		slot_member_init(&thread->member, i);
		thread->member.is_interrupted = vcpu_is_interrupted;
		if (shape->trace_rings != NULL)
			thread->trace = &shape->trace_rings[i];
	}
	return 0;
}

/* On the thread that frees the tables of the secondary MMU. */
static void confine_reclaim(void *context)
{
	struct session *session = context;
	struct why why = { 0 };

	if (confine_enter(CONFINE_RECLAIM, &why) != 0)
		session_vcpu_failed(session, &why);
}

static int create_shadow(struct session *session, struct why *why)
{
	struct shadow_config config = {
		.frames = &session->frames,
		.reclaim = session->shape.reclaim != NULL ? session->shape.reclaim : &reclaim_mode,
		.readers = session->shape.vcpus + 1,
	};
	int error = frames_create(&session->frames, &session->machine.memory,
				  session->shape.spare_frames, why);

	if (error == 0 && shadow_create(&session->shadow, &config) != 0)
		error = why_set(why, EXIT_HOST, ENOMEM, "secondary MMU: %s", strerror(ENOMEM));
	if (error != 0)
		return error;
	if (session->shape.stamp_ns != 0)
		stamps_write(&session->machine.memory);
	shadow_on_own_thread(session->shadow, confine_reclaim, session);
	shadow_thread_begin(session->shadow);
	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		session->threads[i].reader = shadow_reader(session->shadow, i);
		session->threads[i].mode = shadow_mode(session->threads[i].reader);
	}
	return 0;
}

static void destroy_shadow(struct session *session)
{
	if (session->shadow != NULL)
		shadow_thread_end(session->shadow);
	shadow_destroy(session->shadow);
	session->shadow = NULL;
	frames_destroy(&session->frames);
}

static int start_threads(struct session *session, struct why *why)
{
	pthread_attr_t attributes;
	int error = 0;

	pthread_attr_init(&attributes);
	while (error == 0 && session->started < session->shape.vcpus) {
		struct vcpu_thread *thread = &session->threads[session->started];
		struct cpus cpu = { 0 };

		/* A thread runs on its CPU from its first moment: moving itself would hold it up. */
		cpus_add(&cpu, (uint32_t)thread->slot->cpu);
		error = pthread_attr_setaffinity_np(&attributes, sizeof(cpu), cpus_set(&cpu));
		if (error == 0)
			error = pthread_create(&thread->pthread, &attributes, vcpu_loop,
					       thread);
		if (error == 0)
			session->started++;
	}
	pthread_attr_destroy(&attributes);
	if (error != 0)
		return why_set(why, EXIT_HOST, error, "thread of vCPU %u: %s%s", session->started,
			       strerror(error), error == EAGAIN
			       ? " (RLIMIT_NPROC, or pids.max of a cgroup)" : "");
	return 0;
}

void session_end_threads(struct session *session)
{
	atomic_store(&session->quit, true);
	if (session->stage != NULL)
		stage_close(session->stage);
	for (uint32_t i = 0; i < session->started; i++)
		slot_member_quit(&session->threads[i].member);
	for (uint32_t i = 0; i < session->started; i++)
		pthread_join(session->threads[i].pthread, NULL);
	session->started = 0;
}

int session_create(struct session *session, struct loop *loop, struct kvm_system system,
		   const struct session_shape *shape, struct machine_payload payload,
		   struct why *why)
{
	struct machine_shape machine_shape = {
		.vcpus = shape->vcpus,
		.initiators = shape->initiators,
		.pages = shape->pages,
		.steps = shape->steps,
		.by_page = shape->by_page,
		.sleepers = shape->sleepers,
		.free_after_grace = shape->free_after_grace,
		.trace = shape->trace_rings != NULL,
	};
	int error;

	*session = (struct session){
		.shape = *shape, .loop = loop, .park = { .protocol = &protocol_plain, .clears_pending = shape->clears_pending },
		.claims = payload.is_foreign,
	};
	/* Nothing that the guest counts while it boots is progress. */
	session->stopping = true;
	pthread_mutex_init(&session->lock, NULL);
	guest_log_init(&session->log);
	/* Threads that are confined may not map an arena of their own. */
	(void)mallopt(M_ARENA_MAX, 1);
	host_load_open(session);
	error = machine_create(&session->machine, system, machine_shape, payload, why);
	if (error != 0) {
		host_load_close(session);
		return error;
	}
	/* Nothing is owed while booting; entry_flush_choose() decides. */
	session_set_entry_flush(session, ENTRY_FLUSH_SREGS);
	session->started_ticks = __rdtsc();
	error = allocate(session, why);
	if (error == 0)
		error = create_shadow(session, why);
	if (error == 0)
		error = start_threads(session, why);
	if (error != 0)
		session_destroy(session);
	return error;
}

void session_destroy(struct session *session)
{
	if (confine_stopped_thread())
		return;
	session_end_threads(session);
	for (uint32_t i = 0; session->threads != NULL && i < session->shape.vcpus; i++)
		vcpu_thread_clear(&session->threads[i]);
	host_load_close(session);
	for (uint32_t i = 0; session->slots != NULL && i < session->slot_count; i++)
		slot_destroy(&session->slots[i]);
	free(session->slots);
	free(session->threads);
	session->slots = NULL;
	session->threads = NULL;
	destroy_shadow(session);
	machine_destroy(&session->machine);
	pthread_mutex_destroy(&session->lock);
	guest_log_print(&session->log, stderr);
	guest_log_print_dropped(&session->log, stderr);
	guest_log_destroy(&session->log);
}
