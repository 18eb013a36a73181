/* SPDX-License-Identifier: MIT */
/*
 * events.h - what is going to happen, earliest first.
 *
 * Two events of one moment come in the order in which they were made, so that a run
 * depends on nothing but its parameters. Nothing is taken back: who does not want an
 * event any more changes its own stamp.
 */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_event {
	uint64_t time_ns;
	uint64_t order;                 /* of making */
	uint32_t kind;                  /* the model's */
	uint32_t who;                   /* vCPU or slot */
	uint32_t stamp;                 /* of @who when it was made */
};

struct sim_events {
	struct sim_event *heap;         /* a binary heap by time and order */
	size_t count;
	size_t room;
	uint64_t made;
};

/* sim_events_init - none yet. sim_events_destroy() gives the memory back. */
void sim_events_init(struct sim_events *events);
void sim_events_destroy(struct sim_events *events);

/* sim_events_add - Returns 0 or -ENOMEM. @event.order is filled in. */
__attribute__((warn_unused_result))
int sim_events_add(struct sim_events *events, struct sim_event event);

/* sim_events_take - the earliest one; false: there is none. */
bool sim_events_take(struct sim_events *events, struct sim_event *event);

#endif
