/* SPDX-License-Identifier: MIT */
/*
 * grace.h - when may a page table be freed that a lockless walker may be in?
 *
 * Included by guest, unit tests and stress tests. A walker (get_user_pages_fast())
 * walks with interrupts off, and a flush that interrupts every target waits for it. A
 * protocol that defers preempted targets does not: then a table is freed after the
 * flush and a grace period, in which every vCPU has passed a quiescent state. One that
 * is parked outside a walk is quiescent, one that is parked inside is not.
 *
 *   walker                               who frees
 *   ------                               ---------
 *   in_walk = 1                          unlink the table
 *   interrupts off, walk, on             full fence                (grace_begin)
 *   in_walk = 0                          for each vCPU:
 *   lock pass += 1    (walk_end)           pass has changed, or
 *                                          PREEMPTED, and then in_walk == 0
 *
 * PAIR(unlink-walk): a walk that begins after the fence does not find the table. One that
 * began before it has not ended as long as pass is unchanged.
 * PAIR(walk-park): in_walk = 1 needs no fence. Whoever looks at it has seen PREEMPTED
 * first, and park's locked operation has drained the store. In the other order (in_walk,
 * then PREEMPTED) a walk that begins in between would be missed.
 * A loop that waits counts as a pass. Otherwise two grace periods would wait for each other.
 */
#ifndef SD_GRACE_H
#define SD_GRACE_H

#include "word.h"

/* sd_walk_begin - before interrupts go off. Own vCPU, as the two below. */
static inline void sd_walk_begin(struct sd_region *own)
{
	sd_u32_store(&own->in_walk, 1);
}

/* sd_walk_pass - a quiescent state. Locked, because a plain store may wait in the
 * store buffer until the next walk has begun. PAIR(unlink-walk) */
static inline void sd_walk_pass(struct sd_region *own)
{
	(void)sd_u32_fetch_add(&own->pass, 1);
}

/* sd_walk_end - interrupts are on again. */
static inline void sd_walk_end(struct sd_region *own)
{
	sd_u32_store_release(&own->in_walk, 0);
	sd_walk_pass(own);
}

/* sd_grace_begin - what has to be freed is unlinked and flushed; the locked count is
 * the full fence. PAIR(unlink-walk) */
static inline void sd_grace_begin(struct sd_region *own)
{
	(void)sd_u64_fetch_add(&own->graces, 1);
}

/* sd_grace_note - the pass of a vCPU at this moment; for each, after sd_grace_begin(). */
static inline uint32_t sd_grace_note(const struct sd_region *region)
{
	return sd_u32_load_acquire(&region->pass);
}

/**
 * sd_grace_passed - has this vCPU been quiescent since it was noted?
 *
 * PAIR(walk-park): PREEMPTED before in_walk, both acquire; park's locked operation
 * on the request word comes after the walker's stores.
 */
static inline bool sd_grace_passed(const struct sd_region *region, uint32_t noted)
{
	if (sd_u32_load_acquire(&region->pass) != noted)
		return true;
	return (sd_u32_load_acquire(&region->request) & SD_WORD_PREEMPTED) &&
		sd_u32_load_acquire(&region->in_walk) == 0;
}

#endif
