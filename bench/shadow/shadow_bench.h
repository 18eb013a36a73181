/* SPDX-License-Identifier: MIT */
/*
 * shadow_bench.h - what the parts of shadow_cost share: a guest's memory with the
 * payload's own page tables, threads that start together, clocks, and figures that are
 * taken once a round.
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

/* The index of a scheme in reclaim_schemes, of a number of walkers in bench_widths. */
enum { BENCH_RCU, BENCH_COUNTER, BENCH_MODE };
enum { BENCH_ONE, BENCH_TWO, BENCH_EIGHT };

struct bench {
	struct guest_memory memory;
	struct frames frames;
	bool quick;                     /* enough to see that it works */
};

/* --- what is measured (shadow_cost.c) ---------------------------------------------- */

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

/* bench_cpus - how many CPUs the program was given. */
uint32_t bench_cpus(void);

/* bench_pin - @thread to the CPU of that number, counted from 0, modulo bench_cpus();
 * bench_unpin - the calling one to all. */
void bench_pin(pthread_t thread, uint32_t number);
void bench_unpin(void);

/* bench_cpu_ns - CPU time of the calling thread. */
uint64_t bench_cpu_ns(void);

/* Threads that run until they are told to stop. */
struct bench_thread {
	_Alignas(SD_CACHE_LINE) pthread_t pthread;
	uint32_t index;
	void *context;
	_Atomic bool *stop;
	struct histogram ns;            /* what it has measured */
	_Atomic uint64_t count;         /* of what it does; its own writes, relaxed */
};

/* bench_counted - the thread has done one more. */
static inline void bench_counted(struct bench_thread *thread)
{
	uint64_t count = atomic_load_explicit(&thread->count, memory_order_relaxed);

	atomic_store_explicit(&thread->count, count + 1, memory_order_relaxed);
}

/* bench_start - @count threads, each on the CPU of its number; bench_stop joins them. */
void bench_start(struct bench_thread *threads, uint32_t count, _Atomic bool *stop,
		 void *(*function)(void *), void *context);
void bench_stop(struct bench_thread *threads, uint32_t count, _Atomic bool *stop);

/* bench_sleep_ns - the measuring thread's pause while the others run. It sleeps, so that
 * its CPU is theirs. */
void bench_sleep_ns(uint64_t ns);

/* bench_die - a failure of the host, in words. */
__attribute__((noreturn))
void bench_die(const char *what);

/* --- figures (shadow_figures.c) ------------------------------------------------------ */

#define BENCH_ROUNDS_MAX 20

/* One figure of each round. */
struct bench_series {
	double round[BENCH_ROUNDS_MAX];
	uint32_t rounds;
};

/* bench_note - the figure of the next round. */
void bench_note(struct bench_series *series, double value);

/* bench_mean - of all rounds; bench_range - from the least to the most, "18.1-19.2". */
double bench_mean(const struct bench_series *series);

struct bench_text {
	char text[32];
};

struct bench_text bench_range(const struct bench_series *series);

/* Where a claim was made. */
#define BENCH_KIVITY    "Kivity 2012"
#define BENCH_ARCANGELI "Arcangeli 2008"
#define BENCH_OWN       "own bar"

/**
 * bench_claim - a line under a table: @what says that @less is below @more. @scheme is
 * that of the figures; NULL: @what says it.
 *
 * Prints:  "confirmed" when it was so in every round, "refuted" when in none, "open"
 *          else; in how many of them; and both figures with their ranges.
 */
void bench_claim(const char *source, const struct reclaim_ops *scheme, const char *what,
		 const struct bench_series *less, const struct bench_series *more,
		 const char *unit);

/* --- the parts, each with its tables -------------------------------------------------- */

/* Each part measures once a round and prints when all rounds are over. */
void bench_walks(struct bench *bench);
void bench_walks_print(void);
void bench_frees(struct bench *bench);
void bench_frees_print(void);
void bench_invalidations(struct bench *bench);
void bench_invalidations_print(void);
void bench_retries(struct bench *bench);
void bench_retries_print(void);

#endif
