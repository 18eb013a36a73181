// SPDX-License-Identifier: MIT
/*
 * slot_sleepers_wake_test.c - a vCPU that sleeps comes back when it is woken, when
 * its time has come or when an interrupt is pending, also on a slot that nobody
 * uses, and no wake is lost.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "slot.h"
#include "unit_test.h"
#include "vcpu_signals.h"

#define MEMBERS 4
#define FOR_EVER UINT64_MAX

static struct slot g_slot;
static struct slot_member g_members[MEMBERS];
static atomic_bool g_interrupted[MEMBERS];

static bool is_interrupted(struct slot_member *member)
{
	return atomic_load(&g_interrupted[member->id]);
}

static int set_up(void **state)
{
	(void)state;
	slot_init(&g_slot, 0, 2 * NS_PER_MS, 0);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		slot_member_init(&g_members[i], i);
		g_members[i].is_interrupted = is_interrupted;
		atomic_store(&g_interrupted[i], false);
	}
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

static void slot_has(unsigned waiting, unsigned sleeping)
{
	assert_int_equal(atomic_load(&g_slot.waiting), waiting);
	assert_int_equal(atomic_load(&g_slot.sleeping), sleeping);
}

/* 0 sleeps, 1 has the slot, 2 waits. */
static void begin(uint64_t until_ns)
{
	for (int i = 0; i < 3; i++)
		join(&g_members[i]);
	slot_sleep(&g_slot, &g_members[0], until_ns);
	assert_ptr_equal(g_slot.holder, &g_members[1]);
	assert_true(slot_has_waiting(&g_slot));
	slot_has(2, 1);
}

static void a_sleeper_is_passed_over(void **state)
{
	(void)state;
	begin(FOR_EVER);
	for (int i = 0; i < 10; i++) {
		struct slot_member *holder = &g_members[1 + i % 2];

		assert_ptr_equal(g_slot.holder, holder);
		slot_pass(&g_slot, holder, true);
	}
	slot_pass(&g_slot, &g_members[1], false);
	slot_pass(&g_slot, &g_members[2], false);
	assert_null(g_slot.holder);
	assert_true(g_members[0].asleep);
}

static void a_wake_puts_it_first(void **state)
{
	(void)state;
	begin(FOR_EVER);
	slot_wake(&g_slot, &g_members[0]);
	assert_false(g_members[0].asleep);
	slot_has(2, 0);
	slot_pass(&g_slot, &g_members[1], true);
	assert_ptr_equal(g_slot.holder, &g_members[0]);
	slot_has(2, 0);
}

static void a_wake_that_comes_first_is_kept(void **state)
{
	(void)state;
	join(&g_members[0]);
	join(&g_members[1]);
	slot_wake(&g_slot, &g_members[0]);
	slot_sleep(&g_slot, &g_members[0], FOR_EVER);
	assert_ptr_equal(g_slot.holder, &g_members[0]);
	/* Once. */
	slot_sleep(&g_slot, &g_members[0], FOR_EVER);
	assert_ptr_equal(g_slot.holder, &g_members[1]);
	slot_pass(&g_slot, &g_members[1], false);
	assert_null(g_slot.holder);
}

static void its_time_comes(void **state)
{
	uint64_t until = clock_ns() + 20 * NS_PER_MS;

	(void)state;
	begin(until);
	while (clock_ns() <= until)
		;
	/* Looked at on a dispatch or at the end of a slice. */
	assert_true(slot_is_wanted(&g_slot));
	/* Behind who waits already, and before who comes from the slot. */
	slot_pass(&g_slot, &g_members[1], true);
	assert_ptr_equal(g_slot.holder, &g_members[2]);
	slot_pass(&g_slot, &g_members[2], true);
	assert_ptr_equal(g_slot.holder, &g_members[0]);
}

static void an_interrupt_wakes(void **state)
{
	(void)state;
	join(&g_members[0]);
	join(&g_members[1]);
	slot_sleep(&g_slot, &g_members[0], FOR_EVER);
	assert_false(slot_is_wanted(&g_slot));
	atomic_store(&g_interrupted[0], true);
	assert_true(slot_is_wanted(&g_slot));
	slot_pass(&g_slot, &g_members[1], true);
	assert_ptr_equal(g_slot.holder, &g_members[0]);
}

/* Before who waits already. */
static void who_is_interrupted_goes_first(void **state)
{
	(void)state;
	begin(FOR_EVER);
	atomic_store(&g_interrupted[0], true);
	slot_pass(&g_slot, &g_members[1], true);
	assert_ptr_equal(g_slot.holder, &g_members[0]);
	slot_has(2, 0);
}

/* Of a slot that was free nobody's switch is measured. */
static void a_free_slot_has_no_last_holder(void **state)
{
	(void)state;
	join(&g_members[0]);
	g_slot.released_ticks = 7;
	slot_pass(&g_slot, &g_members[0], true);
	assert_int_equal(g_slot.released_ticks, 7);
	slot_sleep(&g_slot, &g_members[0], FOR_EVER);
	assert_int_equal(g_slot.released_ticks, 0);
}

static void a_free_slot_is_given_to_who_is_woken(void **state)
{
	(void)state;
	join(&g_members[0]);
	assert_true(slot_wait(&g_slot, &g_members[0]));
	slot_sleep(&g_slot, &g_members[0], FOR_EVER);
	assert_null(g_slot.holder);
	slot_wake(&g_slot, &g_members[0]);
	assert_ptr_equal(g_slot.holder, &g_members[0]);
	assert_true(slot_wait(&g_slot, &g_members[0]));
	slot_sleep(&g_slot, &g_members[0], FOR_EVER);
	join(&g_members[1]);
	assert_ptr_equal(g_slot.holder, &g_members[1]);
}

static void one_that_has_gone_is_not_asked(void **state)
{
	(void)state;
	begin(FOR_EVER);
	atomic_store(&g_interrupted[0], true);
	slot_forget(&g_slot, &g_members[0]);
	slot_has(1, 0);
	assert_false(g_members[0].asleep);
	slot_pass(&g_slot, &g_members[1], false);
	assert_ptr_equal(g_slot.holder, &g_members[2]);
	slot_pass(&g_slot, &g_members[2], false);
	assert_null(g_slot.holder);
	assert_false(slot_has_waiting(&g_slot));
}

static bool is_blocked(const struct slot_member *member)
{
	char path[64], text[256] = "";
	const char *name_end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", atomic_load(&member->thread));
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	(void)!fgets(text, sizeof(text), file);
	fclose(file);
	name_end = strrchr(text, ')');
	return name_end != NULL && name_end[1] == ' ' && name_end[2] == 'S';
}

static void *wait_once(void *argument)
{
	slot_member_enter(argument);
	(void)slot_wait(&g_slot, argument);
	return NULL;
}

/* While another one has the slot, the first sleeper's thread leaves it alone. */
static void who_has_the_slot_keeps_it(void **state)
{
	uint64_t deadline = clock_ns() + 30 * NS_PER_S;
	struct timespec pause = ns_timespec(NS_PER_MS);
	pthread_t thread;

	(void)state;
	begin(FOR_EVER);
	assert_true(slot_wait(&g_slot, &g_members[0]));         /* the turn that it has had */
	assert_int_equal(pthread_create(&thread, NULL, wait_once, &g_members[0]), 0);
	while (!is_blocked(&g_members[0]) && clock_ns() < deadline)
		nanosleep(&pause, NULL);
	slot_member_quit(&g_members[0]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_ptr_equal(g_slot.holder, &g_members[1]);
	slot_has(2, 1);
}

/* Whoever looks after a free slot does so now and then, not all the time: the least time
 * between two looks at member 0. */
#define LOOKS_NS (50 * NS_PER_US)

static _Atomic uint64_t g_last_look_ns, g_closest_ns;
static atomic_uint g_looks;

static bool note_a_look(struct slot_member *member)
{
	uint64_t now = clock_ns(), last = atomic_exchange(&g_last_look_ns, now);

	if (now - last < atomic_load(&g_closest_ns))
		atomic_store(&g_closest_ns, now - last);
	atomic_fetch_add(&g_looks, member->id == 0);
	return false;
}

static void *sleep_for_ever(void *argument)
{
	struct slot_member *member = argument;

	slot_member_enter(member);
	while (slot_wait(&g_slot, member))
		slot_sleep(&g_slot, member, FOR_EVER);
	return NULL;
}

static void an_idle_slot_takes_no_cpu(void **state)
{
	struct timespec pause = ns_timespec(NS_PER_MS);
	pthread_t threads[2];

	(void)state;
	g_members[0].is_interrupted = note_a_look;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, sleep_for_ever, &g_members[i]), 0);
		join(&g_members[i]);
	}
	while (atomic_load(&g_slot.sleeping) != 2)
		nanosleep(&pause, NULL);
	/* From the next look on nobody dispatches, and only one thread looks. */
	atomic_store(&g_looks, 0);
	while (atomic_load(&g_looks) < 2)
		nanosleep(&pause, NULL);
	atomic_store(&g_closest_ns, UINT64_MAX);
	atomic_store(&g_looks, 0);
	while (atomic_load(&g_looks) < 10)
		nanosleep(&pause, NULL);
	assert_in_range(atomic_load(&g_closest_ns), LOOKS_NS, UINT64_MAX);
	for (int i = 0; i < 2; i++)
		slot_member_quit(&g_members[i]);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Nobody else is there: its own thread has to look, for its time or an interrupt. */
#define SOLE_SLEEPS 20

static atomic_uint g_slept[MEMBERS];

static void *sleep_alone(void *argument)
{
	struct slot_member *member = argument;
	bool timed = member->id == 0;

	slot_member_enter(member);
	while (slot_wait(&g_slot, member)) {
		atomic_store(&g_interrupted[member->id], false);
		atomic_fetch_add(&g_slept[member->id], 1);
		slot_sleep(&g_slot, member, timed ? clock_ns() + NS_PER_MS : FOR_EVER);
	}
	return NULL;
}

static void one_alone_wakes(uint32_t id)
{
	uint64_t deadline = clock_ns() + 30 * NS_PER_S;
	struct timespec pause = ns_timespec(100 * NS_PER_US);
	pthread_t thread;

	atomic_store(&g_slept[id], 0);
	assert_int_equal(pthread_create(&thread, NULL, sleep_alone, &g_members[id]), 0);
	join(&g_members[id]);
	while (atomic_load(&g_slept[id]) < SOLE_SLEEPS && clock_ns() < deadline) {
		if (id != 0)
			atomic_store(&g_interrupted[id], true);
		nanosleep(&pause, NULL);
	}
	slot_member_quit(&g_members[id]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&g_slept[id]) >= SOLE_SLEEPS);
}

static void a_sole_sleeper_wakes_when_its_time_has_come(void **state)
{
	(void)state;
	one_alone_wakes(0);
}

static void a_sole_sleeper_wakes_when_it_is_interrupted(void **state)
{
	(void)state;
	one_alone_wakes(1);
}

/* All asleep: somebody's thread has to look. Each member sleeps in its own way. */
#define SLEEPS 300

static void *sleep_often(void *argument)
{
	struct slot_member *member = argument;
	bool timed = member->id % 2 == 0;

	slot_member_enter(member);
	while (slot_wait(&g_slot, member)) {
		uint64_t until = clock_ns() + NS_PER_MS / 5;

		atomic_store(&g_interrupted[member->id], false);
		if (atomic_fetch_add(&g_slept[member->id], 1) >= SLEEPS)
			slot_pass(&g_slot, member, false);
		else
			slot_sleep(&g_slot, member, timed ? until : FOR_EVER);
	}
	return NULL;
}

static void an_idle_slot_is_looked_after(void **state)
{
	uint64_t deadline = clock_ns() + 30 * NS_PER_S;
	pthread_t threads[MEMBERS];
	bool all = false;

	(void)state;
	for (int i = 0; i < MEMBERS; i++) {
		atomic_store(&g_slept[i], 0);
		assert_int_equal(pthread_create(&threads[i], NULL, sleep_often, &g_members[i]), 0);
	}
	for (int i = 0; i < MEMBERS; i++)
		join(&g_members[i]);
	/* The odd ones are woken by interrupts and wakes in turn, the even ones by time. */
	for (unsigned n = 0; !all && clock_ns() < deadline; n++) {
		struct timespec pause = ns_timespec(20 * NS_PER_US);

		for (int i = 1; i < MEMBERS; i += 2) {
			if (n % 2 == 0)
				atomic_store(&g_interrupted[i], true);
			else
				slot_wake(&g_slot, &g_members[i]);
		}
		all = true;
		for (int i = 0; i < MEMBERS; i++)
			all &= atomic_load(&g_slept[i]) > SLEEPS;
		nanosleep(&pause, NULL);
	}
	for (int i = 0; i < MEMBERS; i++)
		slot_member_quit(&g_members[i]);
	for (int i = 0; i < MEMBERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(all);
}

/* Two hand a wake to and fro; one that is lost stops both. */
#define ROUNDS 20000

static atomic_uint g_round;

static void *answer(void *argument)
{
	struct slot_member *member = argument;
	struct slot_member *other = &g_members[1 - member->id];

	slot_member_enter(member);
	while (slot_wait(&g_slot, member)) {
		if (atomic_load(&g_round) >= ROUNDS) {
			slot_wake(&g_slot, other);
			slot_pass(&g_slot, member, false);
			continue;
		}
		if (atomic_load(&g_round) % 2 == member->id) {
			atomic_fetch_add(&g_round, 1);
			slot_wake(&g_slot, other);
		}
		slot_sleep(&g_slot, member, FOR_EVER);
	}
	return NULL;
}

static void no_wake_is_lost(void **state)
{
	uint64_t deadline = clock_ns() + 60 * NS_PER_S;
	pthread_t threads[2];

	(void)state;
	atomic_store(&g_round, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, answer, &g_members[i]), 0);
	for (int i = 0; i < 2; i++)
		join(&g_members[i]);
	while (atomic_load(&g_round) < ROUNDS && clock_ns() < deadline) {
		struct timespec pause = ns_timespec(NS_PER_MS);

		nanosleep(&pause, NULL);
	}
	for (int i = 0; i < 2; i++)
		slot_member_quit(&g_members[i]);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(atomic_load(&g_round) >= ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sleeper_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wake_puts_it_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wake_that_comes_first_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(its_time_comes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_interrupt_wakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_is_interrupted_goes_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_free_slot_has_no_last_holder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_free_slot_is_given_to_who_is_woken, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(one_that_has_gone_is_not_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_has_the_slot_keeps_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_idle_slot_takes_no_cpu, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_sole_sleeper_wakes_when_its_time_has_come, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_sole_sleeper_wakes_when_it_is_interrupted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_idle_slot_is_looked_after, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_wake_is_lost, set_up, tear_down),
	};
	sigset_t kick;

	sigemptyset(&kick);
	sigaddset(&kick, VCPU_KICK_SIGNAL);
	sigprocmask(SIG_BLOCK, &kick, NULL);
	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
