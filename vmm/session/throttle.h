/* SPDX-License-Identifier: MIT */
/*
 * throttle.h - the CPU quota of the cgroups that this process is in, and for how long they
 * have held it back: that is time which the host took, whatever the guest did.
 *
 * Tested: tests/unit/throttled_time_is_read_test.c
 */
#ifndef THROTTLE_H
#define THROTTLE_H

#include <stdint.h>
#include <stdio.h>

#define THROTTLE_LEVELS 8       /* cgroups, from one's own upwards; deeper ones count first */

/* Open for as long as the session lasts: main may open no file while it does. */
struct throttle {
	FILE *stat[THROTTLE_LEVELS];    /* cpu.stat; [count] */
	uint32_t count;
	double quota_cpus;              /* the least of all levels; 0: none has one */
};

struct throttled {
	uint64_t times;                 /* periods in which the quota was used up */
	uint64_t ns;                    /* of all CPUs together */
};

/**
 * throttle_open - find the cgroups and their quota; throttle_close - the end.
 *
 * Shape:   @root stands before every path, "" for this host.
 * Errors:  none: what is not there has no quota and throttles nobody.
 * Source:  Linux Documentation/admin-guide/cgroup-v2.rst (cpu.max, cpu.stat),
 *          Documentation/scheduler/sched-bwc.rst (cgroup v1).
 */
void throttle_open(struct throttle *throttle, const char *root);
void throttle_close(struct throttle *throttle);

/* throttle_read - up to now, all levels together. */
struct throttled throttle_read(const struct throttle *throttle);

#endif
