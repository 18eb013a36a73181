// SPDX-License-Identifier: MIT
/*
 * vcpus_park_between_instructions_test.c - a vCPU that leaves the guest for a doorbell
 * stands in the middle of an instruction, whose operands KVM has translated already. It
 * is finished before the vCPU is parked, whatever ends the slice (CVE-2022-39189).
 */
#include "vcpu_thread_fixture.h"

static void each_is_finished_before_its_park(const uint32_t *rings, size_t count, bool wanted)
{
	for (size_t i = 0; i < count; i++) {
		run_thread(rings[i], wanted, 0);
		assert_int_equal(g_guest.parks, RINGS);
		assert_int_equal(g_guest.parks_in_mid_instruction, 0);
		assert_int_equal(g_guest.finished, RINGS);
	}
}

static void a_doorbell_that_ends_the_slice_is_finished_first(void **state)
{
	static const uint32_t rings[] = {
		SD_REQ_STEP + SD_STEP_POSTED, SD_REQ_STEP + SD_STEP_WALK, SD_REQ_SLEEP,
	};

	(void)state;
	each_is_finished_before_its_park(rings, COUNT_OF(rings), false);
	each_is_finished_before_its_park(rings, COUNT_OF(rings), true);
}

static void one_that_ends_it_for_somebody_else_is_too(void **state)
{
	static const uint32_t rings[] = { SD_REQ_SPUN, SD_REQ_YIELD_TO };

	(void)state;
	each_is_finished_before_its_park(rings, COUNT_OF(rings), true);
}

/* KVM_RUN comes next anyway, and completes it. */
static void one_that_is_answered_in_passing_needs_no_more(void **state)
{
	static const uint32_t rings[] = {
		SD_REQ_NOTHING, SD_REQ_STOPPED, SD_REQ_LOG, SD_REQ_CHECK_STAMPS,
		SD_REQ_FLUSH_OTHERS, SD_REQ_SPUN, SD_REQ_YIELD_TO, SD_REQ_WAKE | 1u << 16,
		SD_REQ_BREAK,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rings); i++) {
		run_thread(rings[i], false, 0);
		assert_int_equal(g_guest.parks, 1);
		assert_int_equal(g_guest.parks_in_mid_instruction, 0);
		assert_int_equal(g_guest.finished, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_doorbell_that_ends_the_slice_is_finished_first),
		cmocka_unit_test(one_that_ends_it_for_somebody_else_is_too),
		cmocka_unit_test(one_that_is_answered_in_passing_needs_no_more),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
