// SPDX-License-Identifier: MIT
/*
 * standstill_is_found_out_test.c - a session waits for a slow guest, not for one
 * that gets nowhere, and not for one that only looks busy. The time is the
 * caller's, so nothing is waited for here.
 */
#include <string.h>

#include "clock.h"
#include "job.h"
#include "sample.h"
#include "session.h"
#include "unit_test.h"
#include "watchdog.h"

#define PATIENCE_NS (30 * NS_PER_S)
#define VCPUS 2
#define MANY 100

static struct session g_session;
static struct slot g_slot;
static struct vcpu_thread g_threads[MANY];
static struct loop g_loop;
static uint64_t g_start_ns;

static int set_up(void **state)
{
	const struct session_job job = { .kind = SD_JOB_TOGGLE, .initiators_to_stop = 1 };
	struct why why = { 0 };

	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(g_threads, 0, sizeof(g_threads));
	slot_init(&g_slot, 0, NS_PER_MS, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		slot_member_init(&g_threads[i].member, (uint32_t)i);
		g_threads[i].slot = &g_slot;
	}
	g_session.shape = (struct session_shape){
		.vcpus = VCPUS, .initiators = 1, .pages = 1, .slots = 1, .slice_ns = 2 * NS_PER_MS,
	};
	g_session.slots = &g_slot;
	g_session.slot_count = 1;
	g_session.threads = g_threads;
	g_session.loop = &g_loop;
	pthread_mutex_init(&g_session.lock, NULL);
	if (loop_create(&g_loop, &why) != 0 ||
	    guest_memory_create(&g_session.machine.memory, VCPUS, 1, 1, &why) != 0)
		return -1;
	session_start(&g_session, &job);
	g_start_ns = g_session.checked_ns;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	guest_memory_destroy(&g_session.machine.memory);
	loop_destroy(&g_loop);
	return 0;
}

/* Looked at up to then as often as in a run, or seldom but often enough. */
static int check_after(uint64_t ns, struct why *why)
{
	const uint64_t now_ns = g_start_ns + ns;
	int error = 0;

	while (error == 0 && now_ns - g_session.checked_ns > NS_PER_S)
		error = session_check(&g_session, g_session.checked_ns + NS_PER_S, why);
	return error != 0 ? error : session_check(&g_session, now_ns, why);
}

static void goes_on_after(uint64_t ns)
{
	struct why why = { 0 };

	if (check_after(ns, &why) != 0)
		fail_msg("after %llu s: %s", (unsigned long long)(ns / NS_PER_S), why.text);
}

static void is_over_after(uint64_t ns)
{
	struct why why = { 0 };

	assert_int_equal(check_after(ns, &why), -ETIMEDOUT);
	assert_int_equal(why.status, EXIT_GUEST);
	assert_non_null(strstr(why.text, "no progress"));
	assert_non_null(strstr(why.more, "vmm: vCPU 0: "));
}

static void flush(void)
{
	struct sd_region *region = guest_region(&g_session.machine.memory, 0);

	sd_u64_store(&region->flushes, sd_u64_load(&region->flushes) + 1);
}

static void thirty_seconds_are_enough(void **state)
{
	(void)state;
	goes_on_after(0);
	goes_on_after(PATIENCE_NS - 1);
	is_over_after(PATIENCE_NS);
}

/* All of the machine was stopped for minutes, again and again: its guest as well. */
static void time_in_which_nobody_looked_does_not_count(void **state)
{
	struct why why = { 0 };
	uint64_t now_ns = g_start_ns;

	(void)state;
	for (int i = 0; i < 29; i++) {
		now_ns += 100 * NS_PER_S;
		assert_int_equal(session_check(&g_session, now_ns, &why), 0);
	}
	now_ns += 100 * NS_PER_S;
	assert_int_equal(session_check(&g_session, now_ns, &why), -ETIMEDOUT);
}

static char g_cpu_stat[64];

static void throttle_until(uint64_t us)
{
	snprintf(g_cpu_stat, sizeof(g_cpu_stat), "throttled_usec %012llu\n", (unsigned long long)us);
}

/* Two CPUs, each held back for 98 of 100 ms: what is left has to last as long. */
static void throttled_time_does_not_count(void **state)
{
	struct why why = { 0 };
	uint64_t seconds = 0;

	(void)state;
	cpus_add(&g_session.shape.cpus, 0);
	cpus_add(&g_session.shape.cpus, 1);
	g_session.shape.slots = 2;
	throttle_until(7000000);
	g_session.throttle.stat[0] = fmemopen(g_cpu_stat, sizeof(g_cpu_stat), "r");
	g_session.throttle.count = 1;
	g_session.throttled_ns = 7 * NS_PER_S;
	assert_int_equal(session_check(&g_session, g_start_ns, &why), 0);
	while (session_check(&g_session, g_start_ns + (seconds + 1) * NS_PER_S, &why) == 0) {
		seconds++;
		throttle_until(7000000 + seconds * 2 * 980000);
	}
	/* The first second is looked at before anything of it is known. */
	assert_in_range(seconds, 1400, 1500);
	assert_int_equal(why.status, EXIT_GUEST);
	throttle_close(&g_session.throttle);
}

/* However much is said to be throttled, a guest that stands still is found out. */
static void nobody_is_throttled_for_ever(void **state)
{
	struct why why = { 0 };
	uint64_t seconds = 0;

	(void)state;
	g_session.throttle.stat[0] = fmemopen(g_cpu_stat, sizeof(g_cpu_stat), "r");
	g_session.throttle.count = 1;
	while (session_check(&g_session, g_start_ns + seconds * NS_PER_S, &why) == 0)
		throttle_until(++seconds * 1000000000);
	assert_in_range(seconds, 30 * 64, 30 * 64 + 2);
	throttle_close(&g_session.throttle);
}

static void four_rotations_may_be_longer(void **state)
{
	(void)state;
	g_session.shape.slice_ns = 5 * NS_PER_S;
	goes_on_after(4 * VCPUS * 5 * NS_PER_S - 1);
	is_over_after(4 * VCPUS * 5 * NS_PER_S);
}

static void every_flush_is_progress(void **state)
{
	uint64_t now = 0;

	(void)state;
	for (int i = 0; i < 10; i++, now += PATIENCE_NS - 1) {
		flush();
		goes_on_after(now);
	}
	is_over_after(now + PATIENCE_NS);
}

/* Without a time limit nobody would stop a guest that only counts. */
static void recorded_flushes_are_read_from_the_rings(void **state)
{
	(void)state;
	session_record(&g_session);
	goes_on_after(0);
	session_count_flush(&g_session);
	goes_on_after(NS_PER_S);
	flush();
	goes_on_after(PATIENCE_NS + NS_PER_S - 1);
	flush();
	is_over_after(PATIENCE_NS + NS_PER_S);
}

/* A guest that writes to its counts for ever, but never stops. */
static void flushes_after_the_stop_are_not(void **state)
{
	(void)state;
	flush();
	goes_on_after(0);
	session_stop_job(&g_session);
	goes_on_after(NS_PER_S);
	flush();
	goes_on_after(PATIENCE_NS);
	flush();
	is_over_after(PATIENCE_NS + NS_PER_S);
}

static void stopping_is_progress_once(void **state)
{
	(void)state;
	session_stop_job(&g_session);
	goes_on_after(0);
	session_initiator_stopped(&g_session);
	goes_on_after(PATIENCE_NS - 1);
	session_vcpu_ready(&g_session);
	goes_on_after(2 * PATIENCE_NS - 2);
	session_initiator_stopped(&g_session);
	is_over_after(3 * PATIENCE_NS);
}

static void sample(uint64_t head)
{
	sd_u64_store(&guest_region(&g_session.machine.memory, 0)->ring_head, head);
}

static void start(uint32_t kind)
{
	const struct session_job job = { .kind = kind };

	session_start(&g_session, &job);
	g_start_ns = g_session.checked_ns;
}

/* A primitive is measured so many times, however slow the host; nobody reads the ring
 * meanwhile. Up and down in it is no progress, nor is a head out of reach. */
static void samples_of_a_primitive_are(void **state)
{
	(void)state;
	start(SD_JOB_COST_PING);
	goes_on_after(0);
	sample(SD_COST_SAMPLES / 4);
	goes_on_after(PATIENCE_NS - 1);
	sample(SD_COST_SAMPLES);
	goes_on_after(2 * PATIENCE_NS - 2);
	sample(3);
	goes_on_after(2 * PATIENCE_NS);
	sample(SD_RING_SAMPLES);
	goes_on_after(2 * PATIENCE_NS + 1);
	sample(SD_RING_SAMPLES + 1);
	goes_on_after(2 * PATIENCE_NS + 2);
	sample(4);
	is_over_after(3 * PATIENCE_NS);
}

/* One every 20 s would be days of them. */
static void samples_one_by_one_are_not(void **state)
{
	(void)state;
	start(SD_JOB_COST_PING);
	goes_on_after(0);
	for (uint64_t i = 1; i < 3; i++) {
		sample(i);
		goes_on_after(i * PATIENCE_NS / 3);
	}
	sample(3);
	is_over_after(PATIENCE_NS);
}

/* Nor any in a job that has no use for them. */
static void samples_of_the_entry_flush_are_not(void **state)
{
	(void)state;
	start(SD_JOB_ENTRY_FLUSH);
	goes_on_after(0);
	sample(SD_COST_SAMPLES);
	goes_on_after(PATIENCE_NS - 1);
	sample(SD_RING_SAMPLES);
	is_over_after(PATIENCE_NS);
}

/* Of a hundred that go one by one, only every quarter is. */
static void vcpus_that_leave_one_by_one_are_not(void **state)
{
	(void)state;
	g_session.shape.vcpus = MANY;
	session_stop_job(&g_session);
	session_initiator_stopped(&g_session);
	goes_on_after(0);
	for (unsigned i = 0; i < MANY / 4; i++)
		session_vcpu_ready(&g_session);
	goes_on_after(NS_PER_S);
	for (uint64_t i = 1; i < 3; i++) {
		session_vcpu_ready(&g_session);
		goes_on_after(NS_PER_S + i * PATIENCE_NS / 3);
	}
	session_vcpu_ready(&g_session);
	is_over_after(NS_PER_S + PATIENCE_NS);
}

static void the_first_failure_is_the_one_told(void **state)
{
	struct why first = { .status = EXIT_HOST, .text = "first" };
	struct why second = { .status = EXIT_GUEST, .text = "second" };
	struct why why = { 0 };

	(void)state;
	assert_int_equal(session_failure(&g_session, &why), 0);
	session_vcpu_failed(&g_session, &first);
	session_vcpu_failed(&g_session, &second);
	assert_int_equal(check_after(0, &why), -EIO);
	assert_int_equal(why.status, EXIT_HOST);
	assert_string_equal(why.text, "first");
	assert_int_equal(loop_wait(&g_loop, clock_ns() + NS_PER_S), LOOP_WOKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(thirty_seconds_are_enough, set_up, tear_down),
		cmocka_unit_test_setup_teardown(time_in_which_nobody_looked_does_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(throttled_time_does_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_throttled_for_ever, set_up, tear_down),
		cmocka_unit_test_setup_teardown(four_rotations_may_be_longer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_flush_is_progress, set_up, tear_down),
		cmocka_unit_test_setup_teardown(recorded_flushes_are_read_from_the_rings, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(flushes_after_the_stop_are_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(samples_of_a_primitive_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(samples_one_by_one_are_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(samples_of_the_entry_flush_are_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vcpus_that_leave_one_by_one_are_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stopping_is_progress_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_first_failure_is_the_one_told, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
