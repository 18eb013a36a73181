// SPDX-License-Identifier: MIT
/*
 * pending_2017_is_one_bit_test.c - the transitions of the 2017 handshake, and
 * the two flushes it loses, played step by step.
 */
#include "pending_2017.h"
#include "unit_test.h"

static void a_running_target_is_asked_a_preempted_one_marked(void **state)
{
	struct sd_region region = { 0 };

	(void)state;
	assert_false(sd_2017_post(&region));
	assert_int_equal(sd_u32_load(&region.state_2017), SD_2017_IPI_PENDING);
	assert_true(sd_2017_pending(&region));
	sd_2017_handler_done(&region);
	assert_false(sd_2017_pending(&region));
	assert_false(sd_2017_park(&region));
	assert_true(sd_2017_post(&region));
	assert_int_equal(sd_u32_load(&region.state_2017),
			 SD_2017_PREEMPTED | SD_2017_SHOULD_FLUSH);
	assert_true(sd_2017_unpark(&region));
	assert_int_equal(sd_u32_load(&region.state_2017), 0);
	assert_false(sd_2017_unpark(&region));
}

static void park_takes_over_what_is_pending(void **state)
{
	struct sd_region region = { 0 };

	(void)state;
	assert_false(sd_2017_post(&region));
	assert_true(sd_2017_park(&region));
	assert_false(sd_2017_pending(&region));
	assert_int_equal(sd_u32_load(&region.state_2017), SD_2017_PREEMPTED);
	assert_false(sd_2017_unpark(&region));
}

/* Two initiators: the second post changes nothing, and the clear that answers
 * the first one answers both. Its own IPI then finds nothing pending. */
static void the_second_initiator_is_answered_by_the_first_flush(void **state)
{
	struct sd_region region = { 0 };

	(void)state;
	assert_false(sd_2017_post(&region));            /* A */
	assert_true(sd_2017_pending(&region));          /* handler: pending, flushes */
	assert_false(sd_2017_post(&region));            /* B, after the flush */
	sd_2017_handler_done(&region);
	assert_false(sd_2017_pending(&region));         /* B returns, unflushed */
}

/* One initiator: a handler parked after its flush clears the next request. */
static void an_old_handler_answers_a_new_request(void **state)
{
	struct sd_region region = { 0 };

	(void)state;
	assert_false(sd_2017_post(&region));            /* A */
	assert_true(sd_2017_pending(&region));          /* handler: pending, flushes */
	assert_true(sd_2017_park(&region));             /* A returns */
	assert_false(sd_2017_unpark(&region));          /* and the VMM flushes */
	assert_false(sd_2017_post(&region));            /* A again, new PTE */
	sd_2017_handler_done(&region);                  /* the old handler goes on */
	assert_false(sd_2017_pending(&region));         /* A returns, unflushed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_target_is_asked_a_preempted_one_marked),
		cmocka_unit_test(park_takes_over_what_is_pending),
		cmocka_unit_test(the_second_initiator_is_answered_by_the_first_flush),
		cmocka_unit_test(an_old_handler_answers_a_new_request),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
