// SPDX-License-Identifier: MIT
/*
 * host_costs.c - what this host's primitives cost (host_costs.h).
 *
 * Threads: main; futex hand-over by two threads of its own.
 */
#include "host_costs.h"

#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "confine.h"
#include "entry_flush_test.h"
#include "host_facts.h"
#include "job.h"
#include "round.h"
#include "samples.h"
#include "session_life.h"

#define HANDOVERS 2000
#define SWITCH_SLICE_US 500
#define SWITCH_SECONDS 0.5

struct collector {
	struct histogram *into;
	uint64_t tsc_hz;
};

static void collect(void *context, const struct sd_sample *sample)
{
	struct collector *collector = context;

	histogram_record(collector->into, ticks_ns(sample->wall_ticks, collector->tsc_hz));
}

static int measure_job(struct session *session, uint32_t kind, struct histogram *into,
		       struct why *why)
{
	const struct session_job job = { .kind = kind, .initiators_to_stop = 1 };
	struct collector collector = { .into = into, .tsc_hz = session->tsc_hz };
	int error = session_run(session, &job, why);

	return error != 0 ? error : samples_drain(session, collect, &collector, why);
}

static int measure_entry(struct session *session, enum entry_flush way, struct histogram *into,
			 struct why *why)
{
	session_set_entry_flush(session, way);
	return measure_job(session, SD_JOB_COST_ENTRY, into, why);
}

/* In the way of flushing that runs use, because the second one includes a flush. */
static int measure_kicks(struct host_costs *costs, struct session *session, enum entry_flush way,
			 struct why *why)
{
	int error;

	session_set_entry_flush(session, way);
	error = measure_job(session, SD_JOB_COST_KICK, &costs->kick_ns, why);
	return error != 0 ? error
			  : measure_job(session, SD_JOB_COST_KICK_FLUSH, &costs->kick_flush_ns, why);
}

static int measure_in_guest(struct host_costs *costs, struct session *session, bool two_cpus,
			    enum entry_flush way, struct why *why)
{
	int error = measure_job(session, SD_JOB_COST_CLOCK, &costs->clock_ns, why);

	if (error == 0)
		error = measure_job(session, SD_JOB_COST_GATE, &costs->gate_ns, why);
	if (error == 0)
		error = measure_job(session, SD_JOB_COST_EXIT, &costs->exit_ns, why);
	if (error == 0 && session->threads[0].vcpu.has_steal_time)
		error = measure_entry(session, ENTRY_FLUSH_STEAL, &costs->flush_on_entry_steal_ns, why);
	if (error == 0)
		error = measure_entry(session, ENTRY_FLUSH_SREGS, &costs->flush_on_entry_sregs_ns, why);
	if (error == 0 && two_cpus)
		error = measure_job(session, SD_JOB_COST_PING, &costs->ipi_round_trip_ns,
				    why);
	if (error == 0 && two_cpus)
		error = measure_job(session, SD_JOB_COST_FLOOR, &costs->shootdown_floor_ns,
				    why);
	if (error == 0 && two_cpus)
		error = measure_kicks(costs, session, way, why);
	return error;
}

/* Two threads on one CPU that wake each other in turn: the floor of a switch. */
struct handover {
	atomic_uint turn;
	int cpu;
	uint64_t woken_ns;              /* when the other one was woken */
	struct histogram *into;
};

static void hand_over(struct handover *handover, unsigned self)
{
	for (unsigned i = 0; i < HANDOVERS; i++) {
		while (atomic_load(&handover->turn) != self)
			(void)syscall(SYS_futex, &handover->turn, FUTEX_WAIT_PRIVATE, 1 - self, NULL,
				      NULL, 0);
		if (handover->woken_ns != 0)
			histogram_record(handover->into, clock_ns() - handover->woken_ns);
		handover->woken_ns = clock_ns();
		atomic_store(&handover->turn, 1 - self);
		(void)syscall(SYS_futex, &handover->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
}

static void pin(int cpu)
{
	struct cpus set = { 0 };

	cpus_add(&set, (uint32_t)cpu);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(set), cpus_set(&set));
}

static void *second_thread(void *argument)
{
	struct handover *handover = argument;

	pin(handover->cpu);
	hand_over(handover, 1);
	return NULL;
}

static void *first_thread(void *argument)
{
	struct handover *handover = argument;
	pthread_t second;

	pin(handover->cpu);
	if (pthread_create(&second, NULL, second_thread, handover) != 0)
		return NULL;
	hand_over(handover, 0);
	pthread_join(second, NULL);
	return NULL;
}

static void measure_handover(struct host_costs *costs, const struct cpus *cpus)
{
	struct handover handover = {
		.into = &costs->futex_handover_ns,
		.cpu = (int)cpus_next(cpus, 0),
	};
	pthread_t first;

	if (pthread_create(&first, NULL, first_thread, &handover) == 0)
		pthread_join(first, NULL);
}

/* Four vCPUs on one slot for half a second. */
static int measure_switch(struct host_costs *costs, struct session *session, struct why *why)
{
	struct options options = {
		.initiators = 1,
		.pace_us = 100,
		.duration_given = true,
		.duration_s = SWITCH_SECONDS,
		.seed = 1,
		.repeat = 1,
	};
	static struct protocol_result result;
	struct round round = { .options = &options, .result = &result };
	struct entry_flush_test test = { 0 };
	int error;

	protocol_result_init(&result, SD_PROTOCOL_generation);
	error = entry_flush_choose(session, ENTRY_FLUSH_AUTO, &test, why);
	if (error == 0)
		error = round_run(session, &round, why);
	histogram_merge(&costs->slot_switch_ns, &result.switch_ns);
	return error;
}

/* Both sessions exist now, and neither has run. */
static int measure_sessions(struct host_costs *costs, struct session *two, struct session *four,
			    struct run_results *results, struct why *why)
{
	int error;

	host_facts_read(&results->host, two);
	error = confine_enter(CONFINE_MAIN, why);
	if (error == 0)
		error = session_boot(two, why);
	if (error == 0)
		error = host_survey(two, ENTRY_FLUSH_AUTO, results, why);
	if (error == 0)
		error = measure_in_guest(costs, two, two->shape.slots == 2, results->entry_flush,
					 why);
	if (error == 0)
		error = session_boot(four, why);
	return error != 0 ? error : measure_switch(costs, four, why);
}

int host_costs_measure(struct host_costs *costs, struct loop *loop, struct kvm_system system,
		       struct machine_payload payload, struct run_results *results,
		       struct why *why)
{
	struct session_shape shape = {
		.vcpus = 2,
		.initiators = 1,
		.pages = 1,
		.slots = cpus_count(&results->slot_cpus) >= 2 ? 2 : 1,
		.slice_ns = SWITCH_SLICE_US * NS_PER_US,
		.cpus = results->slot_cpus,
		.marks_preempted = host_kvm_marks(),
	};
	static struct session two, four;
	int error;

	for (struct histogram *h = &costs->ipi_round_trip_ns; h <= &costs->slot_switch_ns; h++)
		histogram_init(h);
	measure_handover(costs, &results->slot_cpus);
	error = session_create(&two, loop, system, &shape, payload, why);
	if (error != 0)
		return error;
	shape.vcpus = 4;
	shape.slots = 1;
	error = session_create(&four, loop, system, &shape, payload, why);
	if (error == 0) {
		error = measure_sessions(costs, &two, &four, results, why);
		session_destroy(&four);
	}
	session_destroy(&two);
	return error;
}
