// SPDX-License-Identifier: MIT
/*
 * shadow_refuses_bad_tables_test.c - whatever the guest's tables hold, a walk ends in a
 * page of the guest's memory or in the error that says what is wrong, also while they
 * change under it.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "shadow_fixture.h"

/* A tree of one's own, in memory that nothing else uses: PML4, PDPT, PD, leaf. */
#define TREE_GPA    fixture_gpa(4 * FIXTURE_PAGES)
#define TREE(level) (TREE_GPA + (uint64_t)(4 - (level)) * SD_PAGE_BYTES)
#define TREE_GVA    UINT64_C(0x123456789abc)
#define TARGET      fixture_gpa(3)

static uint64_t *entry_of(const struct fixture *f, int level, uint64_t gva)
{
	uint64_t index = gva >> (12 + 9 * (level - 1)) & 511;

	return fixture_word(f, TREE(level) + index * 8);
}

static void build_tree(const struct fixture *f)
{
	memset(fixture_word(f, TREE_GPA), 0, 4 * SD_PAGE_BYTES);
	for (int level = 4; level > 1; level--)
		*entry_of(f, level, TREE_GVA) = sd_pte(TREE(level - 1));
	*entry_of(f, 1, TREE_GVA) = sd_pte(TARGET);
}

static void create(struct fixture *f)
{
	fixture_create(f, (struct shadow_config){ 0 });
	build_tree(f);
}

/* The walk and the copy agree on it, and the error changes nothing. */
static void expect_at(const struct fixture *f, uint64_t root, uint64_t gva, int wanted)
{
	uint64_t gpa = 0x5a5a, word = 0x5a5a;
	int walked = guest_walk(&f->memory, root, gva, &gpa);
	int copied;

	shadow_exit_begin(f->reader);
	copied = shadow_copy_from_guest(f->reader, root, gva & ~UINT64_C(7), &word, sizeof(word));
	if (walked != wanted || copied != wanted)
		fail_msg("0x%llx: walked %d, copied %d, wanted %d", (unsigned long long)gva,
			 walked, copied, wanted);
	if (wanted != 0) {
		assert_true(gpa == 0x5a5a);
		assert_true(word == 0x5a5a);
	}
}

static void expect(const struct fixture *f, int wanted)
{
	expect_at(f, TREE(4), TREE_GVA, wanted);
}

static void a_good_tree_leads_to_its_page(void **state)
{
	struct fixture f;
	uint64_t gpa;

	(void)state;
	create(&f);
	expect(&f, 0);
	assert_int_equal(guest_walk(&f.memory, TREE(4), TREE_GVA, &gpa), 0);
	assert_true(gpa == TARGET + TREE_GVA % SD_PAGE_BYTES);
	fixture_destroy(&f);
}

static void pointers_are_canonical(void **state)
{
	static const struct { uint64_t gva; int wanted; } cases[] = {
		{ 0x00007fffffffffff, -EFAULT },        /* canonical, and not mapped */
		{ 0x0000800000000000, -EINVAL },
		{ 0xffff7fffffffffff, -EINVAL },
		{ 0xffff800000000000, -EFAULT },
		{ UINT64_MAX, -EFAULT },
		{ TREE_GVA | UINT64_C(1) << 48, -EINVAL },
		{ TREE_GVA | UINT64_C(0xffff) << 48, -EINVAL },
		{ TREE_GVA | UINT64_C(1) << 63, -EINVAL },
	};
	struct fixture f;

	(void)state;
	create(&f);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_at(&f, TREE(4), cases[i].gva, cases[i].wanted);
	/* One that aliases a page that has just been found. */
	expect(&f, 0);
	for (int bit = 48; bit < 64; bit++) {
		uint64_t word;

		assert_int_equal(shadow_copy_from_guest(f.reader, TREE(4), (TREE_GVA & ~UINT64_C(7)) |
							UINT64_C(1) << bit, &word, 8), -EINVAL);
	}
	fixture_destroy(&f);
}

/* At each level in turn. */
static void bad_entries_are_refused(void **state)
{
	struct fixture f;
	const uint64_t end = SD_FRAMES_GPA + UINT64_C(65) * FIXTURE_PAGES * SD_PAGE_BYTES;

	(void)state;
	create(&f);
	assert_true(end == f.memory.bytes);
	for (int level = 4; level >= 1; level--) {
		const struct { uint64_t entry; int wanted; } cases[] = {
			{ 0, -EFAULT },
			{ sd_pte(TARGET) & ~SD_PTE_PRESENT, -EFAULT },
			{ UINT64_MAX & ~SD_PTE_PRESENT, -EFAULT },
			{ sd_pte(end), -ERANGE },
			{ sd_pte(SD_APIC_GPA), -ERANGE },
			{ sd_pte(0x000ffffffffff000), -ERANGE },
			{ sd_pte(UINT64_C(1) << 36), -ERANGE },
			{ sd_pte(UINT64_C(1) << 51), -ERANGE },
		};

		for (size_t i = 0; i < COUNT_OF(cases); i++) {
			*entry_of(&f, level, TREE_GVA) = cases[i].entry;
			expect(&f, cases[i].wanted);
		}
		build_tree(&f);
		/* The bits that software may use, and those for access and caching. */
		*entry_of(&f, level, TREE_GVA) |= UINT64_C(0xfff0000000000e78);
		expect(&f, 0);
		*entry_of(&f, level, TREE_GVA) &= ~(SD_PTE_WRITE | SD_PTE_USER);
		expect(&f, 0);
		build_tree(&f);
	}
	expect(&f, 0);
	*entry_of(&f, 1, TREE_GVA) = sd_pte(end - SD_PAGE_BYTES);
	expect(&f, 0);
	fixture_destroy(&f);
}

static void roots_are_checked(void **state)
{
	struct fixture f;
	const struct { uint64_t root; int wanted; } cases[] = {
		{ TREE(4), 0 },
		{ TREE(4) | 1, -ERANGE }, { TREE(4) | 0x18, -ERANGE },
		{ TREE(4) | UINT64_C(1) << 63, -ERANGE }, { UINT64_MAX, -ERANGE },
		{ SD_APIC_GPA, -ERANGE }, { 0x000ffffffffff000, -ERANGE },
	};

	(void)state;
	create(&f);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_at(&f, cases[i].root, TREE_GVA, cases[i].wanted);
	expect_at(&f, f.memory.bytes, TREE_GVA, -ERANGE);
	fixture_destroy(&f);
}

static void large_pages_are_2_mib_and_aligned(void **state)
{
	const uint64_t large = UINT64_C(0x200000);
	struct fixture f;
	uint64_t gpa;

	(void)state;
	create(&f);
	*entry_of(&f, 2, TREE_GVA) = sd_pte_large(SD_FRAMES_GPA);
	*entry_of(&f, 2, TREE_GVA) |= UINT64_C(1) << 12;        /* PAT */
	assert_int_equal(guest_walk(&f.memory, TREE(4), TREE_GVA, &gpa), 0);
	assert_true(gpa == SD_FRAMES_GPA + TREE_GVA % large);
	for (uint64_t bit = UINT64_C(1) << 13; bit < large; bit <<= 1) {
		*entry_of(&f, 2, TREE_GVA) = sd_pte_large(SD_FRAMES_GPA + bit);
		expect(&f, -EBADMSG);
	}
	for (int level = 3; level <= 4; level++) {
		build_tree(&f);
		*entry_of(&f, level, TREE_GVA) |= SD_PTE_LARGE;
		expect(&f, -EBADMSG);
	}
	/* In a leaf the bit is PAT. */
	build_tree(&f);
	*entry_of(&f, 1, TREE_GVA) |= SD_PTE_LARGE;
	expect(&f, 0);
	fixture_destroy(&f);
}

/* The last large page hangs over the end of memory, and only what is there is there. */
static void a_large_page_ends_where_memory_ends(void **state)
{
	const uint64_t large = UINT64_C(0x200000);
	struct fixture f;
	uint64_t last, gpa;

	(void)state;
	create(&f);
	last = f.memory.bytes - f.memory.bytes % large;
	assert_true(last < f.memory.bytes);
	*entry_of(&f, 2, TREE_GVA) = sd_pte_large(last);
	for (uint64_t offset = 0; offset < large; offset += SD_PAGE_BYTES) {
		uint64_t gva = (TREE_GVA & ~(large - 1)) + offset;

		assert_int_equal(guest_walk(&f.memory, TREE(4), gva, &gpa),
				 last + offset < f.memory.bytes ? 0 : -ERANGE);
	}
	*entry_of(&f, 2, TREE_GVA) = sd_pte_large(last + large);
	expect(&f, -ERANGE);
	fixture_destroy(&f);
}

static void loops_are_refused(void **state)
{
	struct fixture f;

	(void)state;
	create(&f);
	for (int level = 4; level > 1; level--)
		for (int to = 4; to >= level; to--) {
			build_tree(&f);
			*entry_of(&f, level, TREE_GVA) = sd_pte(TREE(to));
			expect(&f, -ELOOP);
		}
	/* A leaf that shows a table as a page is no loop. */
	for (int to = 4; to >= 1; to--) {
		build_tree(&f);
		*entry_of(&f, 1, TREE_GVA) = sd_pte(TREE(to));
		expect(&f, 0);
	}
	fixture_destroy(&f);
}

/* --- tables that change while they are walked ------------------------------------------ */

struct scribbler {
	pthread_t thread;
	const struct fixture *f;
	uint64_t seed;
	_Atomic bool stop;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Anything, most of it near enough to something to be followed. */
static uint64_t draw_entry(const struct fixture *f, uint64_t *state)
{
	uint64_t r = next_random(state);

	switch (r >> 60) {
	case 0: return r;
	case 1: return sd_pte(r & 0x000ffffffffff000);
	case 2: return sd_pte_large(r % f->memory.bytes & ~UINT64_C(0xfff));
	case 3: return 0;
	default: return sd_pte(TREE(1 + (int)(r >> 8 & 3)));
	}
}

static void *scribble(void *argument)
{
	struct scribbler *self = argument;
	uint64_t state = self->seed;

	while (!atomic_load(&self->stop)) {
		int level = 1 + (int)(next_random(&state) >> 32 & 3);

		__atomic_store_n(entry_of(self->f, level, TREE_GVA), draw_entry(self->f, &state),
				 __ATOMIC_RELAXED);
	}
	return NULL;
}

static void changes_under_the_walk_lead_nowhere_else(void **state)
{
	struct fixture f;
	struct scribbler scribbler = { .f = &f, .seed = 12345 };
	uint32_t found = 0, refused = 0;

	(void)state;
	create(&f);
	assert_int_equal(pthread_create(&scribbler.thread, NULL, scribble, &scribbler), 0);
	for (uint32_t i = 0; i < 300000 || found == 0 || refused == 0; i++) {
		uint64_t gpa = UINT64_MAX, word;
		int error = guest_walk(&f.memory, TREE(4), TREE_GVA, &gpa);

		if (error == 0) {
			found++;
			assert_non_null(guest_memory_at(&f.memory, gpa & ~UINT64_C(0xfff), SD_PAGE_BYTES));
		} else {
			refused++;
			assert_true(error == -EFAULT || error == -ERANGE || error == -ELOOP ||
				    error == -EBADMSG);
		}
		shadow_exit_begin(f.reader);
		error = shadow_copy_from_guest(f.reader, TREE(4), TREE_GVA & ~UINT64_C(7), &word, 8);
		assert_true(error == 0 || error == -EFAULT || error == -ERANGE || error == -ELOOP ||
			    error == -EBADMSG);
	}
	atomic_store(&scribbler.stop, true);
	pthread_join(scribbler.thread, NULL);
	print_message("%u found, %u refused\n", found, refused);
	fixture_destroy(&f);
}

/* --- random trees, one thread ------------------------------------------------------------ */

static void random_trees_stay_inside(void **state)
{
	struct fixture f;
	uint64_t random = 987654321;

	(void)state;
	create(&f);
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t gva = next_random(&random), gpa;
		int error;

		if (i % 2 != 0)
			gva = TREE_GVA;
		for (int level = 4; level >= 1; level--)
			*entry_of(&f, level, gva) = draw_entry(&f, &random);
		error = guest_walk(&f.memory, TREE(4), gva, &gpa);
		if (error == 0)
			assert_non_null(guest_memory_at(&f.memory, gpa & ~UINT64_C(0xfff), SD_PAGE_BYTES));
	}
	fixture_destroy(&f);
}

static void each_error_has_its_words(void **state)
{
	static const int errors[] = { -EINVAL, -EFAULT, -ERANGE, -ELOOP, -EBADMSG, -ENOMEM, -EIO };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(guest_walk_text(errors[i]), guest_walk_text(errors[j]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_tree_leads_to_its_page),
		cmocka_unit_test(pointers_are_canonical),
		cmocka_unit_test(bad_entries_are_refused),
		cmocka_unit_test(roots_are_checked),
		cmocka_unit_test(large_pages_are_2_mib_and_aligned),
		cmocka_unit_test(a_large_page_ends_where_memory_ends),
		cmocka_unit_test(loops_are_refused),
		cmocka_unit_test(changes_under_the_walk_lead_nowhere_else),
		cmocka_unit_test(random_trees_stay_inside),
		cmocka_unit_test(each_error_has_its_words),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
