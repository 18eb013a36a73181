/* SPDX-License-Identifier: MIT */
/*
 * host_load.h - what the slots' CPUs gave to others while a protocol was
 * measured. Stall subtracts only the VMM's own parks; this is the rest.
 */
#ifndef HOST_LOAD_H
#define HOST_LOAD_H

#include "results.h"
#include "session.h"

/* A moment. */
struct host_load {
	uint64_t now_ns;                /* CLOCK_MONOTONIC */
	uint64_t vcpu_cpu_ns;           /* CPU time of all vCPU threads */
	uint64_t steal_ns;              /* of the slots' CPUs, /proc/stat, 10 ms steps */
	struct throttled throttled;     /* of our cgroups */
};

/* host_load_open, host_load_close - /proc/stat and the cgroups' cpu.stat. They stay open for
 * as long as the session lasts, because main may open no file then. What a file that cannot
 * be opened would say counts as 0. */
void host_load_open(struct session *session);
void host_load_close(struct session *session);

/* host_load_cpus - how many CPUs the slots have, at least one. */
uint32_t host_load_cpus(const struct session *session);

/* host_load_read - this moment. */
struct host_load host_load_read(const struct session *session);

/* host_load_add - add what lies between @from and @to to @result. */
void host_load_add(const struct session *session, const struct host_load *from,
		   const struct host_load *to, struct protocol_result *result);

/* host_load_involuntary - involuntary context switches of all vCPU threads up to
 * the end of the last job. */
uint64_t host_load_involuntary(const struct session *session);

#endif
