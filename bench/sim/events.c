// SPDX-License-Identifier: MIT
/*
 * events.c - a binary heap of events (events.h).
 *
 * Threads: one.
 * Tested:  tests/unit/sim_time_never_goes_back_test.c
 */
#include "events.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 1024

void sim_events_init(struct sim_events *events)
{
	*events = (struct sim_events){ 0 };
}

void sim_events_destroy(struct sim_events *events)
{
	free(events->heap);
	sim_events_init(events);
}

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

static int make_room(struct sim_events *events)
{
	size_t room = events->room == 0 ? FIRST_ROOM : 2 * events->room;
	struct sim_event *heap;

	if (events->count < events->room)
		return 0;
	heap = realloc(events->heap, room * sizeof(*heap));
	if (heap == NULL)
		return -ENOMEM;
	events->heap = heap;
	events->room = room;
	return 0;
}

int sim_events_add(struct sim_events *events, struct sim_event event)
{
	size_t hole;

	if (make_room(events) != 0)
		return -ENOMEM;
	event.order = events->made++;
	for (hole = events->count++; hole > 0; hole = (hole - 1) / 2) {
		struct sim_event *parent = &events->heap[(hole - 1) / 2];

		if (!is_before(&event, parent))
			break;
		events->heap[hole] = *parent;
	}
	events->heap[hole] = event;
	return 0;
}

bool sim_events_take(struct sim_events *events, struct sim_event *event)
{
	struct sim_event last;
	size_t hole = 0, child;

	if (events->count == 0)
		return false;
	*event = events->heap[0];
	last = events->heap[--events->count];
	while ((child = 2 * hole + 1) < events->count) {
		if (child + 1 < events->count &&
		    is_before(&events->heap[child + 1], &events->heap[child]))
			child++;
		if (!is_before(&events->heap[child], &last))
			break;
		events->heap[hole] = events->heap[child];
		hole = child;
	}
	events->heap[hole] = last;
	return true;
}
