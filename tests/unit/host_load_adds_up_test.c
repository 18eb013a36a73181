// SPDX-License-Identifier: MIT
/*
 * host_load_adds_up_test.c - what the slots' CPUs gave to others: steal of these CPUs alone,
 * CPU time that no vCPU thread used, and a mark where that is above 2 %.
 */
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "host_load.h"
#include "unit_test.h"

#define TICK_NS (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK))

/* user nice system idle iowait irq softirq steal guest guest_nice */
static char g_stat[] =
	"cpu  12 900002 900003 900004 900005 900006 900007 900008 900009 900010\n"
	"cpu0 11 12 13 14 15 16 17 18 19 20\n"
	"cpu1 21 22 23 24 25 26 27 28 29 30\n"
	"cpu2 31 32 33 34 35 36 37 38 39 40\n"
	"cpu12 41 42 43 44 45 46 47 48 49 50\n"
	"intr 1 2 3 4 5 6 7 8 9 10\n"
	"ctxt 7\n";

static struct session g_session;
static struct slot g_slots[3];
static struct vcpu_thread g_threads[3];
static struct protocol_result g_result;

static int set_up(void **state)
{
	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(g_slots, 0, sizeof(g_slots));
	memset(g_threads, 0, sizeof(g_threads));
	memset(&g_result, 0, sizeof(g_result));
	g_session.shape = (struct session_shape){ .vcpus = 3, .slots = 2 };
	g_session.slots = g_slots;
	g_session.threads = g_threads;
	g_slots[0].cpu = 0;
	g_slots[1].cpu = 2;
	g_slots[2].cpu = 1;             /* beyond the slots of this run */
	cpus_add(&g_session.shape.cpus, 0);
	cpus_add(&g_session.shape.cpus, 2);
	g_session.proc_stat = fmemopen(g_stat, strlen(g_stat), "r");
	return g_session.proc_stat == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	host_load_close(&g_session);
	assert_null(g_session.proc_stat);
	return 0;
}

static void steal_is_that_of_the_slots_cpus(void **state)
{
	(void)state;
	assert_int_equal(host_load_read(&g_session).steal_ns, (18 + 38) * TICK_NS);
	g_slots[1].cpu = 12;
	assert_int_equal(host_load_read(&g_session).steal_ns, (18 + 48) * TICK_NS);
	g_session.shape.slots = 1;
	assert_int_equal(host_load_read(&g_session).steal_ns, 18 * TICK_NS);
}

static void without_the_file_there_is_no_steal(void **state)
{
	(void)state;
	host_load_close(&g_session);
	assert_int_equal(host_load_read(&g_session).steal_ns, 0);
}

/* Of threads that have ended: none has been started here. */
static void all_vcpu_threads_count(void **state)
{
	uint64_t before = clock_ns();
	struct host_load load;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		g_threads[i].cpu_ns = 100 + i;
		g_threads[i].involuntary_switches = 10 + i;
		g_threads[i].pthread = pthread_self();          /* never asked */
	}
	load = host_load_read(&g_session);
	assert_int_equal(load.vcpu_cpu_ns, 303);
	assert_int_equal(host_load_involuntary(&g_session), 33);
	assert_true(load.now_ns >= before && load.now_ns <= clock_ns());
	g_session.shape.vcpus = 2;
	assert_int_equal(host_load_read(&g_session).vcpu_cpu_ns, 201);
	assert_int_equal(host_load_involuntary(&g_session), 21);
}

/* One that runs is asked itself, whatever it has noted. */
static void a_running_thread_is_asked(void **state)
{
	(void)state;
	g_session.started = 1;
	g_session.shape.vcpus = 1;
	g_threads[0].pthread = pthread_self();
	g_threads[0].cpu_ns = UINT64_MAX;
	assert_true(host_load_read(&g_session).vcpu_cpu_ns < 1000 * NS_PER_S);
	assert_true(host_load_read(&g_session).vcpu_cpu_ns > 0);
}

/* Two slots: @had_ns is what both have had. */
static void add(uint64_t had_ns, uint64_t used_ns, uint64_t steal_ns)
{
	const struct host_load from = {
		.now_ns = 5000, .vcpu_cpu_ns = 700, .steal_ns = 40, .throttled = { 5, 50 },
	};
	const struct host_load to = {
		.now_ns = 5000 + had_ns / 2, .vcpu_cpu_ns = 700 + used_ns,
		.steal_ns = 40 + steal_ns, .throttled = { 7, 53 },
	};

	host_load_add(&g_session, &from, &to, &g_result);
}

static void what_was_not_used_was_taken(void **state)
{
	(void)state;
	add(1000, 990, 3);
	assert_int_equal(g_result.slot_cpu_ns, 1000);
	assert_int_equal(g_result.vcpu_cpu_ns, 990);
	assert_int_equal(g_result.taken_ns, 10);
	assert_int_equal(g_result.steal_ns, 3);
	add(2000, 1995, 4);
	assert_int_equal(g_result.slot_cpu_ns, 3000);
	assert_int_equal(g_result.vcpu_cpu_ns, 2985);
	assert_int_equal(g_result.taken_ns, 15);
	assert_int_equal(g_result.steal_ns, 7);
	assert_int_equal(g_result.throttles, 4);
	assert_int_equal(g_result.throttled_ns, 6);
	/* Threads are asked one after another: they may have used a little more. */
	add(1000, 1001, 0);
	assert_int_equal(g_result.taken_ns, 15);
}

static void two_percent_is_the_limit(void **state)
{
	(void)state;
	add(10000, 9800, 0);
	assert_false(g_result.disturbed);
	add(1000, 979, 0);
	assert_true(g_result.disturbed);
	add(10000, 10000, 0);
	assert_false(g_result.disturbed);
}

/* More slots than CPUs: they share these. */
static void slots_have_no_more_than_the_cpus(void **state)
{
	(void)state;
	g_session.shape.slots = 3;
	add(1000, 0, 0);
	assert_int_equal(g_result.slot_cpu_ns, 1000);
	g_session.shape.slots = 1;
	add(1000, 0, 0);
	assert_int_equal(g_result.slot_cpu_ns, 1500);
	memset(&g_session.shape.cpus, 0, sizeof(g_session.shape.cpus));
	assert_int_equal(host_load_cpus(&g_session), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(steal_is_that_of_the_slots_cpus, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_the_file_there_is_no_steal, set_up, tear_down),
		cmocka_unit_test_setup_teardown(all_vcpu_threads_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_running_thread_is_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_not_used_was_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_percent_is_the_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slots_have_no_more_than_the_cpus, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
