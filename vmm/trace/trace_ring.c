// SPDX-License-Identifier: MIT
/*
 * trace_ring.c - events of one vCPU, from its thread to main (trace_ring.h).
 *
 * Threads: push on the vCPU's, drain on main's.
 * Tested:  tests/unit/trace_rings_lose_nothing_uncounted_test.c
 */
#include "trace_ring.h"

#include <stdbool.h>

/* The tail is read again only when the ring looks full. */
static bool is_full(struct trace_ring *ring, uint64_t head)
{
	if (head - ring->tail_seen < TRACE_RING_EVENTS)
		return false;
	/* PAIR(trace-ring-tail): acquire here. Orders: main's reading of the old event
	 * before it is written over. */
	ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	return head - ring->tail_seen >= TRACE_RING_EVENTS;
}

void trace_ring_push(struct trace_ring *ring, const struct trace_event *event)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (is_full(ring, head)) {
		uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);

		atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
		return;
	}
	ring->events[head % TRACE_RING_EVENTS] = *event;
	/* PAIR(trace-ring-head): release here. Orders: the event. */
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
}

void trace_ring_drain(struct trace_ring *ring, trace_sink sink, void *context)
{
	/* PAIR(trace-ring-head): acquire here. */
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	for (; tail != head; tail++)
		sink(context, &ring->events[tail % TRACE_RING_EVENTS]);
	/* PAIR(trace-ring-tail): release here. */
	atomic_store_explicit(&ring->tail, tail, memory_order_release);
}
