// SPDX-License-Identifier: MIT
/*
 * shadow_mode_is_one_word_test.c - each transition of vmm/shadow/vcpu_mode.h by itself:
 * which mode it leaves, that a walk never has another's number, and who is kicked.
 * One thread: the races are the stress test's and the model's.
 */
#include "unit_test.h"
#include "vcpu_mode.h"

/* In the order of the modes below. */
static void outside(struct vcpu_mode *mode)
{
	vcpu_mode_leave_guest(mode);
}

static void reading(struct vcpu_mode *mode)
{
	vcpu_mode_read_begin(mode);
}

static void in_guest(struct vcpu_mode *mode)
{
	vcpu_mode_enter_guest(mode);
}

static void exiting(struct vcpu_mode *mode)
{
	vcpu_mode_enter_guest(mode);
	assert_true(vcpu_mode_kick(mode));
}

static const struct {
	void (*go)(struct vcpu_mode *mode);
	unsigned mode;
} places[] = {
	{ outside, OUTSIDE_GUEST_MODE },
	{ reading, READING_SHADOW_PAGE_TABLES },
	{ in_guest, IN_GUEST_MODE },
	{ exiting, EXITING_GUEST_MODE },
};

static void each_step_leads_to_its_mode(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct vcpu_mode mode = { 0 };

		assert_int_equal(vcpu_mode_of(&mode), OUTSIDE_GUEST_MODE);
		places[i].go(&mode);
		assert_int_equal(vcpu_mode_of(&mode), places[i].mode);
	}
}

/* Only a reader has an odd word, which is all that who frees looks at. */
static void only_readers_are_waited_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct vcpu_mode mode = { 0 };

		places[i].go(&mode);
		assert_int_equal(vcpu_mode_reading(&mode) != 0,
				 places[i].mode == READING_SHADOW_PAGE_TABLES);
		assert_int_equal(atomic_load(&mode.word) & 1, vcpu_mode_reading(&mode) & 1);
	}
}

static void a_walk_that_is_over_is_not_the_next_one(void **state)
{
	struct vcpu_mode mode = { 0 };
	uint64_t last = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t walk;

		vcpu_mode_read_begin(&mode);
		walk = vcpu_mode_reading(&mode);
		assert_true(walk != 0);
		assert_true(walk != last);
		assert_true(vcpu_mode_still(&mode, walk));
		vcpu_mode_read_end(&mode);
		assert_false(vcpu_mode_still(&mode, walk));
		assert_true(vcpu_mode_reading(&mode) == 0);
		if (i % 3 == 0) {
			vcpu_mode_enter_guest(&mode);
			vcpu_mode_leave_guest(&mode);
		}
		assert_false(vcpu_mode_still(&mode, walk));
		last = walk;
	}
}

/* The number of a walk comes round after 2^61 of them, and is still another's. */
static void walks_wrap_around(void **state)
{
	struct vcpu_mode mode = { UINT64_MAX & ~(uint64_t)VCPU_MODE_BITS };
	uint64_t walk;

	(void)state;
	vcpu_mode_read_begin(&mode);
	walk = vcpu_mode_reading(&mode);
	assert_true(walk == (UINT64_MAX & ~(uint64_t)VCPU_MODE_BITS) + READING_SHADOW_PAGE_TABLES);
	vcpu_mode_read_end(&mode);
	assert_false(vcpu_mode_still(&mode, walk));
	assert_int_equal(vcpu_mode_of(&mode), OUTSIDE_GUEST_MODE);
	assert_true(vcpu_mode_walks(&mode) == 0);
}

static void only_who_is_in_the_guest_is_kicked_and_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		struct vcpu_mode mode = { 8 * 77 };
		uint64_t before;

		places[i].go(&mode);
		before = atomic_load(&mode.word);
		assert_int_equal(vcpu_mode_kick(&mode), places[i].mode == IN_GUEST_MODE);
		if (places[i].mode == IN_GUEST_MODE)
			assert_int_equal(vcpu_mode_of(&mode), EXITING_GUEST_MODE);
		else
			assert_true(atomic_load(&mode.word) == before);
		assert_false(vcpu_mode_kick(&mode));
		assert_true(vcpu_mode_walks(&mode) == 8 * 77);
	}
}

static void a_kicked_vcpu_leaves_like_any_other(void **state)
{
	struct vcpu_mode mode = { 0 };

	(void)state;
	vcpu_mode_enter_guest(&mode);
	assert_true(vcpu_mode_kick(&mode));
	vcpu_mode_leave_guest(&mode);
	assert_int_equal(vcpu_mode_of(&mode), OUTSIDE_GUEST_MODE);
	vcpu_mode_enter_guest(&mode);
	assert_true(vcpu_mode_kick(&mode));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_leads_to_its_mode),
		cmocka_unit_test(only_readers_are_waited_for),
		cmocka_unit_test(a_walk_that_is_over_is_not_the_next_one),
		cmocka_unit_test(walks_wrap_around),
		cmocka_unit_test(only_who_is_in_the_guest_is_kicked_and_once),
		cmocka_unit_test(a_kicked_vcpu_leaves_like_any_other),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
