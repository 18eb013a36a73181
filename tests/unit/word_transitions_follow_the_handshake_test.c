// SPDX-License-Identifier: MIT
/*
 * word_transitions_follow_the_handshake_test.c - each step on the words of
 * include/word.h by itself, and the orders of steps that lost flushes before.
 * One thread: the races are tests/stress/word_stress.c's.
 *
 * P and S are the flags; GEN(n) is the word after n requests.
 */
#include <string.h>

#include "unit_test.h"
#include "word.h"

#define P      SD_WORD_PREEMPTED
#define S      SD_WORD_SHOULD_FLUSH
#define GEN(n) ((uint32_t)(n) * SD_WORD_GENERATION)
#define LAST   GEN(0x3fffffff)          /* the next one is 0 again */
#define NO_WANT UINT32_C(0xdeadbeef)

static const uint32_t g_generations[] = {
	GEN(0), GEN(1), GEN(2), GEN(0x1fffffff), GEN(0x20000000), LAST - 4, LAST,
};

/* All zero but the two words. */
static struct sd_region region_with(uint32_t request, uint32_t served)
{
	struct sd_region region;

	memset(&region, 0, sizeof(region));
	sd_u32_store(&region.request, request);
	sd_u32_store(&region.served, served);
	return region;
}

/* Exactly these two words, and nothing else in the page. */
static void region_is(const struct sd_region *region, uint32_t request, uint32_t served)
{
	struct sd_region expected = region_with(request, served);

	assert_int_equal(sd_u32_load(&region->request), request);
	assert_int_equal(sd_u32_load(&region->served), served);
	assert_memory_equal(region, &expected, sizeof(expected));
}

/* The target's handler, undisturbed. */
static void serve(struct sd_region *region)
{
	sd_word_serve_end(region, sd_word_serve_begin(region));
}

static void post_on_a_running_target_asks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_generations); i++) {
		uint32_t old = g_generations[i], want = NO_WANT;
		struct sd_region region = region_with(old, old);

		assert_int_equal(sd_word_post(&region, &want), SD_POST_WAIT);
		assert_int_equal(want, (uint32_t)(old + GEN(1)));
		region_is(&region, old + GEN(1), old);
		assert_false(sd_word_served(&region, want));
	}
}

static void post_on_a_preempted_target_marks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_generations); i++) {
		uint32_t generation = g_generations[i], want = NO_WANT;
		struct sd_region region = region_with(generation | P, GEN(7));

		/* The second post finds the mark there. */
		for (int round = 0; round < 2; round++) {
			assert_int_equal(sd_word_post(&region, &want), SD_POST_COVERED);
			assert_int_equal(want, NO_WANT);
			region_is(&region, generation | P | S, GEN(7));
		}
	}
}

static void what_a_post_wants_has_no_flags(void **state)
{
	struct sd_region region = region_with(GEN(4) | S, 0); /* a payload's nonsense */
	uint32_t want = NO_WANT;

	(void)state;
	assert_int_equal(sd_word_post(&region, &want), SD_POST_WAIT);
	assert_int_equal(want, GEN(5));
	region_is(&region, GEN(5) | S, 0);
}

static void request_asks_running_and_preempted_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_generations); i++) {
		for (uint32_t flags = 0; flags <= SD_WORD_FLAGS; flags++) {
			uint32_t old = g_generations[i];
			struct sd_region region = region_with(old | flags, GEN(9));

			assert_int_equal(sd_word_request(&region), (uint32_t)(old + GEN(1)));
			region_is(&region, (old + GEN(1)) | flags, GEN(9));
		}
	}
}

static void generations_wrap_without_reaching_a_flag(void **state)
{
	struct sd_region region = region_with(LAST | P | S, LAST);
	uint32_t want = NO_WANT;

	(void)state;
	assert_int_equal(sd_word_request(&region), 0);
	region_is(&region, 0 | P | S, LAST);

	region = region_with(LAST - 4, LAST - 4);
	for (uint32_t n = 0; n < 3; n++) {
		assert_int_equal(sd_word_post(&region, &want), SD_POST_WAIT);
		assert_int_equal(want, (uint32_t)(LAST + GEN(n)));
		assert_int_equal(sd_u32_load(&region.request) & SD_WORD_FLAGS, 0);
		assert_false(sd_word_served(&region, want));
		serve(&region);
		assert_true(sd_word_served(&region, want));
	}
	region_is(&region, GEN(1), GEN(1));
}

static void preempted_is_bit_zero(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_generations); i++) {
		for (uint32_t flags = 0; flags <= SD_WORD_FLAGS; flags++) {
			struct sd_region region = region_with(g_generations[i] | flags, 0);

			assert_int_equal(sd_word_preempted(&region), flags & P);
			region_is(&region, g_generations[i] | flags, 0);
		}
	}
}

static void reached_compares_round_the_wrap(void **state)
{
	static const struct {
		uint32_t served, want;
		int reached;
	} cases[] = {
		{ 0,                    0,                   1 },
		{ GEN(0),               GEN(1),              0 },
		{ GEN(1),               GEN(1),              1 },
		{ GEN(2),               GEN(1),              1 },
		{ GEN(1) | P | S,       GEN(1),              1 },
		{ GEN(0) | P | S,       GEN(1),              0 },
		{ LAST,                 LAST,                1 },
		{ LAST - 4,             LAST,                0 },
		{ LAST,                 GEN(0),              0 },
		{ LAST | P | S,         GEN(0),              0 },
		{ GEN(0),               LAST,                1 },
		{ GEN(1),               LAST,                1 },
		{ GEN(0x1fffffff),      GEN(0),              1 },
		{ GEN(0x1fffffff) | P,  GEN(0),              1 },
		{ GEN(0),               GEN(0x1fffffff),     0 },
		{ GEN(0x20000000),      GEN(0x20000000) - 4, 1 },
		{ GEN(0x20000000) - 4,  GEN(0x20000000),     0 },
		{ GEN(0x20000000),      GEN(0),              0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sd_region region = region_with(0, cases[i].served);

		print_message("served %#x, want %#x\n", cases[i].served, cases[i].want);
		assert_int_equal(sd_word_reached(cases[i].served, cases[i].want),
				 cases[i].reached);
		assert_int_equal(sd_word_served(&region, cases[i].want), cases[i].reached);
	}
}

static void serving_stores_what_was_read_without_flags(void **state)
{
	struct sd_region region = region_with(GEN(5) | P | S, GEN(3));
	uint32_t seen = sd_word_serve_begin(&region);

	(void)state;
	region_is(&region, GEN(5) | P | S, GEN(3));
	sd_word_serve_end(&region, seen);
	region_is(&region, GEN(5) | P | S, GEN(5));
}

/* Reading the request again at the end would lose the second post. */
static void a_post_during_a_flush_is_not_served_by_it(void **state)
{
	struct sd_region region = region_with(GEN(0), GEN(0));
	uint32_t first = 0, second = 0, seen;

	(void)state;
	assert_int_equal(sd_word_post(&region, &first), SD_POST_WAIT);
	seen = sd_word_serve_begin(&region);
	assert_int_equal(sd_word_post(&region, &second), SD_POST_WAIT);
	sd_word_serve_end(&region, seen);
	assert_true(sd_word_served(&region, first));
	assert_false(sd_word_served(&region, second));
	serve(&region);
	assert_true(sd_word_served(&region, second));
}

static void park_takes_the_debt_if_something_is_not_served(void **state)
{
	static const struct {
		uint32_t request, served;
		int debt;
	} cases[] = {
		{ GEN(0),          GEN(0),     0 },
		{ GEN(1),          GEN(1),     0 },
		{ GEN(2),          GEN(1),     1 },
		{ GEN(9),          GEN(1),     1 },
		{ GEN(1),          GEN(2),     1 },     /* a payload's nonsense */
		{ GEN(0),          LAST,       1 },
		{ LAST,            LAST,       0 },
		{ GEN(0x20000000), GEN(0),     1 },
		{ GEN(3) | P,      GEN(3),     0 },
		{ GEN(3) | P | S,  GEN(3),     0 },
		{ GEN(4) | P | S,  GEN(3),     1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct sd_region region = region_with(cases[i].request, cases[i].served);
		uint32_t generation = cases[i].request & ~(uint32_t)SD_WORD_FLAGS;

		print_message("request %#x, served %#x\n", cases[i].request, cases[i].served);
		assert_int_equal(sd_word_park(&region), cases[i].debt);
		region_is(&region, cases[i].request | P, generation);
	}
}

static void park_ignores_flags_in_served(void **state)
{
	struct sd_region region = region_with(GEN(3), GEN(3) | P | S);

	(void)state;
	assert_false(sd_word_park(&region));
}

static void mark_transfers_nothing(void **state)
{
	struct sd_region region = region_with(GEN(4), GEN(3));

	(void)state;
	sd_word_mark(&region);
	region_is(&region, GEN(4) | P, GEN(3));
	sd_word_mark(&region);
	region_is(&region, GEN(4) | P, GEN(3));
	assert_false(sd_word_served(&region, GEN(4)));
}

static void unpark_reports_the_mark_and_clears_the_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_generations); i++) {
		for (uint32_t flags = 0; flags <= SD_WORD_FLAGS; flags++) {
			uint32_t generation = g_generations[i];
			struct sd_region region = region_with(generation | flags, GEN(2));

			assert_int_equal(sd_word_unpark(&region), !!(flags & S));
			region_is(&region, generation, GEN(2));
			assert_false(sd_word_unpark(&region));
		}
	}
}

/* Both halves of one park: the request from before it, and one during it. */
static void park_ends_a_wait_and_covers_what_follows(void **state)
{
	struct sd_region region = region_with(GEN(0), GEN(0));
	uint32_t want = NO_WANT, unused = NO_WANT;

	(void)state;
	assert_int_equal(sd_word_post(&region, &want), SD_POST_WAIT);
	assert_true(sd_word_park(&region));
	assert_true(sd_word_served(&region, want));
	assert_int_equal(sd_word_post(&region, &unused), SD_POST_COVERED);
	assert_true(sd_word_unpark(&region));
	region_is(&region, GEN(1), GEN(1));
	assert_int_equal(sd_word_post(&region, &want), SD_POST_WAIT);
	assert_int_equal(want, GEN(2));
}

static void a_parked_request_without_mark_stays_a_debt(void **state)
{
	struct sd_region region = region_with(GEN(0), GEN(0));
	uint32_t want = NO_WANT;

	(void)state;
	assert_int_equal(sd_word_post(&region, &want), SD_POST_WAIT);
	assert_true(sd_word_park(&region));
	assert_false(sd_word_unpark(&region)); /* only the VMM's memory knows now */
	assert_false(sd_word_park(&region));   /* and the word says it once */
}

/* Parked between its two steps, the handler stores an older value later. */
static void served_may_go_back_and_the_next_handler_heals_it(void **state)
{
	struct sd_region region = region_with(GEN(0), GEN(0));
	uint32_t first = 0, second = 0, third = 0, seen;

	(void)state;
	assert_int_equal(sd_word_post(&region, &first), SD_POST_WAIT);
	seen = sd_word_serve_begin(&region);
	assert_int_equal(sd_word_post(&region, &second), SD_POST_WAIT);
	assert_true(sd_word_park(&region));
	assert_true(sd_word_served(&region, second));
	assert_false(sd_word_unpark(&region));
	assert_int_equal(sd_word_post(&region, &third), SD_POST_WAIT);
	sd_word_serve_end(&region, seen);
	region_is(&region, GEN(3), GEN(1));
	assert_true(sd_word_served(&region, first));
	assert_false(sd_word_served(&region, third));
	serve(&region);
	assert_true(sd_word_served(&region, third));
	region_is(&region, GEN(3), GEN(3));
}

/* The same, parked again before it is healed: the debt is taken once more. */
static void a_park_after_served_went_back_takes_the_debt(void **state)
{
	struct sd_region region = region_with(GEN(2), GEN(0));

	(void)state;
	assert_true(sd_word_park(&region));
	assert_false(sd_word_unpark(&region));
	sd_word_serve_end(&region, GEN(1));
	assert_true(sd_word_park(&region));
	region_is(&region, GEN(2) | P, GEN(2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(post_on_a_running_target_asks),
		cmocka_unit_test(post_on_a_preempted_target_marks),
		cmocka_unit_test(what_a_post_wants_has_no_flags),
		cmocka_unit_test(request_asks_running_and_preempted_alike),
		cmocka_unit_test(generations_wrap_without_reaching_a_flag),
		cmocka_unit_test(preempted_is_bit_zero),
		cmocka_unit_test(reached_compares_round_the_wrap),
		cmocka_unit_test(serving_stores_what_was_read_without_flags),
		cmocka_unit_test(a_post_during_a_flush_is_not_served_by_it),
		cmocka_unit_test(park_takes_the_debt_if_something_is_not_served),
		cmocka_unit_test(park_ignores_flags_in_served),
		cmocka_unit_test(mark_transfers_nothing),
		cmocka_unit_test(unpark_reports_the_mark_and_clears_the_flags),
		cmocka_unit_test(park_ends_a_wait_and_covers_what_follows),
		cmocka_unit_test(a_parked_request_without_mark_stays_a_debt),
		cmocka_unit_test(served_may_go_back_and_the_next_handler_heals_it),
		cmocka_unit_test(a_park_after_served_went_back_takes_the_debt),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
