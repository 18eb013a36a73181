// SPDX-License-Identifier: MIT
/*
 * shadow_frees.c - what it takes to free tables while walkers walk: how long who frees
 * is held up, how long until the memory is really free, and how many tables are held
 * back meanwhile.
 *
 * Threads: walkers; main frees.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadow_bench.h"

#define TABLES    6                     /* retired at a time: a leaf and the way to it */
#define TABLE_BYTES 2112                /* of a leaf */
#define GAP_NS    UINT64_C(100000)      /* between two: 60,000 tables a second */
#define PAUSE_NS  300                   /* about twenty times a walk */

struct walks {
	struct reclaim *reclaim;
	uint64_t pause_ns;              /* between two walks, the CPU kept; 0: none at all */
	uint8_t data[64];
};

static void pause_for(uint64_t ns)
{
	uint64_t end_ns = clock_ns() + ns;

	while (clock_ns() < end_ns)
		__builtin_ia32_pause();
}

/* As short as those of the secondary MMU: 64 bytes. */
static void *walker(void *argument)
{
	struct bench_thread *self = argument;
	struct walks *walks = self->context;
	struct reclaim_reader *reader = &walks->reclaim->readers[self->index];
	uint8_t to[sizeof(walks->data)];

	reclaim_thread_begin(walks->reclaim);
	while (!atomic_load_explicit(self->stop, memory_order_relaxed)) {
		reclaim_begin(walks->reclaim, reader);
		memcpy(to, walks->data, sizeof(to));
		__asm__ volatile("" : : "r"(to) : "memory");
		reclaim_end(walks->reclaim, reader);
		if (walks->pause_ns != 0)
			pause_for(walks->pause_ns);
	}
	reclaim_thread_end(walks->reclaim);
	return NULL;
}

static struct retired *tables(void)
{
	struct retired *list = NULL;

	for (int i = 0; i < TABLES; i++) {
		struct retired *table = aligned_alloc(SD_CACHE_LINE, TABLE_BYTES);

		if (table == NULL)
			bench_die("no memory for a table");
		table->next = list;
		list = table;
	}
	return list;
}

/* --- held up, held back ------------------------------------------------------------------- */

struct frees {
	struct histogram blocked_ns;    /* who frees */
	struct histogram until_free_ns;
	uint64_t retired;               /* tables so far */
	uint64_t held_sum;              /* before each, to be divided by their number */
	uint64_t held_now;              /* behind the last one */
};

/* A steady stream, none waited for. */
static void free_at_a_rate(struct reclaim *reclaim, struct frees *frees, uint32_t count)
{
	uint64_t due_ns = clock_ns();

	while (count-- > 0) {
		struct retired *list = tables();
		uint64_t start_ns;

		for (due_ns += GAP_NS; clock_ns() < due_ns;)
			sched_yield();
		frees->held_sum += atomic_load(&reclaim->held);
		start_ns = clock_ns();
		(void)reclaim_retire(reclaim, list);
		histogram_record(&frees->blocked_ns, clock_ns() - start_ns);
		frees->retired += TABLES;
	}
	frees->held_now = atomic_load(&reclaim->held);
}

/* One at a time, each waited for: by liburcu's thread, by who frees (counter), or by the
 * scheme itself. */
static void free_one_by_one(struct reclaim *reclaim, struct frees *frees, uint32_t count)
{
	reclaim_wait(reclaim);
	while (atomic_load(&reclaim->freed) < frees->retired)
		sched_yield();
	while (count-- > 0) {
		uint64_t start_ns = clock_ns();

		(void)reclaim_retire(reclaim, tables());
		frees->retired += TABLES;
		if (reclaim->ops == &reclaim_counter)
			reclaim_wait(reclaim);
		while (atomic_load(&reclaim->freed) < frees->retired)
			sched_yield();
		histogram_record(&frees->until_free_ns, clock_ns() - start_ns);
	}
}

static void print_row(const struct reclaim *reclaim, uint32_t walkers, bool all_the_time,
		      const struct frees *frees)
{
	const struct histogram *blocked = &frees->blocked_ns, *until = &frees->until_free_ns;

	printf("%-8s %7u %-5s ", reclaim->ops->name, walkers, all_the_time ? "all" : "5 %");
	printf("%8lu %8lu %9lu ", histogram_quantile(blocked, 0.5),
	       histogram_quantile(blocked, 0.99), blocked->max);
	printf("%9lu %10lu %10lu ", histogram_quantile(until, 0.5),
	       histogram_quantile(until, 0.99), until->max);
	printf("%9.1f %5lu %6lu %7lu\n", (double)frees->held_sum / (double)blocked->count,
	       frees->held_now, atomic_load(&reclaim->held_most), blocked->count);
}

static void measure(struct bench *bench, int scheme, int width, bool all_the_time,
		    uint64_t *held_most)
{
	static struct bench_thread threads[BENCH_VCPUS];
	static struct reclaim reclaim;
	static struct frees frees;
	struct walks walks = { .reclaim = &reclaim, .pause_ns = all_the_time ? 0 : PAUSE_NS };
	_Atomic bool stop;

	if (reclaim_create(&reclaim, reclaim_schemes[scheme], BENCH_VCPUS) != 0)
		bench_die("no memory for readers");
	memset(&frees, 0, sizeof(frees));
	histogram_init(&frees.blocked_ns);
	histogram_init(&frees.until_free_ns);
	reclaim_thread_begin(&reclaim);
	bench_start(threads, bench_widths[width], &stop, walker, &walks);
	free_at_a_rate(&reclaim, &frees, bench_repeat(bench, 5000));
	*held_most = atomic_load(&reclaim.held_most);
	free_one_by_one(&reclaim, &frees, bench_repeat(bench, 300));
	/* Those of the second part do not count. */
	atomic_store(&reclaim.held_most, *held_most);
	print_row(&reclaim, bench_widths[width], all_the_time, &frees);
	bench_stop(threads, bench_widths[width], &stop);
	reclaim_thread_end(&reclaim);
	reclaim_destroy(&reclaim);
}

/* A vCPU that is off its CPU was outside a walk, as parked ones are, or inside one: as
 * often as it walks. */
void bench_frees(struct bench *bench, struct bench_figures *figures)
{
	puts("\nfreeing 6 tables every 100 us, and one by one until they are free; wall");
	printf("%-8s %7s %-5s %27s %31s %22s\n", "", "", "", "who frees is held up",
	       "until it is free", "tables held back");
	printf("%-8s %7s %-5s %8s %8s %9s %9s %10s %10s %9s %5s %6s %7s\n", "scheme", "walkers", "walk",
	       "p50_ns", "p99_ns", "max_ns", "p50_ns", "p99_ns", "max_ns", "mean", "now", "most",
	       "frees");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int w = 0; w < BENCH_WIDTHS; w++) {
			uint64_t most;

			measure(bench, s, w, false, &most);
			measure(bench, s, w, true, &figures->held_most[s][w]);
		}
}
