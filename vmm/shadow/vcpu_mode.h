/* SPDX-License-Identifier: MIT */
/*
 * vcpu_mode.h - where a vCPU's thread is, in one word on a cache line of its own.
 *
 * KVM's own modes. The thread itself writes the word; others change it only from
 * IN_GUEST_MODE to EXITING_GUEST_MODE. READING_SHADOW_PAGE_TABLES is the one odd
 * mode, and each walk has a number of its own in the bits above, so that who waits
 * for a reader waits until the word CHANGES: the next walk does not prolong it.
 *
 *   walker                              who frees
 *   ------                              ---------
 *   word = xchg n | READING             unlink
 *   load entries, copy data             full fence
 *   word = n + 1 | OUTSIDE (release)    word is odd? wait until it changes; free
 *
 * Store, then load, on both sides, with a locked instruction between: the walker
 * sees the unlinking, or who frees sees the walker (shadow-reading). A plain store
 * in place of the exchange stays in the store buffer while the loads go ahead:
 * tests/model/shadow_mode.pml shows the table that is freed under its reader.
 * Tested: tests/unit/shadow_mode_is_one_word_test.c
 */
#ifndef VCPU_MODE_H
#define VCPU_MODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define OUTSIDE_GUEST_MODE         0u
#define READING_SHADOW_PAGE_TABLES 1u
#define IN_GUEST_MODE              2u
#define EXITING_GUEST_MODE         4u
#define VCPU_MODE_BITS             7u
#define VCPU_MODE_ONE_WALK         8u

struct vcpu_mode {
	_Atomic uint64_t word;
};

/* vcpu_mode_of - the mode in a word: a look, old as soon as it is there. */
static inline unsigned vcpu_mode_of(const struct vcpu_mode *mode)
{
	return (unsigned)atomic_load_explicit(&mode->word, memory_order_relaxed) & VCPU_MODE_BITS;
}

/* The owner's own view, without the mode. Relaxed: others change only the mode. */
static inline uint64_t vcpu_mode_walks(const struct vcpu_mode *mode)
{
	return atomic_load_explicit(&mode->word, memory_order_relaxed) & ~(uint64_t)VCPU_MODE_BITS;
}

/**
 * vcpu_mode_read_begin - from here on what the walker finds stays in memory.
 *
 * Threads: the owner, outside the guest; not nested.
 *
 * PAIR(shadow-reading): the exchange is the full fence between this store and the
 * walker's loads; the other one stands in mode_wait().
 */
static inline void vcpu_mode_read_begin(struct vcpu_mode *mode)
{
	(void)atomic_exchange(&mode->word, vcpu_mode_walks(mode) | READING_SHADOW_PAGE_TABLES);
}

/**
 * vcpu_mode_read_end - nothing that the walk has found is used from here on.
 *
 * PAIR(shadow-read-done): release here, acquire in the two looks below.
 * Orders: the walker's loads and its copy before the memory is used again.
 */
static inline void vcpu_mode_read_end(struct vcpu_mode *mode)
{
	atomic_store_explicit(&mode->word, vcpu_mode_walks(mode) + VCPU_MODE_ONE_WALK,
			      memory_order_release);
}

/* vcpu_mode_reading - the word of a walk that goes on, or 0. PAIR(shadow-read-done):
 * acquire: a walk that is over has left the memory. */
static inline uint64_t vcpu_mode_reading(const struct vcpu_mode *mode)
{
	uint64_t word = atomic_load_explicit(&mode->word, memory_order_acquire);

	return word & READING_SHADOW_PAGE_TABLES ? word : 0;
}

/* vcpu_mode_still - does the walk that vcpu_mode_reading() saw go on? As acquiring. */
static inline bool vcpu_mode_still(const struct vcpu_mode *mode, uint64_t word)
{
	return atomic_load_explicit(&mode->word, memory_order_acquire) == word;
}

/**
 * vcpu_mode_enter_guest - the last step before the look at requests and KVM_RUN.
 *
 * PAIR(request-mode): the exchange is the fence between the mode and that look. Who
 * asks writes the request, then looks at the mode, with vcpu_mode_kick().
 */
static inline void vcpu_mode_enter_guest(struct vcpu_mode *mode)
{
	(void)atomic_exchange(&mode->word, vcpu_mode_walks(mode) | IN_GUEST_MODE);
}

/* vcpu_mode_leave_guest - KVM_RUN has returned, kicked or not. PAIR(request-mode): who
 * waits for the vCPU to be outside goes on after what it did in there. */
static inline void vcpu_mode_leave_guest(struct vcpu_mode *mode)
{
	atomic_store_explicit(&mode->word, vcpu_mode_walks(mode), memory_order_release);
}

/* vcpu_mode_is_in_guest - in the guest, kicked or not. PAIR(request-mode): acquire: who
 * finds it outside goes on after what it did in there. */
static inline bool vcpu_mode_is_in_guest(const struct vcpu_mode *mode)
{
	return atomic_load_explicit(&mode->word, memory_order_acquire) &
		(IN_GUEST_MODE | EXITING_GUEST_MODE);
}

/**
 * vcpu_mode_kick - IN_GUEST_MODE becomes EXITING_GUEST_MODE.
 *
 * Returns: true for the one caller that has changed it: the vCPU is in the guest, and
 *          that caller sends the signal. Never for a reader: no signal hurries it.
 */
static inline bool vcpu_mode_kick(struct vcpu_mode *mode)
{
	uint64_t word = atomic_load(&mode->word);

	return (word & VCPU_MODE_BITS) == IN_GUEST_MODE &&
		atomic_compare_exchange_strong(&mode->word, &word,
					       (word & ~(uint64_t)VCPU_MODE_BITS) |
					       EXITING_GUEST_MODE);
}

#endif
