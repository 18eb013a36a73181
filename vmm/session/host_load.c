// SPDX-License-Identifier: MIT
/*
 * host_load.c - what the slots' CPUs gave to others (host_load.h).
 *
 * Threads: main.
 * Follows: proc(5), /proc/stat.
 */
#include "host_load.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define DISTURBED_PCT 2

static bool is_slot_cpu(const struct session *session, int cpu)
{
	for (uint32_t i = 0; i < session->shape.slots; i++)
		if (session->slots[i].cpu == cpu)
			return true;
	return false;
}

void host_load_open(struct session *session)
{
	session->proc_stat = fopen("/proc/stat", "re");
	throttle_open(&session->throttle, "");
}

void host_load_close(struct session *session)
{
	if (session->proc_stat != NULL)
		fclose(session->proc_stat);
	session->proc_stat = NULL;
	throttle_close(&session->throttle);
}

/* "cpu3 ...", and not the line of all CPUs, "cpu  ...", in which a number follows too. */
static bool is_cpu_line(const char *line)
{
	return strncmp(line, "cpu", 3) == 0 && isdigit((unsigned char)line[3]);
}

static uint64_t read_steal_ns(const struct session *session)
{
	unsigned long long steal, sum = 0;
	char line[512];
	FILE *file = session->proc_stat;
	int cpu;

	if (file != NULL)
		rewind(file);
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (is_cpu_line(line) &&
		    sscanf(line, "cpu%d %*u %*u %*u %*u %*u %*u %*u %llu", &cpu, &steal) == 2 &&
		    is_slot_cpu(session, cpu))
			sum += steal;
	return sum * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* A thread that has ended, as after a failure, has no clock any more, and its last figure
 * counts. One that has been joined must not be asked. */
static uint64_t read_thread_cpu_ns(const struct session *session, uint32_t vcpu)
{
	const struct vcpu_thread *thread = &session->threads[vcpu];
	struct timespec cpu;
	clockid_t clock;

	if (vcpu < session->started && pthread_getcpuclockid(thread->pthread, &clock) == 0 &&
	    clock_gettime(clock, &cpu) == 0)
		return timespec_ns(cpu);
	return thread->cpu_ns;
}

static uint64_t read_vcpu_cpu_ns(const struct session *session)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		sum += read_thread_cpu_ns(session, i);
	return sum;
}

struct host_load host_load_read(const struct session *session)
{
	return (struct host_load){
		.steal_ns = read_steal_ns(session),
		.vcpu_cpu_ns = read_vcpu_cpu_ns(session),
		.throttled = throttle_read(&session->throttle),
		.now_ns = clock_ns(),
	};
}

uint32_t host_load_cpus(const struct session *session)
{
	uint32_t cpus = cpus_count(&session->shape.cpus);

	if (session->shape.slots < cpus)
		cpus = session->shape.slots;
	return cpus != 0 ? cpus : 1;
}

void host_load_add(const struct session *session, const struct host_load *from,
		   const struct host_load *to, struct protocol_result *result)
{
	uint64_t had = (to->now_ns - from->now_ns) * host_load_cpus(session);
	uint64_t used = to->vcpu_cpu_ns - from->vcpu_cpu_ns;

	result->slot_cpu_ns += had;
	result->vcpu_cpu_ns += used;
	result->taken_ns += had > used ? had - used : 0;
	result->steal_ns += to->steal_ns - from->steal_ns;
	result->throttles += to->throttled.times - from->throttled.times;
	result->throttled_ns += to->throttled.ns - from->throttled.ns;
	result->disturbed = result->taken_ns * 100 > result->slot_cpu_ns * DISTURBED_PCT;
}

uint64_t host_load_involuntary(const struct session *session)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < session->shape.vcpus; i++)
		sum += session->threads[i].involuntary_switches;
	return sum;
}
