// SPDX-License-Identifier: MIT
/*
 * shadow_mover_moves_in_its_range_test.c - the mover moves pages of its range, no other,
 * about as many a second as it is told, and says why when it cannot.
 */
#include <sched.h>

#include "clock.h"
#include "mover.h"
#include "shadow_fixture.h"

#define FIRST_PAGE (SD_FRAMES_GPA / SD_PAGE_BYTES)

static struct fixture f;

static int set_up(void **state)
{
	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture_destroy(&f);
	return 0;
}

static struct mover_config config_of(uint32_t first, uint32_t pages, uint32_t rate_hz)
{
	return (struct mover_config){
		.shadow = f.shadow, .frames = &f.frames, .first_gpa = fixture_gpa(first),
		.pages = pages, .rate_hz = rate_hz, .seed = 1,
	};
}

/* Until @moves pages have moved; the test's own time limit is the only one. */
static uint64_t run(const struct mover_config *config, uint64_t moves)
{
	struct why why = { 0 };
	struct mover mover;
	uint64_t start_ns = clock_ns(), ns;

	assert_int_equal(mover_start(&mover, config, &why), 0);
	while (mover_moves(&mover) < moves)
		sched_yield();
	ns = clock_ns() - start_ns;
	if (mover_stop(&mover, &why) != 0)
		fail_msg("%s", why.text);
	return ns;
}

static void expect_contents(void)
{
	for (uint64_t gpa = fixture_gpa(0); gpa < fixture_gpa(4 * FIXTURE_PAGES); gpa += 8)
		assert_true(*fixture_word(&f, gpa) == gpa);
}

static void only_pages_of_the_range_move(void **state)
{
	struct mover_config config = config_of(3, 5, 1000000);

	(void)state;
	run(&config, 200);
	expect_contents();
	for (uint32_t page = 0; page < f.frames.pages; page++) {
		bool inside = page >= FIRST_PAGE + 3 && page < FIRST_PAGE + 8;

		if (!inside)
			assert_int_equal(frames_at(&f.frames, page), page);
	}
	assert_int_equal(f.frames.spare_count, FIXTURE_SPARES);
}

/* Drawn often enough to meet each of them, the first and the last too. */
static void every_page_of_the_range_moves(void **state)
{
	uint8_t moved[FIXTURE_PAGES] = { 0 };

	(void)state;
	for (uint64_t seed = 0; seed < 40; seed++) {
		struct mover_config config = config_of(0, FIXTURE_PAGES, 1000000);
		uint32_t before[FIXTURE_PAGES];

		config.seed = seed;
		for (uint32_t i = 0; i < FIXTURE_PAGES; i++)
			before[i] = frames_at(&f.frames, FIRST_PAGE + i);
		run(&config, 10);
		for (uint32_t i = 0; i < FIXTURE_PAGES; i++)
			moved[i] |= before[i] != frames_at(&f.frames, FIRST_PAGE + i);
	}
	for (uint32_t i = 0; i < FIXTURE_PAGES; i++)
		assert_true(moved[i]);
	expect_contents();
}

/* Never faster; how much slower is the host's affair. A move may be due at the start, and
 * is of 8 pages at most. */
static void no_more_than_so_many_a_second(void **state)
{
	struct mover_config config = config_of(0, FIXTURE_PAGES, 500);
	uint64_t ns;

	(void)state;
	ns = run(&config, 100);
	assert_true(ns >= (100 - 2 * MOVER_MAX_RUN) * NS_PER_S / 500);
}

/* One that rests for an hour is stopped at once. */
static void a_resting_mover_stops(void **state)
{
	struct mover_config config = config_of(0, FIXTURE_PAGES, 1);

	(void)state;
	assert_true(run(&config, 1) < 3600 * NS_PER_S);
}

static void a_bad_range_is_refused(void **state)
{
	const struct { uint64_t first_gpa; uint32_t pages, rate_hz; } cases[] = {
		{ fixture_gpa(0), 0, 100 },
		{ fixture_gpa(0), 1, 0 },
		{ fixture_gpa(0) + 1, 1, 100 },
		{ fixture_gpa(0), MOVER_MAX_PAGES + 1, 100 },
		{ f.memory.bytes - SD_PAGE_BYTES, 2, 100 },
		{ f.memory.bytes, 1, 100 },
		{ UINT64_MAX & ~UINT64_C(0xfff), 1, 100 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mover_config config = config_of(0, 1, 1);
		struct why why = { 0 };
		struct mover mover;

		config.first_gpa = cases[i].first_gpa;
		config.pages = cases[i].pages;
		config.rate_hz = cases[i].rate_hz;
		assert_int_equal(mover_start(&mover, &config, &why), -EINVAL);
		assert_int_equal(why.status, EXIT_USAGE);
	}
}

/* Its frames are taken away under it. */
static void a_mover_that_cannot_go_on_says_why(void **state)
{
	struct mover_config config = config_of(0, FIXTURE_PAGES, 1000000);
	struct why why = { 0 };
	struct mover mover;

	(void)state;
	assert_int_equal(mover_start(&mover, &config, &why), 0);
	while (mover_moves(&mover) == 0)
		sched_yield();
	assert_int_equal(mover_stop(&mover, &why), 0);
	f.frames.memory->fd = -1;
	assert_int_equal(mover_move(f.shadow, &f.frames, fixture_gpa(0), 1), -EBADF);
	assert_int_equal(mover_move(f.shadow, &f.frames, fixture_gpa(0), 3), -EBADF);
	assert_int_equal(mover_start(&mover, &config, &why), 0);
	assert_int_equal(mover_stop(&mover, &why), -EBADF);
	assert_int_equal(why.status, EXIT_HOST);
	assert_non_null(strstr(why.text, "moving"));
	expect_contents();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_pages_of_the_range_move, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_page_of_the_range_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_more_than_so_many_a_second, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_resting_mover_stops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bad_range_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_mover_that_cannot_go_on_says_why, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
