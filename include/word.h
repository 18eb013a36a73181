/* SPDX-License-Identifier: MIT */
/*
 * word.h - every transition of the flush handshake.
 *
 * Included by guest, VMM, unit tests and stress tests, which all compile these
 * same functions. The request word is contended; the served word has one
 * writer at a time: the handler while the vCPU runs, the VMM while it is
 * parked. Served is not monotone: a handler parked half-way stores an older
 * value later, and its own pending IPI makes up for that. Nothing may assert
 * that it grows.
 *
 * Store-then-load, drawn once (word-flush). The locked operation on the
 * request word is what makes "PTE first" true on TSO:
 *
 *   initiator                         target
 *   ---------                         ------
 *   PTE = new                         r = request        (serve_begin)
 *   lock request += 1 (post)          flush, reload PTE
 *   wait until served >= mine         served = r         (serve_end)
 *
 * If r includes the post, the flush comes after the PTE store. If it does not,
 * served stays below and the initiator waits for the next handler run.
 */
#ifndef SD_WORD_H
#define SD_WORD_H

#include "region.h"

enum sd_post {
	SD_POST_WAIT,           /* wait for the target to serve what was asked */
	SD_POST_COVERED,        /* the target will flush before it runs again */
};

/**
 * sd_word_post - ask a target to flush, or mark it if it is preempted.
 *
 * Units:   *want is in steps of SD_WORD_GENERATION, flags clear.
 * Returns: SD_POST_COVERED when the target was preempted and is now marked,
 *          *want untouched; else SD_POST_WAIT, and the caller sends the IPI.
 * Threads: any number of initiators.
 *
 * PAIR(word-preempted): the same atomic word as in sd_word_park() and
 * sd_word_unpark(). Marking and "is preempted" are one step, so a mark is
 * either seen by unpark or never made.
 * Without: the fourth error of the design of 2017, which
 * tests/stress/word_transitions_stress_test.c shows.
 */
static inline enum sd_post sd_word_post(struct sd_region *region, uint32_t *want)
{
	uint32_t old = sd_u32_load(&region->request);

	for (;;) {
		uint32_t new_value = old & SD_WORD_PREEMPTED
			? old | SD_WORD_SHOULD_FLUSH
			: old + SD_WORD_GENERATION;
		/* Also when the mark is already there: the locked write drains
		 * the PTE store before this function says "covered". */
		if (!sd_u32_cas(&region->request, &old, new_value))
			continue;
		if (old & SD_WORD_PREEMPTED)
			return SD_POST_COVERED;
		*want = new_value & ~(uint32_t)SD_WORD_FLAGS;
		return SD_POST_WAIT;
	}
}

/**
 * sd_word_request - ask a target to flush whether it runs or not.
 *
 * Returns: what served has to reach, in steps of SD_WORD_GENERATION.
 * Threads: any number of initiators.
 */
static inline uint32_t sd_word_request(struct sd_region *region)
{
	return (sd_u32_fetch_add(&region->request, SD_WORD_GENERATION) +
		SD_WORD_GENERATION) & ~(uint32_t)SD_WORD_FLAGS;
}

/* sd_word_preempted - a look, for protocols that decide without a mark. */
static inline bool sd_word_preempted(const struct sd_region *region)
{
	return sd_u32_load(&region->request) & SD_WORD_PREEMPTED;
}

/* Modular, because generations wrap. A handler in flight or a waiter would have to be
 * overtaken by 2^29 requests: at 30 us a flush, it would be off its CPU for four hours. */
static inline bool sd_word_reached(uint32_t served, uint32_t want)
{
	return (int32_t)((served & ~(uint32_t)SD_WORD_FLAGS) - want) >= 0;
}

/**
 * sd_word_served - has the target flushed since the request?
 *
 * PAIR(word-served): acquire here, release in sd_word_serve_end() and in the
 * assembly handler (guest-payload/entry.S, a plain store: TSO).
 * Orders: the target's flush before whatever the initiator does next.
 */
static inline bool sd_word_served(const struct sd_region *region, uint32_t want)
{
	return sd_word_reached(sd_u32_load_acquire(&region->served), want);
}

/**
 * sd_word_serve_begin - first step of the handler: what is asked so far.
 *
 * PAIR(word-flush): an acquire load; the flush comes after it. The assembly
 * handler does the same two steps around its CR3 write.
 */
static inline uint32_t sd_word_serve_begin(const struct sd_region *region)
{
	return sd_u32_load_acquire(&region->request);
}

/* sd_word_serve_end - last step: @seen is what was read BEFORE the flush.
 * PAIR(word-served). Reading the request again here loses flushes. */
static inline void sd_word_serve_end(struct sd_region *region, uint32_t seen)
{
	sd_u32_store_release(&region->served, seen & ~(uint32_t)SD_WORD_FLAGS);
}

/**
 * sd_word_mark - park, for protocols without transfer: PREEMPTED, no more.
 *
 * Threads: the vCPU's own thread, with the vCPU out of the guest.
 *
 * None of the VMM's steps is a compare-and-swap loop, because a hostile guest could keep
 * it spinning: tests/unit/transitions_touch_memory_in_order_test.c
 */
static inline void sd_word_mark(struct sd_region *region)
{
	sd_u32_or(&region->request, SD_WORD_PREEMPTED);
}

/**
 * sd_word_park - park with transfer: PREEMPTED, and then what is not served becomes the
 * VMM's debt.
 *
 * Returns: true when the vCPU now owes a flush before it runs guest code. The
 *          caller keeps that debt in its own memory until a flush has happened.
 * Threads: the vCPU's own thread, with the vCPU out of the guest.
 *
 * PAIR(word-preempted): once the mark is there, a post only marks. So the generation that
 * is read after the mark cannot grow any more. In the other order a request could be posted
 * in between, and nobody would serve it. The store to served comes after the flush has
 * become certain: PAIR(word-served).
 */
static inline bool sd_word_park(struct sd_region *region)
{
	uint32_t generation;

	sd_word_mark(region);
	generation = sd_word_serve_begin(region) & ~(uint32_t)SD_WORD_FLAGS;
	if ((sd_u32_load(&region->served) & ~(uint32_t)SD_WORD_FLAGS) == generation)
		return false;
	sd_word_serve_end(region, generation);
	return true;
}

/**
 * sd_word_unpark - take the flags back before the vCPU runs again.
 *
 * Returns: true when an initiator has marked the vCPU meanwhile: flush before
 *          guest code runs.
 * Threads: the vCPU's own thread, with the vCPU out of the guest.
 *
 * PAIR(word-preempted): after the first step initiators send IPIs again and mark no
 * more, so the look that follows sees every mark that was made. In the other order a mark
 * that is made in between is found at the next unpark, which is too late.
 */
static inline bool sd_word_unpark(struct sd_region *region)
{
	sd_u32_and(&region->request, ~(uint32_t)SD_WORD_PREEMPTED);
	if (!(sd_u32_load_acquire(&region->request) & SD_WORD_SHOULD_FLUSH))
		return false;
	sd_u32_and(&region->request, ~(uint32_t)SD_WORD_SHOULD_FLUSH);
	return true;
}

/* --- KVM's own byte, as mainline guests use it since 4.16 ------------------ */

/**
 * sd_byte_defer - mark a preempted target KVM_VCPU_FLUSH_TLB.
 *
 * Returns: true when the target was preempted and is marked. One attempt, as
 *          in mainline: if the host raced, the target gets an IPI.
 * Threads: any number of initiators.
 *
 * PAIR(byte-preempted): xchg of the byte on entry, by KVM (record_steal_time)
 * or by sd_byte_take().
 */
static inline bool sd_byte_defer(struct sd_region *region)
{
	uint8_t old = sd_u8_load(&region->preempted);

	return (old & SD_BYTE_PREEMPTED) &&
		sd_u8_cas(&region->preempted, old, old | SD_BYTE_FLUSH_TLB);
}

/* sd_byte_mark - park: a vCPU out in userspace is not marked by KVM itself.
 * An OR: a plain store would erase a pending KVM_VCPU_FLUSH_TLB.
 * PAIR(byte-preempted). Only the vCPU's own thread, outside KVM_RUN. */
static inline void sd_byte_mark(struct sd_region *region)
{
	sd_u8_or(&region->preempted, SD_BYTE_PREEMPTED);
}

/* sd_byte_ask_flush - have KVM flush on entry. Same thread, same rule. */
static inline void sd_byte_ask_flush(struct sd_region *region)
{
	sd_u8_or(&region->preempted, SD_BYTE_FLUSH_TLB);
}

/* sd_byte_take - what record_steal_time does, for entries where the VMM
 * flushes itself. Returns true when a flush was asked for. PAIR(byte-preempted) */
static inline bool sd_byte_take(struct sd_region *region)
{
	return sd_u8_exchange(&region->preempted, 0) & SD_BYTE_FLUSH_TLB;
}

#endif
