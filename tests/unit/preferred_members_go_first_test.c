// SPDX-License-Identifier: MIT
/*
 * preferred_members_go_first_test.c - a member that is preferred gets the slot next, and
 * the others keep their order; one that does not wait for the slot is not put anywhere.
 */
#include "clock.h"
#include "slot.h"
#include "unit_test.h"

#define MEMBERS 4

static struct slot g_slot;
static struct slot_member g_members[MEMBERS];

/* Member 0 has the slot, the others wait in order. */
static int set_up(void **state)
{
	(void)state;
	slot_init(&g_slot, 0, 2 * NS_PER_MS, 0);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		slot_member_init(&g_members[i], i);
		slot_queue(&g_slot, &g_members[i]);
		slot_open(&g_slot);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	slot_destroy(&g_slot);
	return 0;
}

/* Each in turn leaves for good. */
static void order_is(uint32_t second, uint32_t third, uint32_t fourth)
{
	const uint32_t order[MEMBERS] = { 0, second, third, fourth };

	for (uint32_t i = 0; i < MEMBERS; i++) {
		assert_ptr_equal(g_slot.holder, &g_members[order[i]]);
		assert_true(slot_wait(&g_slot, g_slot.holder));
		slot_pass(&g_slot, g_slot.holder, false);
	}
	assert_null(g_slot.holder);
}

static void the_last_one_goes_first(void **state)
{
	(void)state;
	slot_prefer(&g_slot, &g_members[3]);
	order_is(3, 1, 2);
}

static void one_in_the_middle_goes_first(void **state)
{
	(void)state;
	slot_prefer(&g_slot, &g_members[2]);
	order_is(2, 1, 3);
}

static void the_first_one_stays(void **state)
{
	(void)state;
	slot_prefer(&g_slot, &g_members[1]);
	order_is(1, 2, 3);
}

static void who_was_preferred_last_goes_before(void **state)
{
	(void)state;
	slot_prefer(&g_slot, &g_members[2]);
	slot_prefer(&g_slot, &g_members[3]);
	order_is(3, 2, 1);
}

static void who_has_the_slot_is_not_queued_again(void **state)
{
	(void)state;
	slot_prefer(&g_slot, &g_members[0]);
	assert_int_equal(atomic_load(&g_slot.waiting), MEMBERS - 1);
	order_is(1, 2, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_one_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_in_the_middle_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_first_one_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_was_preferred_last_goes_before, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_has_the_slot_is_not_queued_again, set_up,
						tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
