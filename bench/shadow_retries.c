// SPDX-License-Identifier: MIT
/*
 * shadow_retries.c - faults that are overtaken: N pages that move one by one against one
 * range of N, and a fault that is replayed against one that loops.
 *
 * Threads: walkers, each access an exit of its own and so a fault; main moves pages for
 * real, half of the time.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "shadow_bench.h"

#define REQUEST_BYTES 64
#define MOVED_PAGES   512               /* from the first walker's first on: all walkers' */

static void *asker(void *argument)
{
	struct bench_thread *self = argument;
	struct shadow *shadow = self->context;
	struct shadow_reader *reader = shadow_reader(shadow, self->index);

	shadow_thread_begin(shadow);
	while (!atomic_load_explicit(self->stop, memory_order_relaxed)) {
		uint64_t start_ns = clock_ns();

		shadow_exit_begin(reader);
		bench_read(shadow, self->index, bench_gpa(0, (uint32_t)self->count * 37 % MOVED_PAGES),
			   REQUEST_BYTES);
		histogram_record(&self->ns, clock_ns() - start_ns);
		self->count++;
	}
	shadow_thread_end(shadow);
	return NULL;
}

/* --- moves ----------------------------------------------------------------------------- */

static uint32_t move(struct bench *bench, uint64_t gpa)
{
	uint32_t old;

	if (frames_move(&bench->frames, (uint32_t)(gpa / SD_PAGE_BYTES), &old) != 0)
		bench_die("a page does not move");
	return old;
}

static void move_one_by_one(struct bench *bench, struct shadow *shadow, uint32_t pages)
{
	for (uint32_t page = 0; page < pages; page++) {
		uint64_t gpa = bench_gpa(0, page);
		uint32_t old = move(bench, gpa);

		shadow_invalidate_page(shadow, gpa);
		frames_release(&bench->frames, old);
	}
}

static void move_range(struct bench *bench, struct shadow *shadow, uint32_t pages)
{
	shadow_invalidate_range_start(shadow, bench_gpa(0, 0), (uint64_t)pages * SD_PAGE_BYTES);
	for (uint32_t page = 0; page < pages; page++)
		frames_release(&bench->frames, move(bench, bench_gpa(0, page)));
	shadow_invalidate_range_end(shadow);
}

/* As long as it has just taken, so that whoever waits gets its turn. */
static void rest(uint64_t ns)
{
	uint64_t end_ns = clock_ns() + ns;

	while (clock_ns() < end_ns)
		sched_yield();
}

/* --- a row ------------------------------------------------------------------------------- */

struct row {
	const struct reclaim_ops *scheme;
	enum shadow_retry retry;
	uint32_t walkers;
	uint32_t pages;                 /* moved at a time */
	void (*move)(struct bench *bench, struct shadow *shadow, uint32_t pages);
};

/* Returns how many moves; their time is in @move_ns. */
static uint64_t move_for(struct bench *bench, struct shadow *shadow, const struct row *row,
			 struct histogram *move_ns)
{
	uint64_t end_ns = clock_ns() + bench_repeat(bench, 400) * NS_PER_MS;
	uint64_t moves = 0;

	do {
		uint64_t start_ns = clock_ns(), ns;

		row->move(bench, shadow, row->pages);
		ns = clock_ns() - start_ns;
		histogram_record(move_ns, ns / row->pages);
		moves += row->pages;
		rest(ns);
	} while (clock_ns() < end_ns);
	return moves;
}

static void measure(struct bench *bench, const struct row *row)
{
	static struct bench_thread threads[BENCH_VCPUS];
	static struct histogram asked_ns, move_ns;
	struct shadow *shadow = bench_shadow(bench, row->scheme, row->retry);
	struct shadow_counts counts;
	_Atomic bool stop;
	uint64_t moves;

	histogram_init(&asked_ns);
	histogram_init(&move_ns);
	shadow_thread_begin(shadow);
	bench_start(threads, row->walkers, &stop, asker, shadow);
	moves = move_for(bench, shadow, row, &move_ns);
	bench_stop(threads, row->walkers, &stop);
	shadow_thread_end(shadow);
	counts = shadow_count(shadow);
	for (uint32_t i = 0; i < row->walkers; i++)
		histogram_merge(&asked_ns, &threads[i].ns);
	printf("%-8s %-7s %7u %5u %-6s %11.2f %7lu %9.2f %10.3f %8lu %9lu %10lu %10lu\n",
	       row->scheme->name, row->retry == SHADOW_LOOP ? "loop" : "replay", row->walkers,
	       row->pages, row->move == move_range ? "range" : "single",
	       (double)histogram_quantile(&move_ns, 0.5) / 1000, moves,
	       (double)counts.retries * 1000 / (double)moves,
	       (double)counts.retries * 1000 / (double)asked_ns.count,
	       histogram_quantile(&asked_ns, 0.5), histogram_quantile(&asked_ns, 0.99),
	       histogram_quantile(&asked_ns, 0.999), asked_ns.count);
	shadow_destroy(shadow);
}

static void print_columns(void)
{
	printf("%-8s %-7s %7s %5s %-6s %11s %7s %20s %29s %10s\n", "", "", "", "", "", "", "",
	       "retries per 1000", "a request of 64 bytes", "");
	printf("%-8s %-7s %7s %5s %-6s %11s %7s %9s %10s %8s %9s %10s %10s\n", "scheme", "fault",
	       "walkers", "pages", "how", "us_per_page", "moves", "moves", "requests", "p50_ns",
	       "p99_ns", "p999_ns", "requests");
}

void bench_retries(struct bench *bench)
{
	static const uint32_t pages[] = { 1, 8, 64, 512 };
	static const uint32_t walkers[] = { 1, 8 };

	puts("\nN pages that move, singly against one range of N, half of the time; wall");
	print_columns();
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct row row = { &reclaim_mode, SHADOW_REPLAY, 2, pages[i], move_one_by_one };

		measure(bench, &row);
		row.move = move_range;
		measure(bench, &row);
	}
	puts("\na fault that is overtaken: replayed against looping; ranges of 8 pages; wall");
	print_columns();
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (size_t w = 0; w < sizeof(walkers) / sizeof(walkers[0]); w++) {
			struct row row = { reclaim_schemes[s], SHADOW_REPLAY, walkers[w], 8, move_range };

			measure(bench, &row);
			row.retry = SHADOW_LOOP;
			measure(bench, &row);
		}
}
