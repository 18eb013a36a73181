/* SPDX-License-Identifier: MIT */
/*
 * asleep.h - the handshake of an initiator that sleeps until the last target has
 * flushed.
 *
 * Included by guest, unit tests and, for the offsets, by the payload's assembly.
 * A target has a bit for each initiator that has asked (`asked`); an initiator
 * counts the targets that have not flushed yet (`left`). The handler takes all
 * bits at once before its flush and counts down for each after it.
 *
 *   initiator                          target's handler
 *   ---------                          ----------------
 *   left = number of targets           bits = xchg asked, 0   (asleep_take)
 *   PTE = new                          flush
 *   lock asked |= bit (ask), IPI       for each bit: lock left -= 1 (done)
 *   asleep = 1; full fence             and if that was the last one:
 *   left != 0? sleep                     asleep? wake
 *
 * PAIR(asked-flush): a bit that is taken was set after the PTE stores, so the
 * flush that follows covers them. PAIR(left-asleep): each side has a full fence
 * between its own store and its look at the other's, so one sees the other.
 */
#ifndef SD_ASLEEP_H
#define SD_ASLEEP_H

#include "region.h"

#ifndef __ASSEMBLER__

_Static_assert(SD_MAX_INITIATORS <= 64, "a bit each initiator");

/* sd_asleep_begin - an initiator, before it asks @targets targets. */
static inline void sd_asleep_begin(struct sd_region *own, uint32_t targets)
{
	sd_u32_store(&own->left, targets);
}

/* sd_asleep_ask - one target. PAIR(asked-flush): locked, after the PTE stores. */
static inline void sd_asleep_ask(struct sd_region *target, uint32_t initiator)
{
	sd_u64_or(&target->asked, UINT64_C(1) << initiator);
}

/* sd_asleep_over - have all targets flushed? PAIR(left-done): acquire here, the other side
 * is the locked decrement in the handler. */
static inline bool sd_asleep_over(const struct sd_region *own)
{
	return sd_u32_load_acquire(&own->left) == 0;
}

/**
 * sd_asleep_may - announce that this initiator is about to sleep.
 *
 * Returns: true: sleep, whoever is last will wake it. PAIR(left-asleep): the
 *          exchange is the fence.
 */
static inline bool sd_asleep_may(struct sd_region *own)
{
	(void)sd_u32_exchange(&own->asleep, 1);
	return !sd_asleep_over(own);
}

static inline void sd_asleep_awake(struct sd_region *own)
{
	sd_u32_store(&own->asleep, 0);
}

/* sd_asleep_take - the handler, before its flush: who has asked. PAIR(asked-flush) */
static inline uint64_t sd_asleep_take(struct sd_region *own)
{
	return sd_u64_exchange(&own->asked, 0);
}

/* sd_asleep_done - the handler, after its flush, for each bit: true when this was
 * the last target and the initiator sleeps: wake it. PAIR(left-asleep),
 * PAIR(left-done) */
static inline bool sd_asleep_done(struct sd_region *initiator)
{
	return sd_u32_fetch_add(&initiator->left, UINT32_MAX) == 1 &&
		sd_u32_load(&initiator->asleep) != 0;
}
#endif

#endif
