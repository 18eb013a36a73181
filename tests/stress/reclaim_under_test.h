/* SPDX-License-Identifier: MIT */
/*
 * reclaim_under_test.h - the three schemes as the stress test uses them: the very
 * functions, or one of their steps made wrong (-DMUTANT=...).
 *
 * TSO lets a plain store wait until the next locked instruction of its CPU. Where a
 * mutant takes such an instruction away, its store is put aside and made as late as
 * the hardware may make it: the walker's at the end of its walk, the freer's after its
 * look at the readers.
 */
#ifndef RECLAIM_UNDER_TEST_H
#define RECLAIM_UNDER_TEST_H

#include <string.h>

#include "chance.h"
#include "reclaim.h"

enum mutant {
	MUTANT_NONE,
	MUTANT_READER_STORES_PLAINLY,   /* PAIR(shadow-reading): no exchange, a store */
	MUTANT_FREER_HAS_NO_FENCE,      /* PAIR(shadow-reading): the other side */
	MUTANT_END_IS_RELAXED,          /* PAIR(shadow-read-done): seen by TSan only */
	MUTANT_FREED_WITHOUT_WAIT,
	MUTANT_USED_AFTER_THE_END,      /* the pointer outlives the walk: the test's own part */
	MUTANT_ONE_PHASE_IS_WAITED_FOR, /* counter: walks that missed a turn are forgotten */
};

#ifndef MUTANT
#define MUTANT MUTANT_NONE
#endif

/* --- the freer's store buffer: one entry, the unlinking -------------------------- */

static _Thread_local struct {
	_Atomic(struct item *) *at;
	struct item *value;
} store_buffer;

static inline void drain(void)
{
	if (store_buffer.at != NULL)
		atomic_store_explicit(store_buffer.at, store_buffer.value, memory_order_release);
	store_buffer.at = NULL;
}

static inline void unlink_later(_Atomic(struct item *) *at, struct item *value)
{
	store_buffer.at = at;
	store_buffer.value = value;
}

/* --- mode ------------------------------------------------------------------------ */

/* The store of the odd word leaves the buffer at the end of the walk, just before the
 * store after it. */
static void mutant_end(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	uint64_t walks = vcpu_mode_walks(&reader->mode);

	(void)reclaim;
	if (MUTANT == MUTANT_READER_STORES_PLAINLY)
		atomic_store_explicit(&reader->mode.word, walks | READING_SHADOW_PAGE_TABLES,
				      memory_order_release);
	atomic_store_explicit(&reader->mode.word, walks + VCPU_MODE_ONE_WALK,
			      MUTANT == MUTANT_END_IS_RELAXED ? memory_order_relaxed
			      : memory_order_release);
}

static void mutant_begin(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	if (MUTANT != MUTANT_READER_STORES_PLAINLY)
		reclaim_mode.begin(reclaim, reader);
}

/* The words are read while the unlinking is in the buffer. */
static void mutant_wait(struct reclaim *reclaim)
{
	if (MUTANT == MUTANT_FREER_HAS_NO_FENCE)
		for (uint32_t i = 0; i < reclaim->reader_count; i++) {
			const struct vcpu_mode *mode = &reclaim->readers[i].mode;
			uint64_t walk = vcpu_mode_reading(mode);

			while (walk != 0 && vcpu_mode_still(mode, walk))
				sched_yield();
		}
	drain();
	if (MUTANT != MUTANT_FREER_HAS_NO_FENCE && MUTANT != MUTANT_FREED_WITHOUT_WAIT)
		reclaim_mode.wait(reclaim);
}

/* --- counter --------------------------------------------------------------------- */

/* As the scheme's own, with time between the look and the count: the turn may come there. */
static void straggler_begin(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	struct reclaim_counter *counter = &reclaim->counter;

	reader->phase = atomic_load_explicit(&counter->phase, memory_order_relaxed);
	chance_dwell(4);
	(void)atomic_fetch_add(&counter->in_phase[reader->phase].walks, 1);
}

static void one_phase_wait(struct reclaim *reclaim)
{
	struct reclaim_counter *counter = &reclaim->counter;

	drain();
	pthread_mutex_lock(&counter->flips);
	unsigned old = atomic_fetch_xor(&counter->phase, 1);
	while (atomic_load(&counter->in_phase[old].walks) != 0)
		sched_yield();
	pthread_mutex_unlock(&counter->flips);
}

/* --- the scheme to run -------------------------------------------------------------- */

static struct reclaim_ops ops_under_test;

static bool wait_and_free(struct reclaim *reclaim, struct retired *list)
{
	ops_under_test.wait(reclaim);
	reclaim_free(reclaim, list);
	return true;
}

static void use_parts(void)
{
	ops_under_test.retire = wait_and_free;
	ops_under_test.begin = mutant_begin;
	ops_under_test.end = mutant_end;
	ops_under_test.wait = mutant_wait;
}

/* Without a mutation the parts have to hold as well: else what a mutant fails of might be
 * the parts. */
static const struct reclaim_ops *under_test(const char *name, const struct reclaim_ops *scheme)
{
	ops_under_test = *scheme;
	ops_under_test.name = name;
	if (strcmp(name, "stragglers") == 0)
		ops_under_test.begin = straggler_begin;
	if (MUTANT == MUTANT_ONE_PHASE_IS_WAITED_FOR) {
		ops_under_test.retire = wait_and_free;
		ops_under_test.wait = one_phase_wait;
	} else if (strcmp(name, "in_parts") == 0) {
		use_parts();
	}
	return &ops_under_test;
}

#endif
