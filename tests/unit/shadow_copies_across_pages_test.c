// SPDX-License-Identifier: MIT
/*
 * shadow_copies_across_pages_test.c - a copy is the bytes at each of its addresses,
 * wherever they start, however many they are and whatever frames they lie in; nothing is
 * written beyond them.
 */
#include <stdlib.h>

#include "shadow_fixture.h"

#define GUARD 0xa5

/* The window shows the frames in another order, so that neighbours are not neighbours. */
static uint32_t frame_of(uint32_t page)
{
	return (page * 5 + 2) % FIXTURE_PAGES;
}

static void create(struct fixture *f)
{
	fixture_create(f, (struct shadow_config){ 0 });
	for (uint32_t page = 0; page < FIXTURE_PAGES; page++)
		fixture_map(f, page, fixture_gpa(frame_of(page)));
	shadow_exit_begin(f->reader);
}

static uint8_t byte_at(uint64_t offset)
{
	uint64_t gpa = fixture_gpa(frame_of((uint32_t)(offset / SD_PAGE_BYTES))) +
		offset % SD_PAGE_BYTES;
	uint64_t word = gpa & ~UINT64_C(7);

	return (uint8_t)(word >> 8 * (gpa % 8));
}

static void check_copy(const struct fixture *f, uint64_t offset, size_t bytes)
{
	static uint8_t to[FIXTURE_PAGES * SD_PAGE_BYTES + 2];

	memset(to, GUARD, bytes + 2);
	assert_int_equal(shadow_copy_from_guest(f->reader, fixture_root(0),
						sd_window_va(0, 0) + offset, to + 1, bytes), 0);
	assert_int_equal(to[0], GUARD);
	assert_int_equal(to[bytes + 1], GUARD);
	for (size_t i = 0; i < bytes; i++)
		if (to[i + 1] != byte_at(offset + i))
			fail_msg("0x%llx + 0x%zx of 0x%zx: 0x%x", (unsigned long long)offset, i, bytes,
				 to[i + 1]);
}

static void every_size_from_every_offset(void **state)
{
	static const uint64_t offsets[] = { 0, 1, 7, 8, 4088, 4090, 4095, 4096, 4097, 8191 };
	static const size_t sizes[] = { 0, 1, 2, 7, 8, 9, 63, 255, 256, 257, 300, 4095, 4096, 4097,
		8192, 8193, 12288 };
	struct fixture f;

	(void)state;
	create(&f);
	for (size_t o = 0; o < COUNT_OF(offsets); o++)
		for (size_t s = 0; s < COUNT_OF(sizes); s++)
			check_copy(&f, offsets[o], sizes[s]);
	for (size_t bytes = 0; bytes < 600; bytes++)
		check_copy(&f, SD_PAGE_BYTES - bytes / 2, bytes);
	check_copy(&f, 0, FIXTURE_PAGES * SD_PAGE_BYTES);
	fixture_destroy(&f);
}

static int copy_at(const struct fixture *f, uint64_t gva, void *to, size_t bytes)
{
	return shadow_copy_from_guest(f->reader, fixture_root(0), gva, to, bytes);
}

/* The first page's part is copied, and the error is that of the second. */
static void an_error_half_way_is_the_copys_error(void **state)
{
	struct fixture f;
	uint8_t to[32];

	(void)state;
	create(&f);
	*fixture_word(&f, sd_window_pte_gpa(0, 0, 1)) = 0;
	memset(to, GUARD, sizeof(to));
	assert_int_equal(copy_at(&f, sd_window_va(0, 1) - 8, to, 16), -EFAULT);
	assert_int_equal(to[8], GUARD);
	assert_int_equal(shadow_count(f.shadow).errors, 1);
	assert_int_equal(copy_at(&f, sd_window_va(0, 1) - 8, to, 8), 0);
	assert_int_equal(shadow_count(f.shadow).errors, 1);
	fixture_destroy(&f);
}

static void no_copy_leaves_its_half_of_the_addresses(void **state)
{
	static const struct { uint64_t gva; size_t bytes; int wanted; } cases[] = {
		{ 0, SIZE_MAX, -EFAULT },               /* after the first large page */
		{ UINT64_MAX, 2, -EOVERFLOW },             /* around to 0 */
		{ UINT64_MAX - 7, 9, -EOVERFLOW },
		{ 8, SIZE_MAX, -EOVERFLOW },
		{ UINT64_MAX, 0, 0 },                   /* no byte of it is read */
		{ 0x0000800000000000, 0, 0 },
		{ 0x00007ffffffff000, 0x2000, -EFAULT },
	};
	struct fixture f;
	uint8_t *to;

	(void)state;
	create(&f);
	*fixture_word(&f, SD_IDENTITY_PD_GPA + 8) = 0;
	to = malloc(0x200000);
	assert_non_null(to);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		assert_int_equal(copy_at(&f, cases[i].gva, to, cases[i].bytes), cases[i].wanted);
	free(to);
	fixture_destroy(&f);
}

/* From the last address of the lower half on: the next is not canonical. */
static void the_hole_between_the_halves_is_refused(void **state)
{
	struct fixture f;
	const uint64_t last = UINT64_C(0x00007ffffffff000);
	uint64_t *pml4, *pdpt, *pd, *leaf;
	uint8_t to[16];

	(void)state;
	create(&f);
	pml4 = fixture_word(&f, fixture_root(0));
	pdpt = fixture_word(&f, fixture_gpa(32));
	pd = fixture_word(&f, fixture_gpa(33));
	leaf = fixture_word(&f, fixture_gpa(34));
	pml4[255] = sd_pte(fixture_gpa(32));
	pdpt[511] = sd_pte(fixture_gpa(33));
	pd[511] = sd_pte(fixture_gpa(34));
	leaf[511] = sd_pte(fixture_gpa(1));
	assert_int_equal(copy_at(&f, last + SD_PAGE_BYTES - 8, to, 8), 0);
	assert_int_equal(copy_at(&f, last + SD_PAGE_BYTES - 8, to, 9), -EINVAL);
	fixture_destroy(&f);
}

/* Through the tables that the payload itself runs on: 2 MiB pages. */
static void large_pages_are_copied_from(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	for (uint32_t page = 0; page < FIXTURE_PAGES; page++)
		assert_true(fixture_read(&f, fixture_gpa(page) + 64) == fixture_gpa(page) + 64);
	assert_true(fixture_read(&f, f.memory.bytes - 8) == *fixture_word(&f, f.memory.bytes - 8));
	fixture_destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_from_every_offset),
		cmocka_unit_test(an_error_half_way_is_the_copys_error),
		cmocka_unit_test(no_copy_leaves_its_half_of_the_addresses),
		cmocka_unit_test(the_hole_between_the_halves_is_refused),
		cmocka_unit_test(large_pages_are_copied_from),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
