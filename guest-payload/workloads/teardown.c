// SPDX-License-Identifier: MIT
/*
 * teardown.c - the workload of SD_JOB_TEARDOWN: initiators build page tables, unlink
 * them, flush and free them, while every other vCPU walks them without a lock.
 *
 * The oracle are the walks (walker.h): each that ends at a stamp is a check. Windows
 * stay where they are, but the frames of their sets hold stamps afterwards: larger
 * than any epoch, so that no watcher of a later job takes them for stale.
 *
 * Half of the pace goes by while the tables are linked, half while they are free.
 *
 * Owns:    the initiators' pools and tables, from begin to end of a job.
 * Threads: an initiator's vCPU its own; observe on any.
 */
#include "flush.h"
#include "retired.h"
#include "tree.h"
#include "walker.h"
#include "workload.h"

static struct teardown {
	struct g_tree tree;
	struct g_pool pool;
	struct g_retired retired;
} __attribute__((aligned(SD_CACHE_LINE))) teardowns[SD_MAX_INITIATORS];

static void teardown_begin(uint32_t self)
{
	struct teardown *teardown = &teardowns[self];

	g_walk_begin(self);
	if (self >= g_control()->initiators)
		return;
	teardown->tree = (struct g_tree){ .initiator = self };
	g_pool_open(&teardown->pool, self);
	g_retired_open(&teardown->retired, &teardown->pool, self);
}

/* At least one section. */
static void walk_for(uint32_t self, uint64_t ticks)
{
	uint64_t until = g_tsc_raw() + ticks;

	do {
		g_walk_section(self);
		g_retired_look(&teardowns[self].retired);
	} while ((int64_t)(g_tsc_raw() - until) < 0 &&
		 !sd_u32_load(&g_control()->stop_initiators));
}

static void teardown_before(uint32_t self)
{
	struct teardown *teardown = &teardowns[self];

	g_retired_wait(&teardown->retired, G_TREE_TABLES);
	g_tree_build(&teardown->tree, &teardown->pool);
	walk_for(self, g_control()->pace_ticks / 2);
}

static void teardown_move(uint32_t self)
{
	g_tree_unlink(&teardowns[self].tree);
}

static void teardown_returned(uint32_t self)
{
	struct teardown *teardown = &teardowns[self];
	struct g_unlinked unlinked = g_tree_next(&teardown->tree);

	g_retire(&teardown->retired, &unlinked);
}

static void teardown_pause(uint32_t self)
{
	if (g_control()->pace_ticks != 0)
		walk_for(self, g_control()->pace_ticks / 2);
}

/* The directory may be left. All free again, whatever the grace periods take. */
static void teardown_after(uint32_t self)
{
	struct teardown *teardown = &teardowns[self];
	struct g_flush ignored = { .trace = { .ring = NULL } };

	g_tree_unlink_all(&teardown->tree);
	g_flush_others(g_protocols[g_control()->protocol], self, G_EVERYTHING, &ignored);
	teardown_returned(self);
	g_retired_wait(&teardown->retired, SD_POOL_TABLES);
}

const struct g_workload g_workload_teardown = {
	.begin = teardown_begin,
	.before = teardown_before,
	.move = teardown_move,
	.returned = teardown_returned,
	.pause = teardown_pause,
	.after = teardown_after,
	.observe = g_walk_section,
};
