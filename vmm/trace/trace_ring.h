/* SPDX-License-Identifier: MIT */
/*
 * trace_ring.h - what happens to one vCPU, from its thread to main.
 *
 * A ring has one writer, the vCPU's thread, and one reader, main; each has a cache line
 * of its own, and an event is half a line. A full ring drops the new event and counts it.
 * Where nothing is traced, thread->trace is NULL, and that is all that is looked at.
 *
 * field    writer  reader  rule
 * -------  ------  ------  ---------------------------------------
 * events   thread  main    between tail and head
 * head     thread  main    release, acquire: PAIR(trace-ring-head)
 * dropped  thread  main    atomic, relaxed
 * tail     main    thread  release, acquire: PAIR(trace-ring-tail)
 */
#ifndef TRACE_RING_H
#define TRACE_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_RING_EVENTS 4096

/* What an event is; each is a slice of time. */
enum trace_kind {
	TRACE_RUNNING,          /* from unpark to park; value: the slot */
	TRACE_PARKED,           /* from park to unpark; value: trace_parked() */
	TRACE_EXIT,             /* out of the guest; value: EXIT_KIND_ */
	TRACE_TRANSFER,         /* park has taken a request over */
	TRACE_ENTRY_FLUSH,      /* the TLB is flushed before guest code runs */
	TRACE_DEFERRED,         /* this vCPU has marked another, value, to flush on entry */
	TRACE_KICKED,           /* and has taken it out of the guest for that */
};

struct trace_event {
	uint64_t start_ticks;           /* TSC of the host */
	uint64_t end_ticks;
	uint64_t value;
	uint32_t kind;                  /* enum trace_kind */
	uint32_t zero0;
};

_Static_assert(sizeof(struct trace_event) == 32, "an event is half a cache line");

struct trace_ring {
	struct trace_event *events;     /* [TRACE_RING_EVENTS] */
	alignas(64) _Atomic uint64_t head;
	uint64_t tail_seen;             /* the writer's: may lag behind */
	_Atomic uint64_t dropped;
	alignas(64) _Atomic uint64_t tail;
};

/* trace_parked - the value of TRACE_PARKED: enum vcpu_state, and why, an EXIT_KIND_;
 * trace_parked_state, trace_parked_why - back again. */
static inline uint64_t trace_parked(uint32_t state, uint32_t why)
{
	return (uint64_t)state << 32 | why;
}

static inline uint32_t trace_parked_state(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

static inline uint32_t trace_parked_why(uint64_t value)
{
	return (uint32_t)value;
}

/* trace_ring_push - by the writer. */
void trace_ring_push(struct trace_ring *ring, const struct trace_event *event);

typedef void (*trace_sink)(void *context, const struct trace_event *event);

/* trace_ring_drain - by the reader: hand every new event to @sink, oldest first. */
void trace_ring_drain(struct trace_ring *ring, trace_sink sink, void *context);

/* trace_add - an event, if anything is traced. Inline, so that it costs a look where
 * nothing is. */
static inline void trace_add(struct trace_ring *ring, enum trace_kind kind, uint64_t start_ticks,
			     uint64_t end_ticks, uint64_t value)
{
	if (__builtin_expect(ring == NULL, 1))
		return;
	trace_ring_push(ring, &(struct trace_event){
		.start_ticks = start_ticks,
		.end_ticks = end_ticks,
		.value = value,
		.kind = kind,
	});
}

#endif
