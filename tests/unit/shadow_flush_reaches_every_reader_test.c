// SPDX-License-Identifier: MIT
/*
 * shadow_flush_reaches_every_reader_test.c - a flush ends the translations of the readers
 * that its mask names, in whichever word of the mask, and of nobody else.
 */
#define FIXTURE_VCPUS 130

#include "shadow_fixture.h"

#define WORDS ((FIXTURE_VCPUS + 63) / 64)

/* The ends of each word, and somebody inside. */
static const uint32_t g_vcpus[] = { 0, 1, 40, 63, 64, 65, 100, 127, 128, 129 };

static void map_all(const struct fixture *f, uint64_t gpa)
{
	for (uint32_t vcpu = 0; vcpu < FIXTURE_VCPUS; vcpu++)
		*fixture_word(f, sd_window_pte_gpa(vcpu, 0, 0)) = sd_pte(gpa);
}

/* Through the window of @vcpu: where it is mapped to, as its reader sees it. */
static uint64_t seen_by(const struct fixture *f, uint32_t vcpu)
{
	uint64_t word;

	assert_int_equal(shadow_copy_from_guest(shadow_reader(f->shadow, vcpu), fixture_root(vcpu),
						sd_window_va(0, 0), &word, 8), 0);
	return word;
}

/* Everybody holds a translation to page 1; it is page 2 by now. */
static void begin_all(const struct fixture *f)
{
	map_all(f, fixture_gpa(1));
	for (uint32_t vcpu = 0; vcpu < FIXTURE_VCPUS; vcpu++) {
		shadow_exit_begin(shadow_reader(f->shadow, vcpu));
		assert_int_equal(seen_by(f, vcpu), fixture_gpa(1));
	}
	map_all(f, fixture_gpa(2));
}

static void each_bit_is_one_reader(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	for (size_t i = 0; i < COUNT_OF(g_vcpus); i++) {
		uint64_t mask[WORDS] = { 0 };

		begin_all(&f);
		mask[g_vcpus[i] / 64] = UINT64_C(1) << g_vcpus[i] % 64;
		shadow_flush(f.shadow, mask, FIXTURE_VCPUS);
		for (uint32_t vcpu = 0; vcpu < FIXTURE_VCPUS; vcpu++)
			assert_int_equal(seen_by(&f, vcpu),
					 fixture_gpa(vcpu == g_vcpus[i] ? 2 : 1));
	}
	fixture_destroy(&f);
}

static void all_bits_are_everybody(void **state)
{
	const uint64_t all[WORDS] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	begin_all(&f);
	shadow_flush(f.shadow, all, FIXTURE_VCPUS);
	for (uint32_t vcpu = 0; vcpu < FIXTURE_VCPUS; vcpu++)
		assert_int_equal(seen_by(&f, vcpu), fixture_gpa(2));
	fixture_destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bit_is_one_reader),
		cmocka_unit_test(all_bits_are_everybody),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
