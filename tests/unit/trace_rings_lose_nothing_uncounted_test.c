// SPDX-License-Identifier: MIT
/*
 * trace_rings_lose_nothing_uncounted_test.c - every event pushed is drained once, in
 * order, or has been counted as dropped.
 */
#include <pthread.h>
#include <string.h>

#include "trace_ring.h"
#include "unit_test.h"

#define STREAM 500000u

static struct trace_event g_events[TRACE_RING_EVENTS];
static struct trace_ring g_ring;

static struct {
	uint64_t count;
	uint64_t next;                  /* start_ticks that the next one has at least */
	unsigned wrong;
} g_got;

static int set_up(void **state)
{
	(void)state;
	memset(&g_ring, 0, sizeof(g_ring));
	memset(&g_got, 0, sizeof(g_got));
	g_ring.events = g_events;
	return 0;
}

static void take(void *context, const struct trace_event *event)
{
	assert_ptr_equal(context, &g_got);
	g_got.wrong += event->start_ticks < g_got.next || event->end_ticks != ~event->start_ticks ||
		event->value != event->start_ticks * 3 || event->kind != TRACE_EXIT;
	g_got.next = event->start_ticks + 1;
	g_got.count++;
}

static void push(uint64_t number)
{
	trace_add(&g_ring, TRACE_EXIT, number, ~number, number * 3);
}

static void drain(void)
{
	trace_ring_drain(&g_ring, take, &g_got);
	assert_int_equal(g_got.wrong, 0);
}

static void each_is_handed_over_once(void **state)
{
	uint64_t number = 0;

	(void)state;
	drain();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < TRACE_RING_EVENTS - 5; i++)
			push(number++);
		drain();
		drain();
		assert_int_equal(g_got.count, number);
	}
	assert_int_equal(atomic_load(&g_ring.dropped), 0);
}

/* The new ones go, so that what is there stays whole. */
static void a_full_ring_drops_and_counts(void **state)
{
	(void)state;
	for (uint64_t number = 0; number < TRACE_RING_EVENTS + 7; number++)
		push(number);
	assert_int_equal(atomic_load(&g_ring.dropped), 7);
	drain();
	assert_int_equal(g_got.count, TRACE_RING_EVENTS);
	assert_int_equal(g_got.next, TRACE_RING_EVENTS);
	push(TRACE_RING_EVENTS + 7);
	drain();
	assert_int_equal(g_got.count, TRACE_RING_EVENTS + 1);
	assert_int_equal(atomic_load(&g_ring.dropped), 7);
}

static void nothing_is_traced_without_a_ring(void **state)
{
	(void)state;
	trace_add(NULL, TRACE_EXIT, 1, 2, 3);
	drain();
	assert_int_equal(g_got.count, 0);
}

static void *stream(void *argument)
{
	(void)argument;
	for (uint64_t number = 0; number < STREAM; number++)
		push(number);
	return NULL;
}

static void drains_while_it_is_written(void **state)
{
	pthread_t writer;

	(void)state;
	assert_int_equal(pthread_create(&writer, NULL, stream, NULL), 0);
	while (g_got.count + atomic_load(&g_ring.dropped) < STREAM)
		drain();
	assert_int_equal(pthread_join(writer, NULL), 0);
	drain();
	assert_int_equal(g_got.count + atomic_load(&g_ring.dropped), STREAM);
	assert_true(g_got.count >= TRACE_RING_EVENTS);
}

static void a_park_keeps_its_state_and_reason(void **state)
{
	const uint64_t value = trace_parked(UINT32_MAX - 1, 37);

	(void)state;
	assert_int_equal(trace_parked_state(value), UINT32_MAX - 1);
	assert_int_equal(trace_parked_why(value), 37);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_is_handed_over_once, set_up),
		cmocka_unit_test_setup(a_full_ring_drops_and_counts, set_up),
		cmocka_unit_test_setup(nothing_is_traced_without_a_ring, set_up),
		cmocka_unit_test_setup(drains_while_it_is_written, set_up),
		cmocka_unit_test(a_park_keeps_its_state_and_reason),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
