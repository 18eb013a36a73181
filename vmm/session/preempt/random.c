// SPDX-License-Identifier: MIT
/*
 * random.c - the policy of chance: any vCPU of the queue may be next, for an eighth
 * to fifteen eighths of a slice. Seeded, one draw a decision.
 *
 * The decisions are the same for the same seed as long as the queue is: it does not
 * depend on time until vCPUs leave it for other reasons than the end of their slice
 * (a sleep, a yield, the end of the job).
 *
 * Threads: vCPU threads, under the slot's lock.
 * Follows: Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 *          OOPSLA 2014 (SplitMix64).
 * Tested:  tests/unit/random_slices_repeat_test.c
 */
#include "slot.h"

#define GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void preempt_throw(struct preempt_dice *dice, uint64_t seed, uint64_t stream)
{
	*dice = (struct preempt_dice){ .state = mix(seed + GOLDEN_GAMMA) ^ mix(stream + 1) };
}

/* @range times a fraction of [0, 1) with 32 bits. */
static uint64_t share(uint64_t range, uint32_t fraction)
{
	return (uint64_t)((unsigned __int128)range * fraction >> 32);
}

static struct slot_member *nth(struct slot *slot, uint64_t n)
{
	struct slot_member *member = TAILQ_FIRST(&slot->queue);

	while (n-- > 0)
		member = TAILQ_NEXT(member, link);
	return member;
}

static uint64_t length(const struct slot *slot)
{
	const struct slot_member *member;
	uint64_t length = 0;

	TAILQ_FOREACH(member, &slot->queue, link)
		length++;
	return length;
}

static struct slot_member *random_next(struct slot *slot, const struct slot_member *last)
{
	struct preempt_dice *dice = &slot->dice;
	uint64_t drawn = mix(dice->state += GOLDEN_GAMMA);
	uint64_t candidates = length(slot);
	struct slot_member *next;

	/* Not the one that has just had it, unless there is no other. */
	candidates -= last != NULL && candidates > 1;
	next = nth(slot, share(candidates, (uint32_t)(drawn >> 32)));
	dice->slice_ns = slot->slice_ns / 8 + share(slot->slice_ns / 4 * 7, (uint32_t)drawn);
	if (dice->decisions++ < PREEMPT_DIGESTED)
		dice->digest = mix(dice->digest ^ (dice->slice_ns << 16 | next->id));
	return next;
}

static uint64_t random_slice_end(const struct slot *slot, uint64_t now_ns)
{
	return now_ns + slot->dice.slice_ns;
}

const struct preempt_ops preempt_random = {
	.next = random_next,
	.slice_end = random_slice_end,
};
