/* SPDX-License-Identifier: MIT */
/*
 * retired.h - page tables that are unlinked and flushed, on their way back to the
 * pool: at once, or in batches after a grace period each (grace.h).
 *
 * A grace period is waited for only when the pool has run dry or the job ends. Otherwise
 * the initiator looks now and then whether it is over, and meanwhile the next batch grows.
 * At most one grace period is under way.
 */
#ifndef RETIRED_H
#define RETIRED_H

#include "tables.h"
#include "tree.h"
#include "walker.h"

struct g_batch {
	uint32_t count;
	uint32_t gpa[SD_POOL_TABLES];
};

/* From begin to end of a job; the initiator's. */
struct g_retired {
	struct g_pool *pool;
	uint32_t self;
	uint32_t growing;               /* batch[]; the other one has its grace period */
	struct g_batch batch[2];
	uint64_t began_ticks;           /* the grace period */
	uint32_t passed;                /* vCPUs below this one have passed a quiescent state */
	uint32_t noted[G_WALKERS];      /* each one's pass when it began */
};

void g_retired_open(struct g_retired *retired, struct g_pool *pool, uint32_t self);

/* g_retire - free these now, if control.free_after_grace is 0, or later. */
void g_retire(struct g_retired *retired, const struct g_unlinked *unlinked);

/* g_retired_look - free what has had its grace period, begin the next one: never waits,
 * costs a load or two while nothing has changed. */
void g_retired_look(struct g_retired *retired);

/**
 * g_retired_wait - until the pool holds @tables.
 *
 * Counts as quiescent itself, or two that wait here would wait for each other. Others
 * are served meanwhile: interrupts are on.
 */
void g_retired_wait(struct g_retired *retired, uint32_t tables);

#endif
