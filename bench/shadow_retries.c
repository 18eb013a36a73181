// SPDX-License-Identifier: MIT
/*
 * shadow_retries.c - faults that are overtaken: N pages that move one by one against one
 * range of N, and a fault that is replayed against one that loops.
 *
 * Threads: walkers, each access an exit of its own and so a fault; main moves pages for
 * real, half of the time.
 */
#include <stdio.h>

#include "shadow_bench.h"

#define REQUEST_BYTES 64
#define MOVED_PAGES   512               /* from the first walker's first on: all walkers' */
#define MEASURE_MS    200

/* --- walkers ---------------------------------------------------------------------------- */

static void *asker(void *argument)
{
	struct bench_thread *self = argument;
	struct shadow *shadow = self->context;
	struct shadow_reader *reader = shadow_reader(shadow, self->index);

	shadow_thread_begin(shadow);
	do {
		uint64_t start_ns = clock_ns();

		shadow_exit_begin(reader);
		bench_read(shadow, self->index, bench_gpa(0, (uint32_t)self->count * 37 % MOVED_PAGES),
			   REQUEST_BYTES);
		histogram_record(&self->ns, clock_ns() - start_ns);
		self->count++;
	} while (!atomic_load_explicit(self->stop, memory_order_relaxed));
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

/* --- a row ------------------------------------------------------------------------------- */

struct retry_row {
	int scheme;
	enum shadow_retry retry;
	uint32_t walkers;
	uint32_t pages;                 /* moved at a time */
	void (*move)(struct bench *bench, struct shadow *shadow, uint32_t pages);

	struct bench_series us_per_page, retries_per_move, retries_per_request;
	struct bench_series p50_ns, p99_ns, p999_ns;
	uint64_t moves, requests;       /* of all rounds */
};

/* Returns how many pages; the time of each is in @page_ns. Sleeps as long as each move
 * has taken, so that whoever waits gets its turn. */
static uint64_t move_for(struct bench *bench, struct shadow *shadow, const struct retry_row *row,
			 struct histogram *page_ns)
{
	uint64_t end_ns = clock_ns() + bench_repeat(bench, MEASURE_MS) * NS_PER_MS;
	uint64_t moves = 0;

	do {
		uint64_t start_ns = clock_ns(), ns;

		row->move(bench, shadow, row->pages);
		ns = clock_ns() - start_ns;
		histogram_record(page_ns, ns / row->pages);
		moves += row->pages;
		bench_sleep_ns(ns);
	} while (clock_ns() < end_ns);
	return moves;
}

static void note(struct retry_row *row, const struct histogram *asked_ns,
		 const struct histogram *page_ns, uint64_t moves, uint64_t retries)
{
	bench_note(&row->us_per_page, (double)histogram_quantile(page_ns, 0.5) / 1000);
	bench_note(&row->retries_per_move, (double)retries * 1000 / (double)moves);
	bench_note(&row->retries_per_request, (double)retries * 1000 / (double)asked_ns->count);
	bench_note(&row->p50_ns, (double)histogram_quantile(asked_ns, 0.5));
	bench_note(&row->p99_ns, (double)histogram_quantile(asked_ns, 0.99));
	bench_note(&row->p999_ns, (double)histogram_quantile(asked_ns, 0.999));
	row->moves += moves;
	row->requests += asked_ns->count;
}

static void measure(struct bench *bench, struct retry_row *row)
{
	static struct bench_thread threads[BENCH_VCPUS];
	static struct histogram asked_ns, page_ns;
	struct shadow *shadow = bench_shadow(bench, reclaim_schemes[row->scheme], row->retry);
	_Atomic bool stop;
	uint64_t moves;

	histogram_init(&asked_ns);
	histogram_init(&page_ns);
	shadow_thread_begin(shadow);
	bench_start(threads, row->walkers, &stop, asker, shadow);
	moves = move_for(bench, shadow, row, &page_ns);
	bench_stop(threads, row->walkers, &stop);
	shadow_thread_end(shadow);
	for (uint32_t i = 0; i < row->walkers; i++)
		histogram_merge(&asked_ns, &threads[i].ns);
	note(row, &asked_ns, &page_ns, moves, shadow_count(shadow).retries);
	shadow_destroy(shadow);
}

/* --- the tables -------------------------------------------------------------------------- */

/* Singly and as a range in turn, 1 to 512 pages. The fault loops: it is counted once for
 * each time that it was overtaken. */
#define WINDOWS 8
static struct retry_row windows[WINDOWS];

/* Replayed and looping in turn. */
#define WAYS (RECLAIM_SCHEMES * 2 * 2)
static struct retry_row ways[WAYS];

static void make_rows(void)
{
	static const uint32_t pages[] = { 1, 8, 64, 512 };
	static const uint32_t walkers[] = { 1, 8 };

	for (int i = 0; i < WINDOWS; i++) {
		windows[i].scheme = BENCH_MODE;
		windows[i].retry = SHADOW_LOOP;
		windows[i].walkers = 1;
		windows[i].pages = pages[i / 2];
		windows[i].move = i % 2 == 0 ? move_one_by_one : move_range;
	}
	for (int i = 0; i < WAYS; i++) {
		ways[i].scheme = i / 4;
		ways[i].retry = i % 2 == 0 ? SHADOW_REPLAY : SHADOW_LOOP;
		ways[i].walkers = walkers[i / 2 % 2];
		ways[i].pages = 8;
		ways[i].move = move_range;
	}
}

void bench_retries(struct bench *bench)
{
	make_rows();
	for (int i = 0; i < WINDOWS; i++)
		measure(bench, &windows[i]);
	for (int i = 0; i < WAYS; i++)
		measure(bench, &ways[i]);
}

static void print_columns(const char *title)
{
	printf("\n%s; wall\n", title);
	printf("%-8s %-6s %7s %5s %-6s %11s %7s %34s %29s %9s\n", "", "", "", "", "", "", "",
	       "retries per 1000", "a request of 64 bytes", "");
	printf("%-8s %-6s %7s %5s %-6s %11s %7s %9s %14s %9s %8s %9s %10s %9s\n", "scheme", "fault",
	       "walkers", "pages", "how", "us_per_page", "moves", "moves", "moves_range", "requests",
	       "p50_ns", "p99_ns", "p999_ns", "requests");
}

static void print_row(const struct retry_row *row)
{
	printf("%-8s %-6s %7u %5u %-6s ", reclaim_schemes[row->scheme]->name,
	       row->retry == SHADOW_LOOP ? "loop" : "replay", row->walkers, row->pages,
	       row->move == move_range ? "range" : "single");
	printf("%11.2f %7lu %9.1f %14s %9.3f ", bench_mean(&row->us_per_page), row->moves,
	       bench_mean(&row->retries_per_move), bench_range(&row->retries_per_move).text,
	       bench_mean(&row->retries_per_request));
	printf("%8.0f %9.0f %10.0f %9lu\n", bench_mean(&row->p50_ns), bench_mean(&row->p99_ns),
	       bench_mean(&row->p999_ns), row->requests);
}

void bench_retries_print(void)
{
	print_columns("N pages that move, singly against one range of N, half of the time");
	for (int i = 0; i < WINDOWS; i++)
		print_row(&windows[i]);
	bench_claim(BENCH_ARCANGELI, "invalidate_page has the shorter window, 1 page",
		    &windows[0].retries_per_move, &windows[1].retries_per_move,
		    "retries per 1000 moves");
	bench_claim(BENCH_ARCANGELI, "a range takes less time than its pages singly, 512 pages",
		    &windows[7].us_per_page, &windows[6].us_per_page, "us a page");
	print_columns("a fault that is overtaken, replayed against looping; ranges of 8 pages");
	for (int i = 0; i < WAYS; i++)
		print_row(&ways[i]);
	for (int i = 0; i < WAYS; i += 2)
		if (ways[i].walkers == BENCH_VCPUS)
			bench_claim(BENCH_ARCANGELI, "replaying is no slower than looping, 8 walkers",
				    &ways[i].p999_ns, &ways[i + 1].p999_ns, "ns, p99.9");
}
