// SPDX-License-Identifier: MIT
/*
 * shadow_reclaim_waits_for_readers_test.c - each scheme by itself: a wait ends when the
 * walks that had begun are over and not before, later walks do not prolong it, and what
 * is retired is freed, all of it, once.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "reclaim.h"
#include "unit_test.h"

#define READERS 3

static struct reclaim reclaim;

static void create(int scheme)
{
	assert_int_equal(reclaim_create(&reclaim, reclaim_schemes[scheme], READERS), 0);
	reclaim_thread_begin(&reclaim);
}

static void destroy(void)
{
	reclaim_thread_end(&reclaim);
	reclaim_destroy(&reclaim);
	assert_int_equal(atomic_load(&reclaim.held), 0);
}

static struct retired *list_of(uint32_t count)
{
	struct retired *list = NULL;

	for (uint32_t i = 0; i < count; i++) {
		struct retired *retired = malloc(sizeof(*retired));

		assert_non_null(retired);
		retired->next = list;
		list = retired;
	}
	return list;
}

/* --- a reader on a thread of its own -------------------------------------------------- */

struct walk {
	pthread_t thread;
	uint32_t reader;
	_Atomic bool begun, end;
};

static void *walk_main(void *argument)
{
	struct walk *walk = argument;

	reclaim_thread_begin(&reclaim);
	reclaim_begin(&reclaim, &reclaim.readers[walk->reader]);
	atomic_store(&walk->begun, true);
	while (!atomic_load(&walk->end))
		sched_yield();
	reclaim_end(&reclaim, &reclaim.readers[walk->reader]);
	reclaim_thread_end(&reclaim);
	return NULL;
}

static void walk_begin(struct walk *walk, uint32_t reader)
{
	*walk = (struct walk){ .reader = reader };
	assert_int_equal(pthread_create(&walk->thread, NULL, walk_main, walk), 0);
	while (!atomic_load(&walk->begun))
		sched_yield();
}

static void walk_end(struct walk *walk)
{
	atomic_store(&walk->end, true);
	pthread_join(walk->thread, NULL);
}

/* --- a wait on a thread of its own -------------------------------------------------------- */

struct waiter {
	pthread_t thread;
	_Atomic bool begun, done;
};

static void *waiter_main(void *argument)
{
	struct waiter *waiter = argument;

	atomic_store(&waiter->begun, true);
	reclaim_wait(&reclaim);
	atomic_store(&waiter->done, true);
	return NULL;
}

/* Lets it come as far as it can. */
static void waiter_begin(struct waiter *waiter)
{
	*waiter = (struct waiter){ 0 };
	assert_int_equal(pthread_create(&waiter->thread, NULL, waiter_main, waiter), 0);
	while (!atomic_load(&waiter->begun))
		sched_yield();
	for (int i = 0; i < 2000; i++)
		sched_yield();
}

static void waiter_join(struct waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	assert_true(atomic_load(&waiter->done));
}

/* --- claims ------------------------------------------------------------------------------- */

static void nobody_reads_nobody_waits(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++) {
		create(scheme);
		for (int i = 0; i < 10; i++)
			reclaim_wait(&reclaim);
		for (uint32_t i = 0; i < READERS; i++)
			assert_int_equal(vcpu_mode_of(&reclaim.readers[i].mode), OUTSIDE_GUEST_MODE);
		destroy();
	}
}

static void a_wait_lasts_as_long_as_its_readers(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++) {
		struct walk walks[READERS];
		struct waiter waiter;

		create(scheme);
		for (uint32_t i = 0; i < READERS; i++)
			walk_begin(&walks[i], i);
		waiter_begin(&waiter);
		for (uint32_t i = 0; i < READERS; i++) {
			assert_false(atomic_load(&waiter.done));
			walk_end(&walks[i]);
		}
		waiter_join(&waiter);
		destroy();
	}
}

/* However many there are, the one that ends last. None of the two schemes looks at who
 * the thread is. */
static void the_last_of_many_readers_is_waited_for(void **state)
{
	static const struct reclaim_ops *const schemes[] = { &reclaim_counter, &reclaim_mode };
	static const uint32_t lasts[] = { 0, 63, 64, 127, 128, 149 };
	const uint32_t readers = 150;

	(void)state;
	for (size_t s = 0; s < sizeof(schemes) / sizeof(schemes[0]); s++)
		for (size_t l = 0; l < sizeof(lasts) / sizeof(lasts[0]); l++) {
			struct waiter waiter;

			assert_int_equal(reclaim_create(&reclaim, schemes[s], readers), 0);
			for (uint32_t i = 0; i < readers; i++)
				reclaim_begin(&reclaim, &reclaim.readers[i]);
			waiter_begin(&waiter);
			for (uint32_t i = 0; i < readers; i++)
				if (i != lasts[l])
					reclaim_end(&reclaim, &reclaim.readers[i]);
			for (int i = 0; i < 100; i++)
				sched_yield();
			assert_false(atomic_load(&waiter.done));
			reclaim_end(&reclaim, &reclaim.readers[lasts[l]]);
			waiter_join(&waiter);
			reclaim_destroy(&reclaim);
		}
}

/* One reader ends, another has begun meanwhile and stays. */
static void a_later_walk_does_not_prolong_it(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++) {
		struct walk first, later;
		struct waiter waiter;

		create(scheme);
		walk_begin(&first, 0);
		waiter_begin(&waiter);
		walk_begin(&later, 1);
		assert_false(atomic_load(&waiter.done));
		walk_end(&first);
		waiter_join(&waiter);
		walk_end(&later);
		destroy();
	}
}

/* The same reader, over and over: its word is odd most of the time. */
static void *walk_all_the_time(void *argument)
{
	struct walk *walk = argument;

	reclaim_thread_begin(&reclaim);
	while (!atomic_load(&walk->end)) {
		reclaim_begin(&reclaim, &reclaim.readers[0]);
		atomic_store(&walk->begun, true);
		reclaim_end(&reclaim, &reclaim.readers[0]);
	}
	reclaim_thread_end(&reclaim);
	return NULL;
}

static void a_reader_without_a_break_does_not_prolong_it(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++) {
		struct walk walk = { 0 };

		create(scheme);
		assert_int_equal(pthread_create(&walk.thread, NULL, walk_all_the_time, &walk), 0);
		while (!atomic_load(&walk.begun))
			sched_yield();
		for (int i = 0; i < 20; i++)
			reclaim_wait(&reclaim);
		walk_end(&walk);
		assert_true(atomic_load(&reclaim.readers[0].walks) > 0);
		destroy();
	}
}

static void all_that_is_retired_is_freed_once(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++) {
		uint64_t retired = 0;

		create(scheme);
		assert_false(reclaim_retire(&reclaim, NULL));
		for (uint32_t count = 1; count < 20; count++) {
			(void)reclaim_retire(&reclaim, list_of(count));
			retired += count;
		}
		destroy();
		assert_true(atomic_load(&reclaim.freed) == retired);
		assert_true(atomic_load(&reclaim.held_most) >= 19);
		assert_true(atomic_load(&reclaim.held_most) <= retired);
	}
}

/* What each scheme is about. */
static void with_nobody_reading_mode_and_counter_free_at_once(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++) {
		bool at_once = reclaim_schemes[scheme] != &reclaim_rcu;

		create(scheme);
		assert_int_equal(reclaim_retire(&reclaim, list_of(3)), at_once);
		if (at_once)
			assert_int_equal(atomic_load(&reclaim.held), 0);
		destroy();
	}
}

static void counter_and_rcu_leave_it_behind_while_somebody_reads(void **state)
{
	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++) {
		struct walk walk;

		if (reclaim_schemes[scheme] == &reclaim_mode)
			continue;
		create(scheme);
		walk_begin(&walk, 0);
		assert_false(reclaim_retire(&reclaim, list_of(3)));
		assert_int_equal(atomic_load(&reclaim.held), 3);
		walk_end(&walk);
		reclaim_wait(&reclaim);
		if (reclaim_schemes[scheme] == &reclaim_counter)
			assert_int_equal(atomic_load(&reclaim.held), 0);
		destroy();
		assert_int_equal(atomic_load(&reclaim.freed), 3);
	}
}

/* --- signals ---------------------------------------------------------------------------- */

static uint32_t kicked;

static void note_kick(void *context, uint32_t reader)
{
	assert_ptr_equal(context, &kicked);
	kicked |= 1u << reader;
}

static void only_vcpus_in_the_guest_are_signalled(void **state)
{
	struct walk walk;
	struct waiter waiter;

	(void)state;
	create(2);
	assert_ptr_equal(reclaim.ops, &reclaim_mode);
	vcpu_mode_enter_guest(&reclaim.readers[1].mode);
	reclaim_wait(&reclaim);                         /* nobody has asked for signals */
	assert_int_equal(vcpu_mode_of(&reclaim.readers[1].mode), IN_GUEST_MODE);
	reclaim.kick = note_kick;
	reclaim.kick_context = &kicked;
	walk_begin(&walk, 2);
	waiter_begin(&waiter);
	walk_end(&walk);
	waiter_join(&waiter);
	assert_int_equal(kicked, 1 << 1);
	assert_int_equal(vcpu_mode_of(&reclaim.readers[1].mode), EXITING_GUEST_MODE);
	kicked = 0;
	reclaim_wait(&reclaim);
	assert_int_equal(kicked, 0);
	assert_int_equal(atomic_load(&reclaim.kicks), 1);
	destroy();
}

static void schemes_are_in_the_order_of_their_names(void **state)
{
	static const char *const names[RECLAIM_SCHEMES] = { "rcu", "counter", "mode" };

	(void)state;
	for (int scheme = 0; scheme < RECLAIM_SCHEMES; scheme++)
		assert_string_equal(reclaim_schemes[scheme]->name, names[scheme]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_reads_nobody_waits),
		cmocka_unit_test(a_wait_lasts_as_long_as_its_readers),
		cmocka_unit_test(the_last_of_many_readers_is_waited_for),
		cmocka_unit_test(a_later_walk_does_not_prolong_it),
		cmocka_unit_test(a_reader_without_a_break_does_not_prolong_it),
		cmocka_unit_test(all_that_is_retired_is_freed_once),
		cmocka_unit_test(with_nobody_reading_mode_and_counter_free_at_once),
		cmocka_unit_test(counter_and_rcu_leave_it_behind_while_somebody_reads),
		cmocka_unit_test(only_vcpus_in_the_guest_are_signalled),
		cmocka_unit_test(schemes_are_in_the_order_of_their_names),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
