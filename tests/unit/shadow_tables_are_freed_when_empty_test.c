// SPDX-License-Identifier: MIT
/*
 * shadow_tables_are_freed_when_empty_test.c - a space has the tables that its entries
 * need and no others, never more than it may, and each address has an entry of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "space.h"
#include "unit_test.h"

#define PAGES 4096

static struct rmap *rmaps[PAGES];
static struct space *space;

static int set_up(void **state)
{
	(void)state;
	memset(rmaps, 0, sizeof(rmaps));
	space = aligned_alloc(SD_CACHE_LINE, sizeof(*space));
	assert_non_null(space);
	space_init(space, UINT32_MAX);
	return 0;
}

static uint64_t drop(struct retired **unlinked)
{
	uint64_t count = reclaim_drop(*unlinked);

	*unlinked = NULL;
	return count;
}

static int tear_down(void **state)
{
	struct retired *unlinked = NULL;

	(void)state;
	space_zap(space, &unlinked);
	assert_int_equal(space->tables, 0);
	drop(&unlinked);
	free(space);
	return 0;
}

static void map(uint64_t gva, uint32_t page, uint32_t frame, uint32_t tag)
{
	struct retired *unlinked = NULL;

	assert_int_equal(space_map(space, rmaps, gva, page, frame, tag, &unlinked), 0);
	assert_null(unlinked);
}

static void expect(uint64_t gva, uint32_t tag, bool there, uint32_t frame)
{
	uint32_t found;

	assert_int_equal(space_find(space, gva, tag, &found), there);
	if (there)
		assert_int_equal(found, frame);
}

/* Addresses that differ in one bit differ in their entry. */
static void each_bit_of_the_address_counts(void **state)
{
	(void)state;
	map(0, 0, 1000, 1);
	for (unsigned bit = 12; bit < 48; bit++)
		expect(UINT64_C(1) << bit, 1, false, 0);
	for (unsigned bit = 12; bit < 48; bit++)
		map(UINT64_C(1) << bit, bit, 1000 + bit, 1);
	for (unsigned bit = 12; bit < 48; bit++)
		expect((UINT64_C(1) << bit) + 0xabc, 1, true, 1000 + bit);
	expect(0xfff, 1, true, 1000);
	for (unsigned bit = 12; bit < 48; bit++)
		for (unsigned other = 12; other < bit; other++)
			expect(UINT64_C(1) << bit | UINT64_C(1) << other, 1, false, 0);
}

/* The upper half of the addresses too. */
static void both_halves_are_there(void **state)
{
	(void)state;
	map(UINT64_C(0xffff800000000000), 1, 10, 1);
	map(UINT64_C(0xfffffffffffff000), 2, 20, 1);
	map(UINT64_C(0x00007ffffffff000), 3, 30, 1);
	map(0, 4, 40, 1);
	expect(UINT64_C(0xffff800000000fff), 1, true, 10);
	expect(UINT64_MAX, 1, true, 20);
	expect(UINT64_C(0x00007fffffffffff), 1, true, 30);
	expect(0, 1, true, 40);
}

static void only_the_own_tag_finds_it(void **state)
{
	static const uint32_t tags[] = { 1, 3, 5, 0x7fffffff, 0x80000001, UINT32_MAX };

	(void)state;
	expect(0x5000, 1, false, 0);
	for (size_t i = 0; i < COUNT_OF(tags); i++) {
		map(0x5000, 7, (uint32_t)i, tags[i]);
		for (size_t j = 0; j < COUNT_OF(tags); j++)
			expect(0x5000, tags[j], i == j, (uint32_t)i);
	}
	map(0x5000, 7, UINT32_MAX, UINT32_MAX);
	expect(0x5000, UINT32_MAX, true, UINT32_MAX);
}

static void tables_are_made_as_needed(void **state)
{
	const uint64_t leaf = UINT64_C(1) << 18;        /* that one leaf covers */

	(void)state;
	assert_int_equal(space->tables, 0);
	map(0, 0, 1, 1);
	assert_int_equal(space->tables, 5);
	map(leaf - 0x1000, 1, 2, 1);
	assert_int_equal(space->tables, 5);
	map(leaf, 2, 3, 1);
	assert_int_equal(space->tables, 6);
	map(leaf << 6, 3, 4, 1);
	assert_int_equal(space->tables, 8);
	map(leaf << 24, 4, 5, 1);
	assert_int_equal(space->tables, 13);
}

static void the_last_entry_takes_its_tables_along(void **state)
{
	const uint64_t leaf = UINT64_C(1) << 18;
	struct retired *unlinked = NULL;

	(void)state;
	map(0, 0, 1, 1);
	map(0x1000, 1, 2, 1);
	map(leaf, 2, 3, 1);
	map(leaf << 24, 3, 4, 1);
	assert_int_equal(space_zap_page(&rmaps[0], &unlinked), 1);
	assert_int_equal(drop(&unlinked), 0);
	assert_int_equal(space_zap_page(&rmaps[1], &unlinked), 1);
	assert_int_equal(drop(&unlinked), 1);                   /* the leaf */
	expect(leaf, 1, true, 3);
	assert_int_equal(space_zap_page(&rmaps[3], &unlinked), 1);
	assert_int_equal(drop(&unlinked), 5);
	expect(leaf, 1, true, 3);
	assert_int_equal(space_zap_page(&rmaps[2], &unlinked), 1);
	assert_int_equal(drop(&unlinked), 5);
	assert_int_equal(space->tables, 0);
	assert_int_equal(space_zap_page(&rmaps[2], &unlinked), 0);
	assert_null(unlinked);
}

static void all_of_it_goes_at_once(void **state)
{
	struct retired *unlinked = NULL;
	uint32_t tables;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		map((uint64_t)i * 0x1234567000 & 0x7ffffffff000, i % 100, i, 1);
	tables = space->tables;
	assert_int_equal(space_zap(space, &unlinked), 1000);
	assert_int_equal(drop(&unlinked), tables);
	assert_int_equal(space->tables, 0);
	for (uint32_t i = 0; i < PAGES; i++)
		assert_null(rmaps[i]);
	assert_int_equal(space_zap(space, &unlinked), 0);
}

/* At most so many tables, however the guest spreads its pointers. */
static void a_full_space_says_so(void **state)
{
	struct retired *unlinked = NULL;

	(void)state;
	space_init(space, 12);
	for (uint64_t i = 0; i < 1000; i++) {
		uint64_t gva = i << 42 & UINT64_C(0x7ffffffff000);

		gva |= i << 12;
		if (space_is_full(space))
			space_zap(space, &unlinked);
		assert_int_equal(space_map(space, rmaps, gva, (uint32_t)i, (uint32_t)i, 1, &unlinked), 0);
		assert_true(space->tables <= 12);
		expect(gva, 1, true, (uint32_t)i);
		drop(&unlinked);
	}
}

/* --- against a plain list of what is mapped ------------------------------------------------ */

#define MODEL 256

static struct { bool there; uint32_t page, frame; } model[MODEL];

static uint64_t model_gva(uint32_t i)
{
	return (uint64_t)(i % 16) << 12 | (uint64_t)(i / 16 % 4) << 18 | (uint64_t)(i / 64) << 30;
}

static void check_model(void)
{
	for (uint32_t i = 0; i < MODEL; i++)
		expect(model_gva(i), 1, model[i].there, model[i].frame);
}

static void any_order_is_right(void **state)
{
	uint64_t random = 1;

	(void)state;
	memset(model, 0, sizeof(model));
	for (uint32_t step = 0; step < 20000; step++) {
		struct retired *unlinked = NULL;
		uint32_t page, i;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		page = (uint32_t)(random >> 40) % 32;
		i = (uint32_t)(random >> 50) % MODEL;
		if (random >> 62) {
			map(model_gva(i), page, step, 1);
			model[i].there = true;
			model[i].page = page;
			model[i].frame = step;
		} else {
			uint32_t wanted = 0;

			for (uint32_t m = 0; m < MODEL; m++) {
				wanted += model[m].there && model[m].page == page;
				model[m].there &= model[m].page != page;
			}
			assert_int_equal(space_zap_page(&rmaps[page], &unlinked), wanted);
			drop(&unlinked);
		}
		if (step % 64 == 0)
			check_model();
	}
	check_model();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_bit_of_the_address_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(both_halves_are_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_the_own_tag_finds_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tables_are_made_as_needed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_last_entry_takes_its_tables_along, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_of_it_goes_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_space_says_so, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_order_is_right, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
