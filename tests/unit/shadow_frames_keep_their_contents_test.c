// SPDX-License-Identifier: MIT
/*
 * shadow_frames_keep_their_contents_test.c - a page that moves keeps its address and
 * what is in it, for whoever reads or writes it; the frame it has left holds poison, and
 * none is lost.
 */
#include <stdlib.h>

#include "shadow_fixture.h"

static struct guest_memory memory;
static struct frames frames;

static int set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	if (guest_memory_create(&memory, 1, 1, 1, &why) != 0 ||
	    frames_create(&frames, &memory, 4, &why) != 0)
		fail_msg("%s", why.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	frames_destroy(&frames);
	guest_memory_destroy(&memory);
	return 0;
}

#define FIRST (SD_FRAMES_GPA / SD_PAGE_BYTES)

static void fill_page(uint32_t page, int with)
{
	memset(memory.hva + (size_t)page * SD_PAGE_BYTES, with, SD_PAGE_BYTES);
}

static void expect_bytes(const uint8_t *bytes, int with)
{
	for (size_t i = 0; i < SD_PAGE_BYTES; i++)
		assert_int_equal(bytes[i], with);
}

static const uint8_t *page_bytes(uint32_t page)
{
	return memory.hva + (size_t)page * SD_PAGE_BYTES;
}

static uint32_t move(uint32_t page)
{
	uint32_t old;

	assert_int_equal(frames_move(&frames, page, 1, &old), 1);
	return old;
}

static void at_first_each_page_is_its_own_frame(void **state)
{
	(void)state;
	for (uint32_t page = 0; page < frames.pages; page++)
		assert_int_equal(frames_at(&frames, page), page);
	assert_int_equal(frames.pages * (size_t)SD_PAGE_BYTES, memory.bytes);
	fill_page(FIRST, 1);
	expect_bytes(frames_bytes(&frames, FIRST), 1);
	for (uint32_t i = 0; i < frames.spares; i++)
		expect_bytes(frames_bytes(&frames, frames.pages + i), FRAMES_POISON);
}

static void a_moved_page_is_elsewhere_and_the_same(void **state)
{
	uint32_t old;

	(void)state;
	fill_page(FIRST, 1);
	fill_page(FIRST + 1, 2);
	old = move(FIRST);
	assert_int_equal(old, FIRST);
	assert_int_not_equal(frames_at(&frames, FIRST), FIRST);
	assert_int_equal(frames_at(&frames, FIRST + 1), FIRST + 1);
	expect_bytes(page_bytes(FIRST), 1);
	expect_bytes(page_bytes(FIRST + 1), 2);
	expect_bytes(frames_bytes(&frames, old), 1);            /* somebody may be reading it */
	frames_release(&frames, old);
	expect_bytes(frames_bytes(&frames, old), FRAMES_POISON);
	expect_bytes(page_bytes(FIRST), 1);
}

/* Writing and reading, by address and by frame, mean the same bytes afterwards. */
static void address_and_frame_stay_one(void **state)
{
	(void)state;
	frames_release(&frames, move(FIRST));
	fill_page(FIRST, 3);
	expect_bytes(frames_bytes(&frames, frames_at(&frames, FIRST)), 3);
	memset(frames_bytes(&frames, frames_at(&frames, FIRST)), 4, SD_PAGE_BYTES);
	expect_bytes(page_bytes(FIRST), 4);
}

static void no_frame_is_lost_or_used_twice(void **state)
{
	bool used[65 + 4 + 1] = { false };
	uint64_t random = 7;

	(void)state;
	for (uint32_t i = 0; i < 65; i++)
		fill_page(FIRST + i, (int)i);
	for (uint32_t i = 0; i < 3000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		frames_release(&frames, move(FIRST + (uint32_t)(random >> 40) % 65));
	}
	for (uint32_t i = 0; i < 65; i++) {
		uint32_t frame = frames_at(&frames, FIRST + i);

		expect_bytes(page_bytes(FIRST + i), (int)i);
		assert_in_range(frame, FIRST, FIRST + 65 + 4 - 1);
		assert_false(used[frame - FIRST]);
		used[frame - FIRST] = true;
	}
	assert_int_equal(frames.spare_count, 4);
	for (uint32_t i = 0; i < 65 + 4; i++)
		assert_int_not_equal(used[i], frames.spare[FIRST + i]);
}

/* Neighbours go together as far as there is room side by side. */
static void neighbours_move_at_once(void **state)
{
	uint32_t old[8];

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		fill_page(FIRST + i, (int)i);
	assert_int_equal(frames_move(&frames, FIRST + 2, 3, old), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(old[i], FIRST + 2 + i);
		assert_int_equal(frames_at(&frames, FIRST + 2 + i), frames.pages + i);
		expect_bytes(frames_bytes(&frames, old[i]), (int)(2 + i));
	}
	frames_release(&frames, old[1]);
	/* One is left behind the three, then the one between their old frames. */
	assert_int_equal(frames_move(&frames, FIRST, 8, old), 1);
	assert_int_equal(frames_at(&frames, FIRST), frames.pages + 3);
	assert_int_equal(frames_move(&frames, FIRST + 1, 8, old), 1);
	assert_int_equal(frames_at(&frames, FIRST + 1), FIRST + 3);
	assert_int_equal(frames_move(&frames, FIRST + 5, 8, old), -ENOBUFS);
	for (uint32_t i = 0; i < 8; i++)
		expect_bytes(page_bytes(FIRST + i), (int)i);
}

static void without_a_spare_frame_nothing_moves(void **state)
{
	uint32_t old = 12345;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		move(FIRST + i);
	fill_page(FIRST + 4, 5);
	assert_int_equal(frames_move(&frames, FIRST + 4, 1, &old), -ENOBUFS);
	assert_int_equal(frames_at(&frames, FIRST + 4), FIRST + 4);
	expect_bytes(page_bytes(FIRST + 4), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(at_first_each_page_is_its_own_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_moved_page_is_elsewhere_and_the_same, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(address_and_frame_stay_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_frame_is_lost_or_used_twice, set_up, tear_down),
		cmocka_unit_test_setup_teardown(neighbours_move_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_spare_frame_nothing_moves, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
