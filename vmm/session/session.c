// SPDX-License-Identifier: MIT
/*
 * session.c - a booted machine and its jobs (session.h).
 *
 * Threads: main; vCPU threads call session_vcpu_ready(), session_vcpu_failed(),
 *          session_initiator_stopped() and session_break().
 */
#include "session.h"

#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include "clock.h"
#include "confine.h"
#include "host_load.h"
#include "sample.h"
#include "stamps.h"
#include "standstill.h"

#ifndef PATIENCE_NS
#define PATIENCE_NS (30 * NS_PER_S)
#endif
#define LOOK_EVERY_NS (100 * NS_PER_MS)
#define UNSEEN_MOST_NS NS_PER_S         /* of a guest that stands still, between two looks */
#define UNTHROTTLED_LEAST 64            /* one part in so many counts, however throttled */

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
		thread->slot = &session->slots[i % session->slot_count];
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
			error = pthread_create(&thread->pthread, &attributes, vcpu_thread_main,
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

static void end_threads(struct session *session)
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

/* Wait until the job in hand is done. */
static int wait_done(struct session *session, struct why *why)
{
	while (!session_is_done(session)) {
		uint64_t now = clock_ns();
		int error = session_check(session, now, why);

		if (error != 0)
			return error;
		if (loop_wait(session->loop, now + LOOK_EVERY_NS) & LOOP_SIGNAL)
			return why_set(why, EXIT_OK, EINTR, "interrupted before anything was measured");
	}
	return session_failure(session, why);
}

static int read_tsc_frequency(struct session *session, struct why *why)
{
	int khz = kvm_get_tsc_khz(session->threads[0].vcpu.fd, why);

	if (khz == 0)
		return why_set(why, EXIT_HOST, ENOTSUP, "KVM_GET_TSC_KHZ: unknown");
	session->tsc_hz = khz > 0 ? (uint64_t)khz * 1000 : 0;
	return khz < 0 ? khz : 0;
}

/* What comes next has its whole time (session_check()). */
static void begin_patience(struct session *session)
{
	session->checked_ns = clock_ns();
	session->still_ns = 0;
	session->throttled_ns = throttle_read(&session->throttle).ns;
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
		.shape = *shape, .loop = loop, .protocol = &protocol_plain,
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
	begin_patience(session);
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

/* All are queued before the first slot is given out: who runs first does not depend on
 * who came first. */
static void open_slots(struct session *session)
{
	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		slot_queue(session->threads[i].slot, &session->threads[i].member);
	for (uint32_t i = 0; i < session->slot_count; i++)
		slot_open(&session->slots[i]);
}

int session_boot(struct session *session, struct why *why)
{
	/* Wait for the threads first: they ring in as at the end of a job. */
	int error = wait_done(session, why);

	if (error == 0)
		error = read_tsc_frequency(session, why);
	if (error != 0)
		return error;
	atomic_store(&session->ready, 0);
	begin_patience(session);
	open_slots(session);
	return wait_done(session, why);
}

void session_destroy(struct session *session)
{
	if (confine_stopped_thread())
		return;
	end_threads(session);
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

void session_set_entry_flush(struct session *session, enum entry_flush way)
{
	session->entry_flush = way;
	session->settles = session->shape.marks_preempted;
}

static void fill_control(struct session *session, const struct session_job *job)
{
	struct sd_control *control = guest_control(&session->machine.memory);

	control->job = job->kind;
	control->protocol = job->protocol;
	control->pace_ticks = job->pace_ticks;
	control->flush_quota = job->flush_quota;
	control->floor_interval = job->floor_interval;
	control->seed = job->seed;
	control->litmus = job->litmus;
	control->tsc_hz = session->tsc_hz;
	control->ple_ticks = ns_ticks(session->shape.ple_ns, session->tsc_hz);
	control->break_ticks = ns_ticks(session->shape.break_ns, session->tsc_hz);
	control->sleep_ticks = ns_ticks(session->shape.sleep_ns, session->tsc_hz);
	control->stamp_ticks = ns_ticks(session->shape.stamp_ns, session->tsc_hz);
	sd_u32_store(&control->stop_initiators, 0);
	sd_u32_store(&control->stop_observers, 0);
	sd_u32_store(&control->recording, 0);
}

/* These go on until they are stopped; all others end by themselves. */
static bool is_workload(uint32_t job)
{
	return job == SD_JOB_TOGGLE || job == SD_JOB_CHURN || job == SD_JOB_TEARDOWN ||
		job == SD_JOB_LITMUS;
}

/* Into the ring of a job that ends by itself. */
static uint32_t samples_of(uint32_t job)
{
	if (is_workload(job) || job == SD_JOB_ENTRY_FLUSH)
		return 0;
	return job == SD_JOB_COST_KICK || job == SD_JOB_COST_KICK_FLUSH ? SD_COST_KICKS
									: SD_COST_SAMPLES;
}

static void start_slots(struct session *session, const struct session_job *job)
{
	const struct preempt_ops *preempt = session->shape.preempt;

	for (uint32_t i = 0; i < session->slot_count; i++) {
		struct slot *slot = &session->slots[i];

		slot->released_ticks = 0;
		histogram_init(&slot->switches);
		slot->preempt = preempt != NULL && is_workload(job->kind) ? preempt
									  : &preempt_slice;
		preempt_throw(&slot->dice, job->seed,
			      (uint64_t)job->round * SD_MAX_VCPUS + i);
	}
}

void session_start(struct session *session, const struct session_job *job)
{
	session->protocol = protocol_ops_of(job->protocol);
	session->initiators_to_stop = job->initiators_to_stop;
	session->samples_expected = samples_of(job->kind);
	session->unread_most = 0;
	/* All others end by themselves. */
	session->stopping = !is_workload(job->kind);
	session->recording = false;
	session->recorded = 0;
	atomic_store(&session->ready, 0);
	atomic_store(&session->stopped, 0);
	guest_memory_reset_job(&session->machine.memory);
	fill_control(session, job);
	begin_patience(session);
	start_slots(session, job);
	/* Every job starts from clean TLBs, whatever the last protocol left. */
	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		session->threads[i].owes_flush = true;
		session->threads[i].counts = (struct vcpu_counts){ 0 };
		if (session->protocol->start != NULL)
			session->protocol->start(session->threads[i].vcpu.region);
	}
	open_slots(session);
}

void session_record(struct session *session)
{
	session->recording = true;
	sd_u32_store(&guest_control(&session->machine.memory)->recording, 1);
}

void session_count_flush(struct session *session)
{
	session->recorded++;
}

void session_stop_job(struct session *session)
{
	session->stopping = true;
	sd_u32_store(&guest_control(&session->machine.memory)->stop_initiators, 1);
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

/* The warm-up's, which ends by itself: nothing else believes the guest's numbers. Modulo
 * 2^64: only that it changes counts. */
static uint64_t flushes_counted_by_guest(const struct session *session)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < session->shape.initiators; i++)
		sum += sd_u64_load(&guest_region(&session->machine.memory, i)->flushes);
	return sum;
}

/* A job that measures a primitive fills a ring that is read when it is over: the most that was
 * ever in it grows, and has an end. */
static void note_samples(struct session *session)
{
	const struct sd_region *region = guest_region(&session->machine.memory, 0);
	uint64_t unread = sd_u64_load(&region->ring_head) - session->tails[0];

	if (unread <= SD_RING_SAMPLES && unread > session->unread_most)
		session->unread_most = unread;
}

/* Of work that has to be done once. Otherwise a guest could use up all patience on each bit
 * of it, and last for hours. */
static uint64_t quarters(uint64_t done, uint64_t of)
{
	return of == 0 ? 0 : 4 * (done < of ? done : of) / of;
}

/* Changes as long as the guest gets anywhere. A guest that only looks busy is found
 * out: flushes count while recorded, which the quota or the time ends; when the job is
 * being stopped, only what a vCPU has to do once. */
static uint64_t progress_of(const struct session *session)
{
	uint32_t stopped = atomic_load(&session->stopped), to_stop = session->initiators_to_stop;
	uint64_t done = atomic_load(&session->ready) + (stopped < to_stop ? stopped : to_stop);
	uint64_t sum = quarters(done, (uint64_t)session->shape.vcpus + to_stop);

	if (session->stopping)
		return sum + quarters(session->unread_most, session->samples_expected);
	return sum + (session->recording ? session->recorded : flushes_counted_by_guest(session));
}

static uint64_t patience_ns(const struct session *session)
{
	uint64_t a_slot = (session->shape.vcpus + session->shape.slots - 1) / session->shape.slots;
	uint64_t rotations = 4 * a_slot * session->shape.slice_ns;

	return rotations > PATIENCE_NS ? rotations : PATIENCE_NS;
}

/* Of @unseen_ns, what a guest could have used: not the time in which our cgroups were
 * throttled, CPU by CPU. A little is left, so that one that stands still under the
 * smallest quota is found out too. */
static uint64_t usable_ns(struct session *session, uint64_t unseen_ns)
{
	uint64_t throttled_ns = throttle_read(&session->throttle).ns;
	uint64_t since_ns = (throttled_ns - session->throttled_ns) / host_load_cpus(session);
	uint64_t most_ns = unseen_ns - unseen_ns / UNTHROTTLED_LEAST;

	session->throttled_ns = throttled_ns;
	return unseen_ns - (since_ns < most_ns ? since_ns : most_ns);
}

static void note_progress(struct session *session, uint64_t progress, uint64_t now_ns)
{
	uint64_t unseen_ns = now_ns - session->checked_ns;

	if (progress != session->progress)
		session->still_ns = 0;
	else
		session->still_ns += usable_ns(session, unseen_ns < UNSEEN_MOST_NS ? unseen_ns
										   : UNSEEN_MOST_NS);
	session->progress = progress;
	session->checked_ns = now_ns;
}

int session_check(struct session *session, uint64_t now_ns, struct why *why)
{
	int error = session_failure(session, why);
	uint64_t progress;

	note_samples(session);
	progress = progress_of(session);
	guest_log_print(&session->log, stderr);
	if (error != 0)
		return error;
	note_progress(session, progress, now_ns);
	if (session->still_ns < patience_ns(session))
		return 0;
	end_threads(session);
	error = why_set(why, EXIT_GUEST, ETIMEDOUT, "the guest made no progress for %llu s",
			(unsigned long long)(patience_ns(session) / NS_PER_S));
	why->more = standstill_text(session);
	return error;
}

int session_run(struct session *session, const struct session_job *job, struct why *why)
{
	session_start(session, job);
	session_record(session);
	return wait_done(session, why);
}

bool session_is_broken(const struct session *session)
{
	return atomic_load_explicit(&session->broken, memory_order_acquire) == BREAK_SEEN;
}

static void look_at(const struct session *session, uint32_t vcpu, struct vcpu_snapshot *snapshot)
{
	const struct vcpu_thread *thread = &session->threads[vcpu];
	const struct sd_region *region = guest_region(&session->machine.memory, vcpu);

	*snapshot = (struct vcpu_snapshot){
		.state = vcpu_state_name(vcpu_state_of(thread)),
		.slot = (uint32_t)(thread->slot - session->slots),
		.request = sd_u32_load(&region->request),
		.served = sd_u32_load(&region->served),
		.preempted = sd_u8_load(&region->preempted),
	};
}

void session_break(struct session *session)
{
	unsigned none = BREAK_NONE;

	if (session->shape.snapshot == NULL ||
	    !atomic_compare_exchange_strong(&session->broken, &none, BREAK_LOOKS))
		return;
	/* At once, not when main gets to it: so no initiator begins another flush. */
	sd_u32_store(&guest_control(&session->machine.memory)->stop_initiators, 1);
	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		look_at(session, i, &session->shape.snapshot[i]);
	/* PAIR(session-break): release here. Orders: the snapshot. */
	atomic_store_explicit(&session->broken, BREAK_SEEN, memory_order_release);
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
