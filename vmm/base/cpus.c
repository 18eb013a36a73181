// SPDX-License-Identifier: MIT
/*
 * cpus.c - sets of CPUs (cpus.h).
 *
 * Threads: any.
 * Follows: sched_setaffinity(2).
 */
#include "cpus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(struct cpus) % sizeof(unsigned long) == 0, "the kernel takes whole longs");

uint32_t cpus_count(const struct cpus *cpus)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < CPUS_MAX / 64; i++)
		count += (uint32_t)__builtin_popcountll(cpus->words[i]);
	return count;
}

uint32_t cpus_next(const struct cpus *cpus, uint32_t from)
{
	while (from < CPUS_MAX && !cpus_has(cpus, from))
		from++;
	return from;
}

uint32_t cpus_nth(const struct cpus *cpus, uint32_t nth)
{
	uint32_t cpu = cpus_next(cpus, 0);

	for (nth %= cpus_count(cpus); nth > 0; nth--)
		cpu = cpus_next(cpus, cpu + 1);
	return cpu;
}

void cpus_text(char *out, size_t bytes, const struct cpus *cpus)
{
	size_t used = 0;
	uint32_t last;

	out[0] = '\0';
	for (uint32_t first = cpus_next(cpus, 0); first < CPUS_MAX && used < bytes;
	     first = cpus_next(cpus, last + 1)) {
		for (last = first; cpus_has(cpus, last + 1);)
			last++;
		used += (size_t)snprintf(out + used, bytes - used, last > first ? "%s%u-%u" : "%s%u",
					 used ? "," : "", first, last);
	}
}

static int read_own(struct cpus *own, struct why *why)
{
	*own = (struct cpus){ 0 };
	if (sched_getaffinity(0, sizeof(*own), (cpu_set_t *)(void *)own) == 0)
		return 0;
	return why_set(why, EXIT_HOST, errno, "sched_getaffinity, up to %d CPUs: %s", CPUS_MAX,
		       strerror(errno));
}

static int move_to(const struct cpus *cpus)
{
	return sched_setaffinity(0, sizeof(*cpus), cpus_set(cpus)) == 0 ? 0 : -errno;
}

static int try_one(uint32_t cpu, struct why *why)
{
	struct cpus one = { 0 };
	int error;

	cpus_add(&one, cpu);
	error = move_to(&one);
	if (error == 0)
		return 0;
	return why_set(why, EXIT_HOST, -error, "--cpus: CPU %u is not there to be used (%s)", cpu,
		       error == -EINVAL ? "offline, or outside of the cpuset" : strerror(-error));
}

int cpus_choose(const struct cpus *wanted, struct cpus *chosen, struct why *why)
{
	struct cpus own;
	int error = read_own(&own, why), moved;

	*chosen = wanted != NULL ? *wanted : own;
	if (error != 0 || wanted == NULL)
		return error;
	for (uint32_t cpu = cpus_next(wanted, 0); cpu < CPUS_MAX && error == 0;
	     cpu = cpus_next(wanted, cpu + 1))
		error = try_one(cpu, why);
	moved = move_to(&own);
	if (error == 0 && moved != 0)
		error = why_set(why, EXIT_HOST, -moved, "sched_setaffinity: %s", strerror(-moved));
	return error;
}
