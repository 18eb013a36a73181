// SPDX-License-Identifier: MIT
/*
 * slot_passes_in_order_test.c - a slot goes from thread to thread in the order in which
 * they came, to one at a time, and no thread goes on sleeping when the session ends.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "slot.h"
#include "unit_test.h"
#include "vcpu_signals.h"

#define MEMBERS 8
#define TURNS 4000

static struct slot g_slot;
static struct slot_member g_members[MEMBERS];

static int set_up(void **state)
{
	(void)state;
	slot_init(&g_slot, 0, 2 * NS_PER_MS, 0);
	for (int i = 0; i < MEMBERS; i++)
		slot_member_init(&g_members[i], (uint32_t)i);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	slot_destroy(&g_slot);
	return 0;
}

/* Queue; a free slot is given out at once. */
static void join(struct slot_member *member)
{
	slot_queue(&g_slot, member);
	slot_open(&g_slot);
}

/* Without threads: a turn that has been granted is there to be taken. */
static void a_free_slot_is_granted_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		join(&g_members[i]);
		assert_ptr_equal(g_slot.holder, &g_members[i]);
		assert_false(slot_has_waiting(&g_slot));
		assert_true(slot_wait(&g_slot, &g_members[i]));
		slot_pass(&g_slot, &g_members[i], false);
		assert_null(g_slot.holder);
	}
}

static void first_in_first_out(void **state)
{
	(void)state;
	for (int i = 0; i < MEMBERS; i++) {
		join(&g_members[i]);
		assert_int_equal(atomic_load(&g_slot.waiting), i);
	}
	/* Two whole rounds by those who come back, then each leaves. */
	for (int turn = 0; turn < 3 * MEMBERS; turn++) {
		struct slot_member *holder = &g_members[turn % MEMBERS];

		assert_ptr_equal(g_slot.holder, holder);
		assert_true(slot_wait(&g_slot, holder));
		slot_pass(&g_slot, holder, turn < 2 * MEMBERS);
	}
	assert_null(g_slot.holder);
	assert_int_equal(atomic_load(&g_slot.waiting), 0);
}

static void one_alone_gets_it_back(void **state)
{
	(void)state;
	join(&g_members[0]);
	for (int i = 0; i < 5; i++) {
		assert_true(slot_wait(&g_slot, &g_members[0]));
		slot_pass(&g_slot, &g_members[0], true);
		assert_ptr_equal(g_slot.holder, &g_members[0]);
	}
}

/* What the holder writes is not atomic: the slot orders it. */
static struct {
	uint64_t turns;
	unsigned inside;
	unsigned out_of_order;
	struct slot_member *order[MEMBERS];
} g_held;

static void *take_turns(void *argument)
{
	struct slot_member *member = argument;

	slot_member_enter(member);
	while (slot_wait(&g_slot, member)) {
		g_held.out_of_order += g_held.inside++ != 0;
		if (g_held.turns < MEMBERS)
			g_held.order[g_held.turns] = member;
		g_held.out_of_order += g_held.order[g_held.turns % MEMBERS] != member;
		g_held.turns++;
		g_held.inside--;
		slot_pass(&g_slot, member, g_held.turns <= TURNS - MEMBERS);
	}
	return NULL;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec time = ns_timespec(ns);

	nanosleep(&time, NULL);
}

static void wait_until_free(void)
{
	bool is_free;

	do {
		sleep_ns(NS_PER_MS);
		pthread_mutex_lock(&g_slot.lock);
		is_free = g_slot.holder == NULL;
		pthread_mutex_unlock(&g_slot.lock);
	} while (!is_free);
}

static void threads_take_turns_one_at_a_time(void **state)
{
	pthread_t threads[MEMBERS];

	(void)state;
	memset(&g_held, 0, sizeof(g_held));
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_turns, &g_members[i]), 0);
	/* All at once, so that nobody has begun to leave. */
	pthread_mutex_lock(&g_slot.lock);
	for (int i = 0; i < MEMBERS; i++) {
		TAILQ_INSERT_TAIL(&g_slot.queue, &g_members[i], link);
		atomic_fetch_add(&g_slot.waiting, 1);
	}
	pthread_mutex_unlock(&g_slot.lock);
	slot_pass(&g_slot, NULL, false);
	wait_until_free();
	for (int i = 0; i < MEMBERS; i++)
		slot_member_quit(&g_members[i]);
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(g_held.turns, TURNS);
	assert_int_equal(g_held.out_of_order, 0);
	for (int i = 0; i < MEMBERS; i++)
		assert_ptr_equal(g_held.order[i], &g_members[i]);
}

/* The kick is blocked in all threads of this test and taken by hand. */
static bool kick_pending(uint64_t patience_ns)
{
	struct timespec patience = ns_timespec(patience_ns);
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, VCPU_KICK_SIGNAL);
	return sigtimedwait(&kick, NULL, &patience) == VCPU_KICK_SIGNAL;
}

static void *wait_once(void *argument)
{
	return slot_wait(&g_slot, argument) ? argument : NULL;
}

static void quit_wakes_who_waits(void **state)
{
	pthread_t threads[MEMBERS];
	void *result;

	(void)state;
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_once, &g_members[i]), 0);
	sleep_ns(5 * NS_PER_MS);
	for (int i = 0; i < MEMBERS; i++)
		slot_member_quit(&g_members[i]);
	for (int i = 0; i < MEMBERS; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
}

static void quit_beats_a_grant(void **state)
{
	(void)state;
	join(&g_members[0]);       /* granted, then quit */
	join(&g_members[1]);
	slot_member_quit(&g_members[0]);
	assert_false(slot_wait(&g_slot, &g_members[0]));
	assert_false(slot_wait(&g_slot, &g_members[0]));
	slot_member_quit(&g_members[1]);        /* quit, then granted */
	slot_pass(&g_slot, &g_members[0], false);
	assert_ptr_equal(g_slot.holder, &g_members[1]);
	assert_false(slot_wait(&g_slot, &g_members[1]));
}

static void quit_kicks(void **state)
{
	(void)state;
	slot_member_quit(&g_members[0]);        /* no thread yet: nothing to kick */
	assert_false(kick_pending(0));
	slot_member_enter(&g_members[1]);
	slot_member_quit(&g_members[1]);
	assert_true(kick_pending(5 * NS_PER_S));
}

static void a_slice_ends_on_the_grid(void **state)
{
	const uint64_t slices[] = { 1, 2, 3, 1000, 1001, 500000, 2000000, 999999937 };
	const uint64_t starts[] = { 1000000000, 1000000001, 123456789012345, UINT64_C(1) << 62 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(slices); i++)
		for (uint64_t step = 0; step < 4; step++) {
			uint64_t slice = slices[i], phase = slice * step / 4;
			struct slot slot = { .phase_ns = phase, .slice_ns = slice };

			for (uint64_t n = 0; n < 64; n++) {
				uint64_t now = starts[n % COUNT_OF(starts)] + slice * n / 16;
				uint64_t end = preempt_slice.slice_end(&slot, now);

				assert_int_equal((end - phase) % slice, 0);
				assert_true(end > now + slice / 2 || slice == 1);
				assert_true(end > now);
				assert_true(end <= now + slice + slice / 2);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_free_slot_is_granted_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(first_in_first_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_alone_gets_it_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(threads_take_turns_one_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(quit_wakes_who_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(quit_beats_a_grant, set_up, tear_down),
		cmocka_unit_test_setup_teardown(quit_kicks, set_up, tear_down),
		cmocka_unit_test(a_slice_ends_on_the_grid),
	};
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, VCPU_KICK_SIGNAL);
	sigprocmask(SIG_BLOCK, &kick, NULL);
	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
