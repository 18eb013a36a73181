// SPDX-License-Identifier: MIT
/*
 * grace_waits_for_walkers_test.c - each step of include/grace.h by itself: which vCPUs
 * a grace period waits for, and what ends the wait. One thread: the races are
 * tests/model/grace.pml's.
 */
#include <string.h>

#include "grace.h"
#include "unit_test.h"

static const uint32_t g_passes[] = {
	0, 1, 2, 0x7fffffff, 0x80000000, UINT32_MAX - 1, UINT32_MAX,
};

/* Of the request word: all that may stand beside PREEMPTED. */
static const uint32_t g_others[] = {
	0, SD_WORD_SHOULD_FLUSH, SD_WORD_GENERATION, ~(uint32_t)SD_WORD_FLAGS,
	~(uint32_t)SD_WORD_PREEMPTED,
};

/* All zero but the words that a grace period looks at. */
static struct sd_region region_with(uint32_t request, uint32_t in_walk, uint32_t pass)
{
	struct sd_region region;

	memset(&region, 0, sizeof(region));
	sd_u32_store(&region.request, request);
	sd_u32_store(&region.in_walk, in_walk);
	sd_u32_store(&region.pass, pass);
	return region;
}

/* Exactly these, and nothing else in the page. */
static void region_is(const struct sd_region *region, uint32_t request, uint32_t in_walk,
		      uint32_t pass)
{
	struct sd_region expected = region_with(request, in_walk, pass);

	assert_memory_equal(region, &expected, sizeof(expected));
}

static void a_walk_is_announced_and_counted_at_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_passes); i++) {
		struct sd_region own = region_with(SD_WORD_GENERATION, 0, g_passes[i]);

		sd_walk_begin(&own);
		region_is(&own, SD_WORD_GENERATION, 1, g_passes[i]);
		sd_walk_end(&own);
		region_is(&own, SD_WORD_GENERATION, 0, g_passes[i] + 1);
	}
}

/* What a loop that waits does: no walk begins or ends. */
static void a_pass_counts_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_passes); i++)
		for (uint32_t in_walk = 0; in_walk <= 1; in_walk++) {
			struct sd_region own = region_with(0, in_walk, g_passes[i]);

			sd_walk_pass(&own);
			region_is(&own, 0, in_walk, g_passes[i] + 1);
		}
}

static void beginning_counts_grace_periods(void **state)
{
	struct sd_region own = region_with(0, 0, 7), expected = own;

	(void)state;
	for (uint64_t count = 1; count <= 3; count++) {
		sd_grace_begin(&own);
		sd_u64_store(&expected.graces, count);
		assert_memory_equal(&own, &expected, sizeof(expected));
	}
}

static void a_note_is_the_pass_and_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_passes); i++) {
		struct sd_region region = region_with(SD_WORD_PREEMPTED, 1, g_passes[i]);

		assert_int_equal(sd_grace_note(&region), g_passes[i]);
		region_is(&region, SD_WORD_PREEMPTED, 1, g_passes[i]);
	}
}

/* Every combination of PREEMPTED, in_walk and a pass since the note. */
static void quiescent_is_passed_or_parked_outside(void **state)
{
	static const struct { uint32_t flag, in_walk, passes; bool passed; } cases[] = {
		{ 0,                 0, 0, false },     /* runs, and may have begun a walk */
		{ 0,                 1, 0, false },
		{ SD_WORD_PREEMPTED, 1, 0, false },     /* parked inside */
		{ SD_WORD_PREEMPTED, 0, 0, true },      /* parked outside */
		{ 0,                 0, 1, true },
		{ 0,                 1, 1, true },      /* a later walk than the noted one */
		{ SD_WORD_PREEMPTED, 1, 1, true },
		{ SD_WORD_PREEMPTED, 0, 1, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		for (size_t other = 0; other < COUNT_OF(g_others); other++)
			for (size_t pass = 0; pass < COUNT_OF(g_passes); pass++) {
				uint32_t request = g_others[other] | cases[i].flag;
				uint32_t noted = g_passes[pass];
				uint32_t now = noted + cases[i].passes;
				struct sd_region region =
					region_with(request, cases[i].in_walk, now);

				assert_int_equal(sd_grace_passed(&region, noted),
						 cases[i].passed);
				region_is(&region, request, cases[i].in_walk, now);
			}
}

/* Any other value will do, smaller ones too: the count wraps around. */
static void any_change_of_pass_counts(void **state)
{
	(void)state;
	for (size_t noted = 0; noted < COUNT_OF(g_passes); noted++)
		for (size_t now = 0; now < COUNT_OF(g_passes); now++) {
			struct sd_region region = region_with(0, 1, g_passes[now]);

			assert_int_equal(sd_grace_passed(&region, g_passes[noted]),
					 now != noted);
		}
}

/* --- orders ---------------------------------------------------------------------- */

/* The walk that was going on at the note, through a park; then its end. */
static void the_walk_at_the_note_is_waited_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_passes); i++) {
		struct sd_region region = region_with(0, 0, g_passes[i]);
		uint32_t noted;

		sd_walk_begin(&region);
		noted = sd_grace_note(&region);
		assert_false(sd_grace_passed(&region, noted));
		sd_word_mark(&region);
		assert_false(sd_grace_passed(&region, noted));
		assert_false(sd_word_unpark(&region));
		assert_false(sd_grace_passed(&region, noted));
		sd_walk_end(&region);
		assert_true(sd_grace_passed(&region, noted));
		sd_walk_begin(&region);
		assert_true(sd_grace_passed(&region, noted));
	}
}

/* Between the end of the walk and its count, too. */
static void parked_outside_is_quiescent_as_long_as_it_is_parked(void **state)
{
	struct sd_region region = region_with(0, 0, 5);
	uint32_t noted = sd_grace_note(&region);

	(void)state;
	assert_false(sd_grace_passed(&region, noted));
	sd_word_mark(&region);
	assert_true(sd_grace_passed(&region, noted));
	assert_false(sd_word_unpark(&region));
	assert_false(sd_grace_passed(&region, noted));
	sd_walk_pass(&region);
	assert_true(sd_grace_passed(&region, noted));
}

/* Each has noted the other and neither walks: only the counts of their loops end it. */
static void two_that_wait_pass_for_each_other(void **state)
{
	struct sd_region one = region_with(0, 0, 0), two = region_with(0, 0, UINT32_MAX);
	uint32_t noted_one, noted_two;

	(void)state;
	sd_grace_begin(&one);
	noted_two = sd_grace_note(&two);
	sd_grace_begin(&two);
	noted_one = sd_grace_note(&one);
	assert_false(sd_grace_passed(&two, noted_two));
	assert_false(sd_grace_passed(&one, noted_one));
	sd_walk_pass(&one);
	assert_true(sd_grace_passed(&one, noted_one));
	assert_false(sd_grace_passed(&two, noted_two));
	sd_walk_pass(&two);
	assert_true(sd_grace_passed(&two, noted_two));
}

/* A second grace period starts from a new note: what ended the first is no use. */
static void each_grace_period_has_its_own_note(void **state)
{
	struct sd_region region = region_with(0, 0, 0);

	(void)state;
	for (int period = 0; period < 3; period++) {
		uint32_t noted = sd_grace_note(&region);

		sd_walk_begin(&region);
		assert_false(sd_grace_passed(&region, noted));
		sd_walk_end(&region);
		assert_true(sd_grace_passed(&region, noted));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_is_announced_and_counted_at_its_end),
		cmocka_unit_test(a_pass_counts_alone),
		cmocka_unit_test(beginning_counts_grace_periods),
		cmocka_unit_test(a_note_is_the_pass_and_changes_nothing),
		cmocka_unit_test(quiescent_is_passed_or_parked_outside),
		cmocka_unit_test(any_change_of_pass_counts),
		cmocka_unit_test(the_walk_at_the_note_is_waited_for),
		cmocka_unit_test(parked_outside_is_quiescent_as_long_as_it_is_parked),
		cmocka_unit_test(two_that_wait_pass_for_each_other),
		cmocka_unit_test(each_grace_period_has_its_own_note),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
