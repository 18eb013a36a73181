// SPDX-License-Identifier: MIT
/*
 * walk.c - page tables that are freed while the target may be walking them (walker.h):
 * when the flush has returned, or after a grace period, or after a wrong one.
 *
 * Owns:    A's tree and pool, for a job. B builds nothing.
 * Threads: begin on every vCPU, observe on the target's, all others on A's.
 */
#include "grace.h"
#include "litmus.h"
#include "tree.h"
#include "walker.h"

static struct g_tree tree;
static struct g_pool pool;

static void walk_begin(uint32_t self)
{
	g_walk_begin(self);
	if (self != SD_CAST_A)
		return;
	tree = (struct g_tree){ .initiator = SD_CAST_A };
	g_pool_open(&pool, SD_CAST_A);
}

static void walk_before(uint32_t self)
{
	(void)self;
	g_tree_build(&tree, &pool);
	g_step(SD_STEP_BUILT);
}

static void walk_move(uint32_t self)
{
	(void)self;
	g_tree_unlink(&tree);
}

static void free_unlinked(void)
{
	struct g_unlinked unlinked = g_tree_next(&tree);

	for (uint32_t i = 0; i < unlinked.count; i++)
		g_pool_free(&pool, unlinked.gpa[i]);
}

static void walk_returned_now(uint32_t self)
{
	(void)self;
	free_unlinked();
}

static void wait_for_grace(bool (*passed)(const struct sd_region *, uint32_t))
{
	const struct sd_region *target = g_region(SD_CAST_T);
	uint32_t noted;

	sd_grace_begin(g_region(SD_CAST_A));
	noted = sd_grace_note(target);
	while (!passed(target, noted))
		g_step(SD_STEP_WAITS);
}

static void walk_returned_grace(uint32_t self)
{
	(void)self;
	wait_for_grace(sd_grace_passed);
	free_unlinked();
}

/* Wrong: parked in a walk is not quiescent. */
static bool passed_if_parked(const struct sd_region *region, uint32_t noted)
{
	return sd_u32_load_acquire(&region->pass) != noted || sd_word_preempted(region);
}

static void walk_returned_wrong_grace(uint32_t self)
{
	(void)self;
	wait_for_grace(passed_if_parked);
	free_unlinked();
}

static void walk_after(uint32_t self)
{
	(void)self;
	g_tree_unlink_all(&tree);
}

#define WORK(name, what) \
	static const struct g_workload name = { \
		.begin = walk_begin, \
		.before = walk_before, \
		.move = walk_move, \
		.returned = what, \
		.after = walk_after, \
		.observe = g_walk_section, \
	}

WORK(free_now, walk_returned_now);
WORK(free_after_grace, walk_returned_grace);
WORK(free_after_wrong_grace, walk_returned_wrong_grace);

#define WALK(name, protocol, work) \
	const struct g_litmus g_litmus_##name = { \
		.ops = &g_protocol_##protocol, \
		.begin = g_litmus_serve_begin, \
		.end = g_litmus_serve_end, \
		.workload = &work, \
	}

WALK(walk_ipi, ipi, free_now);
WALK(walk_now, generation, free_now);
WALK(walk_grace, generation, free_after_grace);
WALK(walk_parked, generation, free_after_wrong_grace);
