/* SPDX-License-Identifier: MIT */
/*
 * word_under_test.h - the transitions of include/word.h as the stress test
 * calls them: the very functions, or one of them made wrong (-DMUTANT=...).
 *
 * Every mutant is a bug on record in these protocols, and the test has to fail
 * with it; otherwise its silence without it means nothing. chance_dwell() stands
 * where another CPU has to come in between.
 */
#ifndef WORD_UNDER_TEST_H
#define WORD_UNDER_TEST_H

#include "chance.h"
#include "word.h"

enum mutant {
	MUTANT_NONE,
	MUTANT_SERVE_READS_AGAIN,       /* served = request as read AFTER the flush */
	MUTANT_SERVED_RELAXED,          /* PAIR(word-served) broken: seen by TSan only */
	MUTANT_TRANSFER_BEFORE_MARK,    /* 2017, error 4: transfer, then PREEMPTED */
	MUTANT_UNPARK_DROPS_DEBT,
	MUTANT_CANCELLED_RUN_DROPS_DEBT,
	MUTANT_UNPARK_BY_COPY,          /* CVE-2019-3016 in the word */
	MUTANT_UNPARK_LOOKS_FIRST,      /* for the mark, and then clears PREEMPTED */
	MUTANT_TAKE_BY_COPY,            /* CVE-2019-3016: read, then clear */
	MUTANT_LOOK_IS_ENOUGH,          /* a marked byte is not marked again: no locked write */
	MUTANT_CAS_TEST_INVERTED,       /* 2012: success of cmpxchg taken for failure */
};

#ifndef MUTANT
#define MUTANT MUTANT_NONE
#endif

/* --- the initiator's store buffer ------------------------------------------- */

/* TSO lets a store wait until the next locked operation of its CPU. One entry
 * is enough: the PTE. Draining just before each locked operation is the latest
 * that the hardware allows. */
static _Thread_local struct {
	struct sd_u64 *at;
	uint64_t value;
} store_buffer;

static inline void store_later(struct sd_u64 *at, uint64_t value)
{
	store_buffer.at = at;
	store_buffer.value = value;
}

static inline void drain(void)
{
	if (store_buffer.at)
		sd_u64_store_release(store_buffer.at, store_buffer.value);
	store_buffer.at = NULL;
}

/* --- initiator ---------------------------------------------------------------- */

static inline enum sd_post test_post(struct sd_region *region, uint32_t *want)
{
	drain();
	return sd_word_post(region, want);
}

static inline uint32_t test_request(struct sd_region *region)
{
	drain();
	return sd_word_request(region);
}

static inline bool test_defer(struct sd_region *region)
{
	uint8_t old = sd_u8_load(&region->preempted);

	if (MUTANT == MUTANT_LOOK_IS_ENOUGH && old == (SD_BYTE_PREEMPTED | SD_BYTE_FLUSH_TLB))
		return true;
	drain();
	if (MUTANT == MUTANT_CAS_TEST_INVERTED) {
		chance_dwell(4);
		return (old & SD_BYTE_PREEMPTED) &&
			!sd_u8_cas(&region->preempted, old, old | SD_BYTE_FLUSH_TLB);
	}
	return sd_byte_defer(region);
}

/* --- handler ------------------------------------------------------------------ */

static inline void test_serve_end(struct sd_region *region, uint32_t seen)
{
	if (MUTANT == MUTANT_SERVE_READS_AGAIN) {
		chance_dwell(4);
		seen = sd_word_serve_begin(region);
	}
	if (MUTANT == MUTANT_SERVED_RELAXED)
		sd_u32_store(&region->served, seen & ~(uint32_t)SD_WORD_FLAGS);
	else
		sd_word_serve_end(region, seen);
}

/* --- VMM ------------------------------------------------------------------------ */

static inline bool test_park(struct sd_region *region)
{
	uint32_t generation;
	bool owes;

	if (MUTANT != MUTANT_TRANSFER_BEFORE_MARK)
		return sd_word_park(region);
	generation = sd_word_serve_begin(region) & ~(uint32_t)SD_WORD_FLAGS;
	owes = sd_u32_load(&region->served) != generation;
	sd_u32_store_release(&region->served, generation);
	chance_dwell(4);
	sd_word_mark(region);
	return owes;
}

static inline bool test_unpark(struct sd_region *region)
{
	uint32_t copy = sd_u32_load(&region->request);
	bool marked;

	chance_dwell(4);
	if (MUTANT == MUTANT_UNPARK_LOOKS_FIRST) {
		if (copy & SD_WORD_SHOULD_FLUSH)
			sd_u32_and(&region->request, ~(uint32_t)SD_WORD_SHOULD_FLUSH);
		chance_dwell(4);
		sd_u32_and(&region->request, ~(uint32_t)SD_WORD_PREEMPTED);
		return copy & SD_WORD_SHOULD_FLUSH;
	}
	marked = sd_word_unpark(region);
	return MUTANT == MUTANT_UNPARK_BY_COPY ? copy & SD_WORD_SHOULD_FLUSH : marked;
}

static inline bool test_take(struct sd_region *region)
{
	uint8_t copy = sd_u8_load(&region->preempted);
	bool marked;

	chance_dwell(4);
	marked = sd_byte_take(region);
	return MUTANT == MUTANT_TAKE_BY_COPY ? copy & SD_BYTE_FLUSH_TLB : marked;
}

#endif
