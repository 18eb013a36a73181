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
 * Tested:  tests/unit/random_slices_repeat_test.c
 */
#include "slot.h"
#include "split_mix.h"

void preempt_throw(struct preempt_dice *dice, uint64_t seed, uint64_t stream)
{
	*dice = (struct preempt_dice){
		.state = split_mix(seed + SPLIT_MIX_GAMMA) ^ split_mix(stream + 1),
	};
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
	uint64_t drawn = split_mix_draw(&dice->state);
	uint64_t candidates = length(slot);
	struct slot_member *next;

	/* Not the one that has just had it, unless there is no other. */
	candidates -= last != NULL && candidates > 1;
	next = nth(slot, split_mix_share(candidates, (uint32_t)(drawn >> 32)));
	dice->slice_ns = slot->slice_ns / 8 +
		split_mix_share(slot->slice_ns / 4 * 7, (uint32_t)drawn);
	if (dice->decisions++ < PREEMPT_DIGESTED)
		dice->digest = split_mix(dice->digest ^ (dice->slice_ns << 16 | next->id));
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
