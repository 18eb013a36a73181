/* SPDX-License-Identifier: MIT */
/*
 * shadow_under_test.h - vmm/shadow/shadow.c and mover.c as the stress test uses them:
 * their steps are kept apart by pauses, and one of them may be made wrong
 * (-DMUTANT=...).
 */
#ifndef SHADOW_UNDER_TEST_H
#define SHADOW_UNDER_TEST_H

#include <string.h>

#include "chance.h"
#include "frames.h"
#include "notifier.h"
#include "reclaim.h"

enum mutant {
	MUTANT_NONE,
	MUTANT_NO_RETRY,                /* what was overtaken is mapped all the same */
	MUTANT_NO_RANGE_COUNT,          /* only the sequence is compared */
	MUTANT_NO_SEQUENCE,             /* only the range count is looked at */
	MUTANT_SEQUENCE_READ_LATE,      /* after the lookup that it is to judge */
	MUTANT_PAGE_NOT_INVALIDATED,
	MUTANT_NO_WAIT,                 /* nobody waits for readers */
	MUTANT_FLUSH_DOES_NOT_WAIT,
	MUTANT_ZAP_IGNORES_OTHERS,      /* nothing left to zap, so no wait */
	MUTANT_EXIT_KEEPS_TRANSLATIONS,
};

#ifndef MUTANT
#define MUTANT MUTANT_NONE
#endif

/* --- the lookup and its judgement ----------------------------------------------- */

static _Thread_local uint64_t late_sequence;
static _Thread_local const struct notifier *the_notifier;

static inline uint64_t test_fault_begin(const struct notifier *notifier)
{
	the_notifier = notifier;
	return notifier_fault_begin(notifier);
}

static inline uint32_t test_frames_at(const struct frames *frames, uint32_t page)
{
	uint32_t frame = frames_at(frames, page);

	chance_dwell(8);
	late_sequence = notifier_fault_begin(the_notifier);
	return frame;
}

static inline bool test_overtook(const struct notifier *notifier, uint64_t sequence)
{
	if (MUTANT == MUTANT_NO_RETRY)
		return false;
	if (MUTANT == MUTANT_NO_RANGE_COUNT)
		return atomic_load(&notifier->sequence) != sequence;
	if (MUTANT == MUTANT_NO_SEQUENCE)
		return notifier_goes_on(notifier);
	return notifier_overtook(notifier,
				 MUTANT == MUTANT_SEQUENCE_READ_LATE ? late_sequence : sequence);
}

/* --- readers --------------------------------------------------------------------- */

/* In the walk, between finding a frame and copying from it. */
static inline uint8_t *test_frames_bytes(const struct frames *frames, uint32_t frame)
{
	chance_dwell(8);
	return frames_bytes(frames, frame);
}

static inline bool test_is_waiting(const struct notifier *notifier)
{
	return MUTANT != MUTANT_ZAP_IGNORES_OTHERS && notifier_is_waiting(notifier);
}

static inline void test_wait(struct reclaim *reclaim, const char *caller)
{
	if (MUTANT == MUTANT_NO_WAIT ||
	    (MUTANT == MUTANT_FLUSH_DOES_NOT_WAIT && !strcmp(caller, "shadow_flush")))
		return;
	reclaim_wait(reclaim);
}

static inline bool test_retire(struct reclaim *reclaim, struct retired *list)
{
	if (MUTANT != MUTANT_NO_WAIT || list == NULL)
		return reclaim_retire(reclaim, list);
	(void)reclaim_drop(list);
	return true;
}

/* --- the mover -------------------------------------------------------------------- */

/* Between the start of a range, the moves in it and its end. */
static inline int test_frames_move(struct frames *frames, uint32_t page, uint32_t count,
				   uint32_t *old)
{
	int moved;

	chance_dwell(2);
	moved = frames_move(frames, page, count, old);
	chance_dwell(2);
	return moved;
}

#define notifier_fault_begin   test_fault_begin
#define frames_at              test_frames_at
#define notifier_overtook      test_overtook
#define frames_bytes           test_frames_bytes
#define notifier_is_waiting    test_is_waiting
#define reclaim_wait(reclaim)  test_wait(reclaim, __func__)
#define reclaim_retire         test_retire
#include "shadow.c"
#undef notifier_fault_begin
#undef frames_at
#undef notifier_overtook
#undef frames_bytes
#undef notifier_is_waiting
#undef reclaim_wait
#undef reclaim_retire

static void test_invalidate_page(struct shadow *shadow, uint64_t gpa)
{
	if (MUTANT != MUTANT_PAGE_NOT_INVALIDATED)
		shadow_invalidate_page(shadow, gpa);
}

#define frames_move            test_frames_move
#define shadow_invalidate_page test_invalidate_page
#include "mover.c"
#undef frames_move
#undef shadow_invalidate_page

#endif
