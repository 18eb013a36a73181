/* SPDX-License-Identifier: MIT */
/*
 * preempt.h - who takes vCPUs off their slot, and when: one table of functions a
 * policy.
 *
 * A slot asks its policy twice: who is next, when it is free, and when the slice
 * that begins ends.
 */
#ifndef PREEMPT_H
#define PREEMPT_H

#include <stdint.h>

struct slot;
struct slot_member;

/* What a policy that draws has drawn; of one slot, from the start of a job on. */
struct preempt_dice {
	uint64_t state;                 /* of the generator */
	uint64_t slice_ns;              /* drawn for the holder */
	uint64_t decisions;             /* so far */
	uint64_t digest;                /* of the first PREEMPT_DIGESTED */
};

/* Enough to tell two seeds apart, and few enough for a short run. */
#define PREEMPT_DIGESTED 64

struct preempt_ops {
	/* Whose turn it is: one of the queue, which is not empty. Under the slot's
	 * lock. @last: the member that has just left the slot and is last in the queue; NULL. */
	struct slot_member *(*next)(struct slot *slot, const struct slot_member *last);
	/* When the slice that begins at @now_ns ends; CLOCK_MONOTONIC. By the holder. */
	uint64_t (*slice_end)(const struct slot *slot, uint64_t now_ns);
};

extern const struct preempt_ops preempt_slice;  /* slice.c */
extern const struct preempt_ops preempt_random; /* random.c */

/**
 * preempt_throw - set @dice for a job: the same @seed and @stream, the same draws.
 *
 * Shape:   @stream is another number for each slot and each round.
 */
void preempt_throw(struct preempt_dice *dice, uint64_t seed, uint64_t stream);

#endif
