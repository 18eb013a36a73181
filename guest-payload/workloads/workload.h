/* SPDX-License-Identifier: MIT */
/*
 * workload.h - what makes one workload differ from another.
 *
 * A round of an initiator is always the same (initiator.c): something before, the
 * PTE stores of a move, the flush, the publication; now and then a floor sample.
 * A workload fills in what comes before, which PTE stores, and what between two
 * flushes. One file, one table.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include <stdint.h>

#include "window.h"

struct g_workload {
	/* Required: up to the moment of the move; prepares it. Not timed. */
	void (*before)(struct g_window *window);
	/* Required: the PTE stores of the move, and nothing else. Timed. */
	void (*move)(struct g_window *window);
	/* Optional: behind each flush and each floor sample. */
	void (*pause)(const struct g_window *window);
	/* Optional: the last flush of the job has returned; leaves the window as
	 * window.h says. */
	void (*after)(struct g_window *window);
};

extern const struct g_workload g_workload_toggle;
extern const struct g_workload g_workload_churn;

/* g_workload_run - this vCPU's part of a job; returns when it is stopped. */
void g_workload_run(const struct g_workload *workload, uint32_t self);

#endif
