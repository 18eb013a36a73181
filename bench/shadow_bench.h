/* SPDX-License-Identifier: MIT */
/*
 * shadow_bench.h - what the parts of shadow_cost share: a guest's memory with the
 * payload's own page tables, threads that start together, clocks, and the figures that
 * the claims at the end are judged by.
 *
 * Times are of the clock that a table's head names: CPU is CLOCK_THREAD_CPUTIME_ID, so
 * that threads which share a CPU do not count each other's time; wall is
 * CLOCK_MONOTONIC.
 */
#ifndef SHADOW_BENCH_H
#define SHADOW_BENCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "clock.h"
#include "frames.h"
#include "histogram.h"
#include "pte.h"
#include "shadow.h"

#define BENCH_VCPUS  8
#define BENCH_PAGES  64                 /* of each vCPU's own part of the frames */
#define BENCH_SPARES 64

/* How many walkers at a time. */
#define BENCH_WIDTHS 3
extern const uint32_t bench_widths[BENCH_WIDTHS];

struct bench {
	struct guest_memory memory;
	struct frames frames;
	bool quick;                     /* enough to see that it works */
};

/* Filled in by each part as it is measured; [scheme][width] in the order of
 * reclaim_schemes and bench_widths. */
struct bench_figures {
	double walk_ns[RECLAIM_SCHEMES][BENCH_WIDTHS];
	uint64_t held_most[RECLAIM_SCHEMES][BENCH_WIDTHS];
	double page_ns[RECLAIM_SCHEMES];        /* invalidated, mapped by nobody */
	double pair_ns[RECLAIM_SCHEMES];
};

/* bench_repeat - how often, in earnest: @count; to see that it works: fewer. */
uint32_t bench_repeat(const struct bench *bench, uint32_t count);

/* bench_shadow - a secondary MMU over the bench's memory; a failure ends the program. */
struct shadow *bench_shadow(struct bench *bench, const struct reclaim_ops *scheme,
			    enum shadow_retry retry);

/* bench_root, bench_gpa - a vCPU's page tables; the address, guest-physical and the same
 * virtual, of a page of its part of the frames. */
uint64_t bench_root(uint32_t vcpu);
uint64_t bench_gpa(uint32_t vcpu, uint32_t page);

/* bench_read - one copy of @bytes at most 4096; a failure ends the program. */
void bench_read(struct shadow *shadow, uint32_t vcpu, uint64_t gva, size_t bytes);

/* bench_cpu_ns - CPU time of the calling thread. */
uint64_t bench_cpu_ns(void);

/* Threads that run until they are told to stop. */
struct bench_thread {
	pthread_t pthread;
	uint32_t index;
	void *context;
	_Atomic bool *stop;
	struct histogram ns;            /* what it has measured */
	uint64_t count;                 /* of what it does */
};

/* bench_start - @count threads, each on the CPU of its number; bench_stop joins them. */
void bench_start(struct bench_thread *threads, uint32_t count, _Atomic bool *stop,
		 void *(*function)(void *), void *context);
void bench_stop(struct bench_thread *threads, uint32_t count, _Atomic bool *stop);

/* bench_sleep_ms - the measuring thread's pause while the others run. */
void bench_sleep_ms(uint32_t ms);

/* bench_die - a failure of the host, in words. */
__attribute__((noreturn))
void bench_die(const char *what);

/* The parts, each with a table of its own. */
void bench_walks(struct bench *bench, struct bench_figures *figures);
void bench_frees(struct bench *bench, struct bench_figures *figures);
void bench_invalidations(struct bench *bench, struct bench_figures *figures);
void bench_retries(struct bench *bench);

#endif
