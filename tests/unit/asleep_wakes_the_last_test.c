// SPDX-License-Identifier: MIT
/*
 * asleep_wakes_the_last_test.c - each step of include/asleep.h by itself, and their
 * orders around going to sleep: the last target that flushes wakes a sleeper, and
 * nobody else does. One thread: the races are tests/model/asleep.pml's.
 */
#include <string.h>

#include "asleep.h"
#include "unit_test.h"

/* All zero but the words of this handshake. */
static struct sd_region region_with(uint64_t asked, uint32_t left, uint32_t asleep)
{
	struct sd_region region;

	memset(&region, 0, sizeof(region));
	(void)sd_u64_exchange(&region.asked, asked);
	sd_u32_store(&region.left, left);
	sd_u32_store(&region.asleep, asleep);
	return region;
}

/* Exactly these, and nothing else in the page. */
static void region_is(const struct sd_region *region, uint64_t asked, uint32_t left,
		      uint32_t asleep)
{
	struct sd_region expected = region_with(asked, left, asleep);

	assert_true(sd_u64_load(&region->asked) == asked);
	assert_int_equal(sd_u32_load(&region->left), left);
	assert_int_equal(sd_u32_load(&region->asleep), asleep);
	assert_memory_equal(region, &expected, sizeof(expected));
}

static void beginning_sets_the_count(void **state)
{
	static const uint32_t targets[] = { 0, 1, 7, SD_MAX_VCPUS - 1 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		struct sd_region own = region_with(5, 99, 0);

		sd_asleep_begin(&own, targets[i]);
		region_is(&own, 5, targets[i], 0);
		assert_int_equal(sd_asleep_over(&own), targets[i] == 0);
		region_is(&own, 5, targets[i], 0);
	}
}

static void each_initiator_has_its_bit(void **state)
{
	struct sd_region target = region_with(0, 3, 1);
	uint64_t expected = 0;

	(void)state;
	for (uint32_t initiator = 0; initiator < SD_MAX_INITIATORS; initiator++) {
		sd_asleep_ask(&target, initiator);
		expected |= UINT64_C(1) << initiator;
		region_is(&target, expected, 3, 1);
		sd_asleep_ask(&target, initiator);
		region_is(&target, expected, 3, 1);
	}
	assert_true(expected == UINT64_MAX);
}

/* Several initiators' bits go at once; the next handler finds none. */
static void the_handler_takes_all_bits_at_once(void **state)
{
	static const uint64_t bits[] = {
		0, 1, UINT64_C(1) << 63, UINT64_C(1) << 63 | 1, UINT64_C(0xaaaaaaaaaaaaaaaa),
		UINT64_MAX,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bits); i++) {
		struct sd_region own = region_with(bits[i], 2, 1);

		assert_true(sd_asleep_take(&own) == bits[i]);
		region_is(&own, 0, 2, 1);
		assert_true(sd_asleep_take(&own) == 0);
	}
}

static void done_counts_down_and_tells_the_last_of_a_sleeper(void **state)
{
	static const struct { uint32_t left, asleep; int wakes; } cases[] = {
		{ 1, 1, 1 }, { 1, 0, 0 }, { 2, 1, 0 }, { 2, 0, 0 },
		{ SD_MAX_VCPUS - 1, 1, 0 }, { SD_MAX_VCPUS - 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sd_region initiator = region_with(6, cases[i].left, cases[i].asleep);

		assert_int_equal(sd_asleep_done(&initiator), cases[i].wakes);
		region_is(&initiator, 6, cases[i].left - 1, cases[i].asleep);
	}
}

static void may_sleep_only_while_targets_are_left(void **state)
{
	static const uint32_t left[] = { 0, 1, 2, SD_MAX_VCPUS - 1 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(left); i++) {
		struct sd_region own = region_with(6, left[i], 0);

		assert_int_equal(sd_asleep_may(&own), left[i] != 0);
		region_is(&own, 6, left[i], 1);         /* announced in any case */
		sd_asleep_awake(&own);
		region_is(&own, 6, left[i], 0);
	}
}

/* --- orders ---------------------------------------------------------------------- */

/* One target's handler from start to end; returns how many it has to wake. */
static int handle(struct sd_region *target, struct sd_region *initiators)
{
	uint64_t bits = sd_asleep_take(target);
	int wakes = 0;

	for (uint32_t i = 0; i < SD_MAX_INITIATORS; i++)
		if (bits >> i & 1)
			wakes += sd_asleep_done(&initiators[i]);
	return wakes;
}

/* The initiator announces its sleep after @handled of 3 handlers. */
static void the_last_of_three_wakes(void **state)
{
	(void)state;
	for (int handled = 0; handled <= 3; handled++) {
		struct sd_region initiator = region_with(0, 0, 0);
		struct sd_region targets[3] = { 0 };
		int wakes = 0, sleeps = 0;

		sd_asleep_begin(&initiator, 3);
		for (int t = 0; t < 3; t++)
			sd_asleep_ask(&targets[t], 0);
		for (int t = 0; t < 3; t++) {
			if (t == handled)
				sleeps = sd_asleep_may(&initiator);
			assert_int_equal(handle(&targets[t], &initiator), t == 2 && sleeps);
			wakes += t == 2 && sleeps;
		}
		if (handled == 3)
			sleeps = sd_asleep_may(&initiator);
		assert_int_equal(sleeps, handled < 3);
		assert_int_equal(wakes, sleeps);
		assert_true(sd_asleep_over(&initiator));
	}
}

/* Announced, then it was over after all: awake again, and nobody wakes it. */
static void one_that_is_awake_again_is_not_woken(void **state)
{
	struct sd_region initiator = region_with(0, 0, 0);
	struct sd_region target = { 0 };

	(void)state;
	sd_asleep_begin(&initiator, 1);
	sd_asleep_ask(&target, 0);
	assert_true(sd_asleep_may(&initiator));
	sd_asleep_awake(&initiator);
	assert_int_equal(handle(&target, &initiator), 0);
	assert_false(sd_asleep_may(&initiator));
}

/* One handler for two initiators: each has its own count, and only the one that
 * sleeps and has nobody left is woken. */
static void one_handler_serves_several_initiators(void **state)
{
	struct sd_region initiators[3] = { 0 };
	struct sd_region target = { 0 };

	(void)state;
	sd_asleep_begin(&initiators[0], 1);
	sd_asleep_begin(&initiators[1], 2);
	sd_asleep_begin(&initiators[2], 1);
	for (uint32_t i = 0; i < 3; i++)
		sd_asleep_ask(&target, i);
	assert_true(sd_asleep_may(&initiators[0]));
	assert_true(sd_asleep_may(&initiators[1]));
	assert_int_equal(handle(&target, initiators), 1);
	assert_true(sd_asleep_over(&initiators[0]));
	assert_false(sd_asleep_over(&initiators[1]));
	assert_true(sd_asleep_over(&initiators[2]));
	assert_int_equal(handle(&target, initiators), 0);       /* a late IPI: nobody asked */
	region_is(&initiators[0], 0, 0, 1);
	region_is(&initiators[1], 0, 1, 1);
	region_is(&initiators[2], 0, 0, 0);
}

/* Asked between a handler's take and its end: the next one's, not this one's. */
static void a_bit_set_during_a_flush_waits_for_the_next(void **state)
{
	struct sd_region initiators[2] = { 0 };
	struct sd_region target = { 0 };
	uint64_t taken;

	(void)state;
	sd_asleep_begin(&initiators[0], 1);
	sd_asleep_begin(&initiators[1], 1);
	sd_asleep_ask(&target, 0);
	taken = sd_asleep_take(&target);
	sd_asleep_ask(&target, 1);
	assert_true(taken == 1);
	assert_false(sd_asleep_done(&initiators[0]));
	assert_true(sd_asleep_over(&initiators[0]));
	assert_false(sd_asleep_over(&initiators[1]));
	assert_true(sd_asleep_take(&target) == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beginning_sets_the_count),
		cmocka_unit_test(each_initiator_has_its_bit),
		cmocka_unit_test(the_handler_takes_all_bits_at_once),
		cmocka_unit_test(done_counts_down_and_tells_the_last_of_a_sleeper),
		cmocka_unit_test(may_sleep_only_while_targets_are_left),
		cmocka_unit_test(the_last_of_three_wakes),
		cmocka_unit_test(one_that_is_awake_again_is_not_woken),
		cmocka_unit_test(one_handler_serves_several_initiators),
		cmocka_unit_test(a_bit_set_during_a_flush_waits_for_the_next),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
