/* SPDX-License-Identifier: MIT */
/*
 * workload.h - what makes one workload differ from another.
 *
 * A round of an initiator is always the same (initiator.c): something before, the
 * PTE stores of a move, the flush, what has to wait for its return; now and then a
 * floor sample. All other vCPUs observe. A workload fills in what each of these is.
 * One file, one table.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

#include "guest.h"

/* @self: the number of this vCPU, an initiator's but in begin and observe. */
struct g_workload {
	/* Optional: the job begins; on every vCPU. */
	void (*begin)(uint32_t self);
	/* Required: up to the moment of the move; prepares it. Not timed. */
	void (*before)(uint32_t self);
	/* Required: the PTE stores of the move, and nothing else. Timed. */
	void (*move)(uint32_t self);
	/* Optional: what each flush of the job is about. NULL: everything. */
	struct g_range (*range)(uint32_t self);
	/* Required: the flush has returned. */
	void (*returned)(uint32_t self);
	/* Optional: after each flush and each floor sample. */
	void (*pause)(uint32_t self);
	/* Optional: the last flush of the job has returned; leaves everything as the
	 * next job expects it (window.h, tree.h). */
	void (*after)(uint32_t self);
	/* Required: a vCPU that does not initiate, or has stopped, over and over. */
	void (*observe)(uint32_t self);
};

extern const struct g_workload g_workload_toggle;
extern const struct g_workload g_workload_churn;
extern const struct g_workload g_workload_teardown;

/* g_watch_all - the oracle of every window for a while: observe of the workloads
 * that move windows. */
void g_watch_all(uint32_t self);

/* g_workload_run - this vCPU's part of a job; returns when it is stopped. */
void g_workload_run(const struct g_workload *workload, uint32_t self);

#endif
