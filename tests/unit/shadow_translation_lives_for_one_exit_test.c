// SPDX-License-Identifier: MIT
/*
 * shadow_translation_lives_for_one_exit_test.c - a translation is used again within one
 * exit of one vCPU, and never after it: not after the next exit, not under another
 * root, not after a flush, not for another vCPU, not when the tag comes round.
 */
#include "shadow_fixture.h"

static uint64_t faults(const struct fixture *f)
{
	return shadow_count(f->shadow).faults;
}

static uint64_t read_window(const struct fixture *f, uint32_t page)
{
	return fixture_read(f, sd_window_va(0, page));
}

static void the_same_exit_walks_the_guest_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	fixture_map(&f, 0, fixture_gpa(1));
	shadow_exit_begin(f.reader);
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	assert_int_equal(faults(&f), 1);
	fixture_map(&f, 0, fixture_gpa(2));
	assert_true(read_window(&f, 0) == fixture_gpa(1));      /* as a TLB would */
	assert_int_equal(faults(&f), 1);
	fixture_destroy(&f);
}

static void the_next_exit_sees_what_the_guest_has_mapped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	for (uint32_t i = 0; i < 1000; i++) {
		fixture_map(&f, 0, fixture_gpa(i % FIXTURE_PAGES));
		shadow_exit_begin(f.reader);
		assert_true(read_window(&f, 0) == fixture_gpa(i % FIXTURE_PAGES));
	}
	assert_int_equal(faults(&f), 1000);
	fixture_destroy(&f);
}

/* What was readable is refused once it is gone. */
static void the_next_exit_sees_what_the_guest_has_unmapped(void **state)
{
	struct fixture f;
	uint64_t word;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	fixture_map(&f, 0, fixture_gpa(1));
	shadow_exit_begin(f.reader);
	read_window(&f, 0);
	*fixture_word(&f, sd_window_pte_gpa(0, 0, 0)) = 0;
	shadow_exit_begin(f.reader);
	assert_int_equal(shadow_copy_from_guest(f.reader, fixture_root(0), sd_window_va(0, 0),
						&word, 8), -EFAULT);
	assert_int_equal(shadow_count(f.shadow).errors, 1);
	fixture_destroy(&f);
}

static void another_root_is_another_exit(void **state)
{
	struct fixture f;
	uint64_t word;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	fixture_map(&f, 0, fixture_gpa(1));
	*fixture_word(&f, sd_window_pte_gpa(1, 0, 0)) = sd_pte(fixture_gpa(2));
	shadow_exit_begin(f.reader);
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	assert_int_equal(shadow_copy_from_guest(f.reader, fixture_root(1), sd_window_va(0, 0),
						&word, 8), 0);
	assert_true(word == fixture_gpa(2));
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	assert_int_equal(faults(&f), 3);
	fixture_destroy(&f);
}

static void each_reader_has_its_own(void **state)
{
	struct fixture f;
	uint64_t word;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	for (uint32_t vcpu = 0; vcpu < FIXTURE_VCPUS; vcpu++)
		*fixture_word(&f, sd_window_pte_gpa(vcpu, 0, 0)) = sd_pte(fixture_gpa(vcpu));
	for (uint32_t vcpu = 0; vcpu < FIXTURE_VCPUS; vcpu++) {
		struct shadow_reader *reader = shadow_reader(f.shadow, vcpu);

		shadow_exit_begin(reader);
		assert_int_equal(shadow_copy_from_guest(reader, fixture_root(vcpu),
							sd_window_va(0, 0), &word, 8), 0);
		assert_true(word == fixture_gpa(vcpu));
	}
	fixture_map(&f, 0, fixture_gpa(5));
	shadow_exit_begin(shadow_reader(f.shadow, 1));          /* not vCPU 0's exit */
	assert_true(read_window(&f, 0) == fixture_gpa(0));
	fixture_destroy(&f);
}

static void flush(const struct fixture *f, uint64_t readers)
{
	shadow_flush(f->shadow, &readers, FIXTURE_VCPUS);
}

static void a_flush_ends_the_translations_of_its_target(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	fixture_map(&f, 0, fixture_gpa(1));
	shadow_exit_begin(f.reader);
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	fixture_map(&f, 0, fixture_gpa(2));
	flush(&f, 1 << 1);
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	flush(&f, 1 << 0);
	assert_true(read_window(&f, 0) == fixture_gpa(2));
	fixture_destroy(&f);
}

/* The VMM's own reader stands behind those of the vCPUs: no guest can name it, and the bits
 * of its request end with the last vCPU. */
static void bits_behind_the_last_reader_are_not_looked_at(void **state)
{
	const uint64_t all = UINT64_MAX;
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	fixture_map(&f, 0, fixture_gpa(1));
	shadow_exit_begin(f.reader);
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	fixture_map(&f, 0, fixture_gpa(2));
	shadow_flush(f.shadow, &all, 0);
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	shadow_flush(f.shadow, &all, 1);
	assert_true(read_window(&f, 0) == fixture_gpa(2));
	fixture_destroy(&f);
}

/* The entry of the very tag that comes round must not come alive. */
static void a_tag_that_comes_round_finds_nothing(void **state)
{
	struct fixture f;
	uint64_t held;

	(void)state;
	fixture_create(&f, (struct shadow_config){ .first_tag = UINT32_MAX });
	fixture_map(&f, 0, fixture_gpa(1));
	assert_true(read_window(&f, 0) == fixture_gpa(1));      /* the first root: tag 1 */
	fixture_destroy(&f);

	fixture_create(&f, (struct shadow_config){ .first_tag = UINT32_MAX - 2 });
	fixture_map(&f, 0, fixture_gpa(1));
	assert_true(read_window(&f, 0) == fixture_gpa(1));      /* the last tag */
	held = shadow_count(f.shadow).tables_freed;
	shadow_exit_begin(f.reader);
	assert_true(shadow_count(f.shadow).tables_freed > held);
	assert_int_equal(shadow_count(f.shadow).zapped, 1);
	fixture_map(&f, 0, fixture_gpa(2));
	assert_true(read_window(&f, 0) == fixture_gpa(2));
	for (uint32_t i = 0; i < 4; i++) {
		fixture_map(&f, 0, fixture_gpa(i));
		shadow_exit_begin(f.reader);
		assert_true(read_window(&f, 0) == fixture_gpa(i));
	}
	fixture_destroy(&f);
}

/* By the flush of another, too. */
static void a_flush_can_bring_the_tag_round(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ .first_tag = UINT32_MAX - 2 });
	fixture_map(&f, 0, fixture_gpa(1));
	assert_true(read_window(&f, 0) == fixture_gpa(1));
	fixture_map(&f, 0, fixture_gpa(2));
	flush(&f, 1 << 0);
	assert_true(read_window(&f, 0) == fixture_gpa(2));
	assert_int_equal(shadow_count(f.shadow).zapped, 1);
	fixture_destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_exit_walks_the_guest_once),
		cmocka_unit_test(the_next_exit_sees_what_the_guest_has_mapped),
		cmocka_unit_test(the_next_exit_sees_what_the_guest_has_unmapped),
		cmocka_unit_test(another_root_is_another_exit),
		cmocka_unit_test(each_reader_has_its_own),
		cmocka_unit_test(a_flush_ends_the_translations_of_its_target),
		cmocka_unit_test(bits_behind_the_last_reader_are_not_looked_at),
		cmocka_unit_test(a_tag_that_comes_round_finds_nothing),
		cmocka_unit_test(a_flush_can_bring_the_tag_round),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
