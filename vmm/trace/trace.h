/* SPDX-License-Identifier: MIT */
/*
 * trace.h - the timeline of a run, as main puts it together.
 *
 * Three sources: the rings of the vCPU threads (trace_ring.h), the initiators' samples
 * (sample.h: flushes, their requests and waits) and the handlers' entries in the region
 * pages (region.h). They become slices on four groups of tracks:
 *
 *   rounds  one track: protocol by protocol, and in it what is recorded
 *   slots   which vCPU holds the slot
 *   vCPUs   as the VMM sees them: running, exits in it; parked, asleep, and why;
 *           transfer, deferral, kick, entry flush
 *   guest   as a vCPU sees itself: PTE stores, flush, in it request and wait; handler
 *
 * and into arrows from each request to what covered its target: the run of the handler,
 * the transfer, or the deferral. Which handler run that was is told by time: the first one
 * that began after the request, or the one under way, in which the arrow then ends at the
 * time of the request.
 *
 * One clock: the host's TSC, in nanoseconds since trace_begin(). What the guest has read
 * differs by KVM's TSC offset; the frequency is the one that the CSV goes by.
 *
 * Threads: main, but for the rings.
 * Tested:  tests/unit/trace_draws_arrows_test.c, tests/kvm/trace_is_whole_test.py
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdbool.h>

#include "guest_memory.h"
#include "protocols.h"
#include "results.h"
#include "sample.h"
#include "trace_out.h"
#include "trace_ring.h"

/* How often the rings are to be read: the handlers' hold 128 runs. */
#define TRACE_TICK_NS (10 * NS_PER_MS)

/* What may have covered requests to a vCPU, the last ones. */
#define TRACE_SERVICES 256

struct trace_service {
	uint64_t start_ticks;
	uint64_t end_ticks;             /* UINT64_MAX: not over yet */
	bool is_transfer;
};

/* What main knows of a vCPU. */
struct trace_vcpu {
	uint64_t handler_tail;          /* next entry to read */
	bool in_handler;                /* its begin has been read */
	uint64_t services;              /* so far; the last of them are: */
	struct trace_service service[TRACE_SERVICES];
};

/* A request that was waited for, and its arrow not drawn yet. */
struct trace_wait {
	uint16_t initiator;
	uint16_t target;
	bool again;                     /* has been looked at before */
	uint64_t asked_ticks;
	uint64_t end_ticks;
};

#define TRACE_WAITS 16384

struct trace {
	struct trace_out out;
	uint32_t vcpu_count;
	uint32_t initiator_count;
	struct trace_ring *rings;       /* [vcpu_count]; the threads' */
	struct trace_event *events;     /* of all rings */
	struct trace_vcpu *vcpus;       /* [vcpu_count] */
	uint64_t *flushed_ns;           /* [initiator_count]; the flush in hand began after that,
	                                   CLOCK_MONOTONIC */
	uint64_t drained_ns;            /* the last time */
	uint64_t *asked_ticks;          /* [initiator_count][vcpu_count]; 0: not, or answered */
	struct trace_wait *waits;       /* [TRACE_WAITS] */
	uint32_t wait_count;
	uint64_t origin_ticks;          /* TSC of the host at 0 ns */
	uint64_t tsc_hz;
	struct trace_counts counts;
};

/**
 * trace_create - rings for @vcpus threads and nothing in them.
 *
 * Errors:  EXIT_HOST; nothing is left behind. @trace->out is the caller's to set.
 */
__attribute__((warn_unused_result))
int trace_create(struct trace *trace, uint32_t vcpus, uint32_t initiators, struct why *why);
void trace_destroy(struct trace *trace);

/* trace_begin - the guest has booted: its clock, of @tsc_hz, and the TSC of the host at 0 ns. */
void trace_begin(struct trace *trace, uint64_t tsc_hz, uint64_t origin_ticks);

/* trace_name_tracks - rows that name every track, to @file. */
void trace_name_tracks(struct row_file *file, uint32_t slots, uint32_t vcpus);

/* trace_sample - a step of a flush, or a floor sample; trace_flush - a flush, with its
 * @row of the CSV. In the order of the ring, before trace_drain(). */
void trace_sample(struct trace *trace, const struct sd_sample *sample);
void trace_flush(struct trace *trace, const struct sd_sample *sample, const struct flush_row *row,
		 enum sd_protocol protocol);

/* trace_drain - read the rings and the handlers' entries, draw the arrows. */
void trace_drain(struct trace *trace, const struct guest_memory *memory, uint64_t now_ns);

/* trace_round - a round of @protocol is over, or what was recorded of it (@name). */
void trace_round(struct trace *trace, const char *name, enum sd_protocol protocol, uint32_t run,
		 uint64_t start_ticks, uint64_t end_ticks);

/* trace_add_dropped - @count events of the guest's found no room. */
void trace_add_dropped(struct trace *trace, uint64_t count);

/* trace_end - the last row, with the counts, which go to *counts too. */
void trace_end(struct trace *trace, struct row_file *file, struct trace_counts *counts);

#endif
