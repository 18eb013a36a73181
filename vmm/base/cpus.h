/* SPDX-License-Identifier: MIT */
/*
 * cpus.h - a set of CPUs of this host, of any number that Linux can have; and which of
 * them this process may use.
 *
 * A value: copied by assignment, empty when zero.
 * Tested: tests/unit/cpus_of_any_number_are_used_test.c
 */
#ifndef CPUS_H
#define CPUS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "why.h"

/* x86-64's largest CONFIG_NR_CPUS (arch/x86/Kconfig, NR_CPUS_RANGE_END); a cpu_set_t has
 * 1024, and a kernel with more refuses it. */
#define CPUS_MAX 8192

struct cpus {
	uint64_t words[CPUS_MAX / 64];
};

/* cpus_add - put @cpu, below CPUS_MAX, into the set; cpus_has - is it there? */
static inline void cpus_add(struct cpus *cpus, uint32_t cpu)
{
	cpus->words[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

static inline bool cpus_has(const struct cpus *cpus, uint32_t cpu)
{
	return cpu < CPUS_MAX && cpus->words[cpu / 64] >> cpu % 64 & 1;
}

/* cpus_count - how many there are. */
uint32_t cpus_count(const struct cpus *cpus);

/* cpus_next - the first one from @from on; CPUS_MAX when there is none. */
uint32_t cpus_next(const struct cpus *cpus, uint32_t from);

/* cpus_nth - number @nth from 0, going round; the set is not empty. */
uint32_t cpus_nth(const struct cpus *cpus, uint32_t nth);

/* cpus_set - for system calls, with sizeof(struct cpus). */
static inline const cpu_set_t *cpus_set(const struct cpus *cpus)
{
	return (const cpu_set_t *)(const void *)cpus;
}

/**
 * cpus_text - "0-3,8".
 *
 * Shape:   @out holds @bytes, more than 0; cut where it does not fit.
 */
void cpus_text(char *out, size_t bytes, const struct cpus *cpus);

/**
 * cpus_choose - the CPUs to run on: @wanted, or where that is NULL all that the calling
 * thread has.
 *
 * Whether one of @wanted may be used is tried: a CPU outside of the thread's own set may
 * be (isolcpus), and only the kernel knows (cpusets, CPUs that are offline). The calling
 * thread has its own set again afterwards.
 * Errors:  EXIT_HOST; the line names the CPU.
 */
__attribute__((warn_unused_result))
int cpus_choose(const struct cpus *wanted, struct cpus *chosen, struct why *why);

#endif
