// SPDX-License-Identifier: MIT
/*
 * parks_are_on_the_timeline_test.c - a traced vCPU's parks and the time between them follow
 * each other without a gap, and what a park has taken over and what an entry flushes stands
 * where it happened; nothing else does.
 */
#include <string.h>

#include "parked_vcpu_fixture.h"

#define EVENTS 16

static struct trace_event g_events[EVENTS];
static unsigned g_count;

static void keep(void *context, const struct trace_event *event)
{
	(void)context;
	assert_in_range(g_count, 0, EVENTS - 1);
	g_events[g_count++] = *event;
}

static int set_up_traced(void **state)
{
	static struct trace_event room[TRACE_RING_EVENTS];
	static struct trace_ring ring;

	ring = (struct trace_ring){ .events = room };
	set_up(state);
	g_thread.slot_number = 2;
	g_thread.trace = &ring;
	g_count = 0;
	return 0;
}

static void read_events(void)
{
	g_count = 0;
	trace_ring_drain(g_thread.trace, keep, NULL);
}

/* The nth event; it does not end before it begins. */
static const struct trace_event *event_is(unsigned n, enum trace_kind kind, uint64_t value)
{
	assert_in_range(n, 0, g_count - 1);
	assert_int_equal(g_events[n].kind, kind);
	assert_int_equal(g_events[n].value, value);
	assert_true(g_events[n].start_ticks <= g_events[n].end_ticks);
	return &g_events[n];
}

static void park(void)
{
	assert_int_equal(vcpu_park(&g_thread), 0);
}

static void unpark(void)
{
	assert_int_equal(vcpu_unpark(&g_thread), 0);
}

static void a_park_follows_the_time_on_the_slot(void **state)
{
	const struct trace_event *running, *parked;

	(void)state;
	unpark();
	read_events();
	g_thread.exit_kind = EXIT_KIND_SIGNAL;
	park();
	unpark();
	read_events();
	assert_int_equal(g_count, 2);
	running = event_is(0, TRACE_RUNNING, 2);
	parked = event_is(1, TRACE_PARKED, trace_parked(vcpu_state_of(&g_thread),
							EXIT_KIND_SIGNAL));
	assert_int_equal(running->end_ticks, parked->start_ticks);
	assert_int_equal(parked->end_ticks, g_thread.running_ticks);
}

static void what_was_taken_over_and_flushed_is_there(void **state)
{
	(void)state;
	(void)sd_word_request(&g_region);
	park();
	unpark();
	read_events();
	assert_int_equal(g_count, 4);
	event_is(0, TRACE_RUNNING, 2);
	event_is(1, TRACE_TRANSFER, 0);
	event_is(2, TRACE_ENTRY_FLUSH, 0);
	event_is(3, TRACE_PARKED, trace_parked(vcpu_state_of(&g_thread), g_thread.exit_kind));
}

/* Nobody has asked by the word: what an initiator has left in KVM's byte. */
static void a_flush_that_kvm_is_asked_for_is_there(void **state)
{
	(void)state;
	park();
	assert_true(sd_byte_defer(&g_region));
	unpark();
	read_events();
	assert_int_equal(g_count, 3);
	event_is(1, TRACE_ENTRY_FLUSH, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_park_follows_the_time_on_the_slot, set_up_traced),
		cmocka_unit_test_setup(what_was_taken_over_and_flushed_is_there, set_up_traced),
		cmocka_unit_test_setup(a_flush_that_kvm_is_asked_for_is_there, set_up_traced),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
