// SPDX-License-Identifier: MIT
/*
 * job.c - one job after another, from start to end (job.h).
 *
 * Threads: main.
 */
#include "job.h"

#include "clock.h"
#include "sample.h"
#include "watchdog.h"

#define LOOK_EVERY_NS (100 * NS_PER_MS)

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

/* All are queued before the first slot is given out: who runs first does not depend on
 * who came first. */
static void open_slots(struct session *session)
{
	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		slot_queue(session->threads[i].slot, &session->threads[i].member);
	for (uint32_t i = 0; i < session->slot_count; i++)
		slot_open(&session->slots[i]);
}

void session_start(struct session *session, const struct session_job *job)
{
	session->park.protocol = protocol_ops_of(job->protocol);
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
	watchdog_begin(session);
	start_slots(session, job);
	/* Every job starts from clean TLBs, whatever the last protocol left. */
	for (uint32_t i = 0; i < session->shape.vcpus; i++) {
		session->threads[i].owes_flush = true;
		session->threads[i].counts = (struct vcpu_counts){ 0 };
		if (session->park.protocol->start != NULL)
			session->park.protocol->start(session->threads[i].vcpu.region);
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

int session_boot(struct session *session, struct why *why)
{
	int error;

	watchdog_begin(session);
	/* Wait for the threads first: they ring in as at the end of a job. */
	error = wait_done(session, why);
	if (error == 0)
		error = read_tsc_frequency(session, why);
	if (error != 0)
		return error;
	atomic_store(&session->ready, 0);
	watchdog_begin(session);
	open_slots(session);
	return wait_done(session, why);
}

int session_run(struct session *session, const struct session_job *job, struct why *why)
{
	session_start(session, job);
	session_record(session);
	return wait_done(session, why);
}
