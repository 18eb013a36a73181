// SPDX-License-Identifier: MIT
/*
 * session.c - a booted machine and its jobs (session.h).
 *
 * Threads: main, but for the last three functions, which vCPU threads call.
 */
#include "session.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"

#define THREAD_STACK_BYTES (256u << 10)
#define PATIENCE_NS (30 * NS_PER_S)
#define LOOK_EVERY_NS (100 * NS_PER_MS)

/* A vCPU takes a descriptor; some more for everything else. */
static void raise_descriptor_limit(uint32_t vcpus)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= vcpus + 64)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Slot @index goes to the CPUs in turn. */
static int cpu_of_slot(const cpu_set_t *cpus, uint32_t index)
{
	int nth = (int)(index % (uint32_t)CPU_COUNT(cpus));

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, cpus) && nth-- == 0)
			return cpu;
	return 0;
}

static int allocate(struct session *session, struct why *why)
{
	const struct session_shape *shape = &session->shape;

	session->slot_count = shape->shares_cpus ? shape->vcpus : shape->slots;
	session->slots = calloc(session->slot_count, sizeof(*session->slots));
	session->threads = calloc(shape->vcpus, sizeof(*session->threads));
	if (session->slots == NULL || session->threads == NULL)
		return why_set(why, EXIT_HOST, ENOMEM, "%u vCPUs: %s", shape->vcpus, strerror(ENOMEM));
	for (uint32_t i = 0; i < session->slot_count; i++)
		slot_init(&session->slots[i], cpu_of_slot(&shape->cpus, i % shape->slots),
			  shape->slice_ns, shape->slice_ns * i / session->slot_count);
	for (uint32_t i = 0; i < shape->vcpus; i++) {
		struct vcpu_thread *thread = &session->threads[i];

		thread->vcpu.id = i;
		thread->vcpu.fd.fd = -1;
		thread->session = session;
		thread->slot = &session->slots[i % session->slot_count];
		slot_member_init(&thread->member, i);
		thread->member.is_interrupted = vcpu_is_interrupted;
	}
	return 0;
}

static int start_threads(struct session *session, struct why *why)
{
	pthread_attr_t attributes;
	int error = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES);
	while (error == 0 && session->started < session->shape.vcpus) {
		struct vcpu_thread *thread = &session->threads[session->started];
		cpu_set_t cpu;

		/* From its first moment: a thread that moves itself is held up. */
		CPU_ZERO(&cpu);
		CPU_SET((size_t)thread->slot->cpu, &cpu);
		error = pthread_attr_setaffinity_np(&attributes, sizeof(cpu), &cpu);
		if (error == 0)
			error = pthread_create(&thread->pthread, &attributes, vcpu_thread_main,
					       thread);
		if (error == 0)
			session->started++;
	}
	pthread_attr_destroy(&attributes);
	if (error != 0)
		return why_set(why, EXIT_HOST, error, "thread of vCPU %u: %s", session->started,
			       strerror(error));
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
	};
	int error;

	*session = (struct session){ .shape = *shape, .loop = loop, .protocol = &protocol_plain };
	pthread_mutex_init(&session->lock, NULL);
	raise_descriptor_limit(shape->vcpus);
	error = machine_create(&session->machine, system, machine_shape, payload, why);
	if (error != 0)
		return error;
	/* Nothing is owed while booting; entry_flush_choose() decides. */
	session_set_entry_flush(session, ENTRY_FLUSH_SREGS);
	session->progress_ns = clock_ns();
	error = allocate(session, why);
	if (error == 0)
		error = start_threads(session, why);
	if (error == 0)
		error = wait_done(session, why);
	if (error == 0)
		error = read_tsc_frequency(session, why);
	if (error != 0)
		session_destroy(session);
	return error;
}

void session_destroy(struct session *session)
{
	end_threads(session);
	for (uint32_t i = 0; session->slots != NULL && i < session->slot_count; i++)
		slot_destroy(&session->slots[i]);
	free(session->slots);
	free(session->threads);
	session->slots = NULL;
	session->threads = NULL;
	machine_destroy(&session->machine);
	pthread_mutex_destroy(&session->lock);
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
	control->sleep_ticks = ns_ticks(session->shape.sleep_ns, session->tsc_hz);
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
	session->stopping = !is_workload(job->kind);
	atomic_store(&session->ready, 0);
	atomic_store(&session->stopped, 0);
	guest_memory_reset_job(&session->machine.memory);
	fill_control(session, job);
	session->progress_ns = clock_ns();
	start_slots(session, job);
	/* Every job starts from clean TLBs, whatever the last protocol left. */
	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		session->threads[i].owes_flush = true;
		session->threads[i].counts = (struct vcpu_counts){ 0 };
		if (session->protocol->start != NULL)
			session->protocol->start(session->threads[i].vcpu.region);
	}
	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		slot_queue(session->threads[i].slot, &session->threads[i].member);
	for (uint32_t i = 0; i < session->slot_count; i++)
		slot_open(&session->slots[i]);
}

void session_record(struct session *session)
{
	sd_u32_store(&guest_control(&session->machine.memory)->recording, 1);
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
	if (!atomic_load(&session->failed))
		return 0;
	pthread_mutex_lock(&session->lock);
	*why = session->failure;
	pthread_mutex_unlock(&session->lock);
	return -EIO;
}

/* Changes as long as the guest gets anywhere. The guest's numbers are only
 * compared with what they were, and a guest that keeps them moving but never
 * stops is found out: then only what it has to do once counts. */
static uint64_t progress_of(const struct session *session)
{
	uint32_t stopped = atomic_load(&session->stopped);
	uint64_t sum = atomic_load(&session->ready);

	sum += stopped < session->initiators_to_stop ? stopped : session->initiators_to_stop;
	for (uint32_t i = 0; !session->stopping && i < session->shape.initiators; i++) {
		const struct sd_region *region = guest_region(&session->machine.memory, i);

		sum += sd_u64_load(&region->flushes) + sd_u64_load(&region->ring_head);
	}
	return sum;
}

static uint64_t patience_ns(const struct session *session)
{
	uint64_t a_slot = (session->shape.vcpus + session->shape.slots - 1) / session->shape.slots;
	uint64_t rotations = 4 * a_slot * session->shape.slice_ns;

	return rotations > PATIENCE_NS ? rotations : PATIENCE_NS;
}

/* One line a vCPU, to stderr: the only words printed outside main, because there
 * may be a thousand of them. The threads have ended: their fields are quiet. */
static void print_vcpus(const struct session *session)
{
	static const char *const names[] = {
		[VCPU_CREATING] = "being created",
		[VCPU_RUNNING] = "running",
		[VCPU_PARKED] = "parked",
		[VCPU_ASLEEP] = "asleep",
		[VCPU_IDLE] = "done",
	};

	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		const struct vcpu_thread *thread = &session->threads[i];
		const struct sd_region *region = guest_region(&session->machine.memory, i);

		fprintf(stderr, "vmm: vCPU %u: %s, rip 0x%llx, request 0x%x, served 0x%x\n", i,
			names[thread->state], (unsigned long long)thread->regs.rip,
			sd_u32_load(&region->request), sd_u32_load(&region->served));
	}
}

int session_check(struct session *session, uint64_t now_ns, struct why *why)
{
	uint64_t progress = progress_of(session);
	int error = session_failure(session, why);

	if (error != 0)
		return error;
	if (progress != session->progress) {
		session->progress = progress;
		session->progress_ns = now_ns;
	}
	if (now_ns - session->progress_ns < patience_ns(session))
		return 0;
	end_threads(session);
	print_vcpus(session);
	return why_set(why, EXIT_GUEST, ETIMEDOUT, "the guest made no progress for %llu s",
		       (unsigned long long)(patience_ns(session) / NS_PER_S));
}

int session_run(struct session *session, const struct session_job *job, struct why *why)
{
	session_start(session, job);
	session_record(session);
	return wait_done(session, why);
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
