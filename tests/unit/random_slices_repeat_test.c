// SPDX-License-Identifier: MIT
/*
 * random_slices_repeat_test.c - the random policy: the same seed makes the same decisions,
 * another seed makes others, and all of them are within their limits.
 */
#include "clock.h"
#include "slot.h"
#include "unit_test.h"

#define MEMBERS 5
#define SLICE_NS (2 * NS_PER_MS)

static struct slot g_slot;
static struct slot_member g_members[MEMBERS];

static void start(uint64_t seed, uint64_t stream)
{
	slot_init(&g_slot, 0, SLICE_NS, 0);
	g_slot.preempt = &preempt_random;
	preempt_throw(&g_slot.dice, seed, stream);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		slot_member_init(&g_members[i], i);
		slot_queue(&g_slot, &g_members[i]);
	}
	slot_open(&g_slot);
}

/* One slice to its end; returns who had it. */
static struct slot_member *turn(void)
{
	struct slot_member *holder = g_slot.holder;

	assert_non_null(holder);
	slot_pass(&g_slot, holder, true);
	return holder;
}

static uint64_t digest_of(uint64_t seed, uint64_t stream, unsigned decisions)
{
	start(seed, stream);
	while (g_slot.dice.decisions < decisions)
		turn();
	slot_destroy(&g_slot);
	return g_slot.dice.digest;
}

static void the_same_seed_decides_the_same(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 100; seed++) {
		uint64_t digest = digest_of(seed, 3, PREEMPT_DIGESTED);

		assert_int_equal(digest, digest_of(seed, 3, PREEMPT_DIGESTED));
		/* How long the run was does not matter. */
		assert_int_equal(digest, digest_of(seed, 3, 5 * PREEMPT_DIGESTED));
		assert_int_not_equal(digest, digest_of(seed + 1, 3, PREEMPT_DIGESTED));
		assert_int_not_equal(digest, digest_of(seed, 4, PREEMPT_DIGESTED));
	}
}

static void the_same_seed_runs_the_same_vcpus(void **state)
{
	uint32_t ids[1000];

	(void)state;
	start(42, 0);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ids[i] = turn()->id;
	slot_destroy(&g_slot);
	start(42, 0);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		assert_int_equal(turn()->id, ids[i]);
	slot_destroy(&g_slot);
}

static void everybody_runs_and_nobody_twice(void **state)
{
	unsigned turns[MEMBERS] = { 0 };
	struct slot_member *last = NULL;

	(void)state;
	start(7, 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct slot_member *holder = turn();

		assert_ptr_not_equal(holder, last);
		last = holder;
		turns[holder->id]++;
	}
	/* Five sigma of a fair draw would be about 300. */
	for (size_t i = 0; i < MEMBERS; i++)
		assert_in_range(turns[i], 20000 / MEMBERS - 300, 20000 / MEMBERS + 300);
	slot_destroy(&g_slot);
}

static void one_alone_gets_it_again(void **state)
{
	(void)state;
	slot_init(&g_slot, 0, SLICE_NS, 0);
	g_slot.preempt = &preempt_random;
	slot_member_init(&g_members[0], 0);
	slot_queue(&g_slot, &g_members[0]);
	slot_open(&g_slot);
	for (int i = 0; i < 10; i++)
		assert_ptr_equal(turn(), &g_members[0]);
	slot_destroy(&g_slot);
}

static void slices_are_an_eighth_to_fifteen_eighths(void **state)
{
	const uint64_t least = SLICE_NS / 8, most = SLICE_NS / 8 * 15;
	uint64_t shortest = UINT64_MAX, longest = 0, sum = 0;

	(void)state;
	start(9, 0);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t slice = preempt_random.slice_end(&g_slot, NS_PER_S) - NS_PER_S;

		assert_in_range(slice, least, most);
		shortest = slice < shortest ? slice : shortest;
		longest = slice > longest ? slice : longest;
		sum += slice;
		turn();
	}
	assert_true(shortest < least + SLICE_NS / 100);
	assert_true(longest > most - SLICE_NS / 100);
	/* One slice on average; a sigma of the mean is 0.4 % of it. */
	assert_in_range(sum / 20000, SLICE_NS / 100 * 98, SLICE_NS / 100 * 102);
	slot_destroy(&g_slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_seed_decides_the_same),
		cmocka_unit_test(the_same_seed_runs_the_same_vcpus),
		cmocka_unit_test(everybody_runs_and_nobody_twice),
		cmocka_unit_test(one_alone_gets_it_again),
		cmocka_unit_test(slices_are_an_eighth_to_fifteen_eighths),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
