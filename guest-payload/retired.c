// SPDX-License-Identifier: MIT
/*
 * retired.c - tables on their way back to the pool (retired.h).
 *
 * Threads: the initiator's vCPU. Reads the words of include/grace.h in every region.
 * Follows: include/grace.h.
 */
#include "retired.h"

#include "grace.h"

/* A batch of so many is given its grace period. */
#define BATCH_TABLES 16

void g_retired_open(struct g_retired *retired, struct g_pool *pool, uint32_t self)
{
	g_check(g_control()->vcpus <= G_WALKERS, g_control()->vcpus, G_WALKERS);
	retired->pool = pool;
	retired->self = self;
	retired->growing = 0;
	retired->batch[0].count = 0;
	retired->batch[1].count = 0;
}

static void add(struct sd_u64 *counter, uint64_t value)
{
	sd_u64_store(counter, sd_u64_load(counter) + value);
}

static void free_table(struct g_retired *retired, uint32_t gpa)
{
	g_pool_free(retired->pool, gpa);
	add(&g_region(retired->self)->tables_freed, 1);
}

static void note_held(const struct g_retired *retired)
{
	struct sd_region *own = g_region(retired->self);
	uint64_t held = retired->batch[0].count + retired->batch[1].count;

	sd_u64_store(&own->tables_held, held);
	if (held > sd_u64_load(&own->tables_held_max))
		sd_u64_store(&own->tables_held_max, held);
}

void g_retire(struct g_retired *retired, const struct g_unlinked *unlinked)
{
	struct g_batch *batch = &retired->batch[retired->growing];

	for (uint32_t i = 0; i < unlinked->count; i++)
		if (g_control()->free_after_grace)
			batch->gpa[batch->count++] = unlinked->gpa[i];
		else
			free_table(retired, unlinked->gpa[i]);
	note_held(retired);
}

static struct g_batch *in_hand(struct g_retired *retired)
{
	return &retired->batch[!retired->growing];
}

/* PAIR(unlink-walk): the fence in sd_grace_begin() comes before the notes, and the
 * flush has come before it. */
static void begin_grace(struct g_retired *retired)
{
	uint32_t vcpus = g_control()->vcpus;

	retired->growing = !retired->growing;
	retired->began_ticks = g_tsc_raw();
	retired->passed = 0;
	sd_grace_begin(g_region(retired->self));
	for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
		retired->noted[vcpu] = sd_grace_note(g_region(vcpu));
}

/* This vCPU is in no walk. A vCPU that has passed is not asked again. */
static bool is_grace_over(struct g_retired *retired)
{
	uint32_t vcpus = g_control()->vcpus;

	while (retired->passed < vcpus &&
	       (retired->passed == retired->self ||
		sd_grace_passed(g_region(retired->passed), retired->noted[retired->passed])))
		retired->passed++;
	return retired->passed == vcpus;
}

static void free_batch(struct g_retired *retired, struct g_batch *batch)
{
	add(&g_region(retired->self)->grace_ticks, g_tsc_raw() - retired->began_ticks);
	while (batch->count > 0)
		free_table(retired, batch->gpa[--batch->count]);
	note_held(retired);
}

/* Begins a grace period, if there are @least tables to free. */
static void look(struct g_retired *retired, uint32_t least)
{
	if (in_hand(retired)->count > 0 && is_grace_over(retired))
		free_batch(retired, in_hand(retired));
	if (in_hand(retired)->count == 0 && retired->batch[retired->growing].count >= least)
		begin_grace(retired);
}

void g_retired_look(struct g_retired *retired)
{
	look(retired, BATCH_TABLES);
}

void g_retired_wait(struct g_retired *retired, uint32_t tables)
{
	while (retired->pool->count < tables) {
		look(retired, 1);
		sd_walk_pass(g_region(retired->self));
		g_pause();
	}
}
