// SPDX-License-Identifier: MIT
/*
 * shadow_retries.c - faults that are overtaken: N pages that move one by one against one
 * range of N, and a fault that is replayed against one that loops.
 *
 * Nothing is overtaken while the walkers are off their CPUs, as they are for much of the
 * time on a busy host. A move counts when one of them was running before and after it.
 *
 * Threads: walkers, each access an exit of its own and so a fault; main moves pages for
 * real, half of the time.
 */
#include <stdio.h>
#include <string.h>

#include "shadow_bench.h"

#define REQUEST_BYTES 64
#define MOVED_PAGES   512               /* from the first walker's first on: all walkers' */
#define MEASURE_MS    200
#define ENOUGH        100               /* pages, and two moves, that count; or so long: */
#define PATIENCE_MS   1000

/* --- walkers ---------------------------------------------------------------------------- */

static void *asker(void *argument)
{
	struct bench_thread *self = argument;
	struct shadow *shadow = self->context;
	struct shadow_reader *reader = shadow_reader(shadow, self->index);
	uint32_t page = 0;

	shadow_thread_begin(shadow);
	do {
		uint64_t start_ns = clock_ns();

		shadow_exit_begin(reader);
		bench_read(shadow, self->index, bench_gpa(0, page), REQUEST_BYTES);
		histogram_record(&self->ns, clock_ns() - start_ns);
		bench_counted(self);
		page = (page + 37) % MOVED_PAGES;
	} while (!atomic_load_explicit(self->stop, memory_order_relaxed));
	shadow_thread_end(shadow);
	return NULL;
}

/* --- moves ----------------------------------------------------------------------------- */

static uint32_t move(struct bench *bench, uint64_t gpa)
{
	uint32_t old;

	if (frames_move(&bench->frames, (uint32_t)(gpa / SD_PAGE_BYTES), 1, &old) != 1)
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

	struct bench_series us_per_page, retries_per_move;
	struct bench_series p50_ns, p99_ns, p999_ns;
	uint64_t moves, counted, requests; /* of all rounds */
};

static struct bench_thread threads[BENCH_VCPUS];

static uint64_t requests(const struct retry_row *row)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < row->walkers; i++)
		sum += atomic_load_explicit(&threads[i].count, memory_order_relaxed);
	return sum;
}

/* In the time of twenty requests and more. With one CPU nobody does beside this thread,
 * and every move counts. */
static bool a_walker_runs(const struct retry_row *row)
{
	uint64_t before = requests(row), end_ns = clock_ns() + 3000;

	if (bench_cpus() == 1)
		return true;
	while (clock_ns() < end_ns)
		if (requests(row) != before)
			return true;
	return false;
}

struct moves {
	struct histogram page_ns;
	uint64_t all;                   /* pages */
	uint64_t counted, retries;      /* of those that count */
};

static void move_once(struct bench *bench, struct shadow *shadow, const struct retry_row *row,
		      struct moves *moves)
{
	bool counts = a_walker_runs(row);
	uint64_t retries = shadow_count(shadow).retries, start_ns = clock_ns(), ns;

	row->move(bench, shadow, row->pages);
	ns = clock_ns() - start_ns;
	retries = shadow_count(shadow).retries - retries;
	histogram_record(&moves->page_ns, ns / row->pages);
	moves->all += row->pages;
	if (counts && a_walker_runs(row)) {
		moves->counted += row->pages;
		moves->retries += retries;
	}
	/* As long again, so that whoever waits gets its turn. */
	bench_sleep_ns(ns);
}

static void move_for(struct bench *bench, struct shadow *shadow, const struct retry_row *row,
		     struct moves *moves)
{
	uint64_t enough = bench_repeat(bench, ENOUGH + 2 * row->pages);
	uint64_t start_ns = clock_ns(), ns;

	do {
		move_once(bench, shadow, row, moves);
		ns = clock_ns() - start_ns;
	} while (ns < bench_repeat(bench, MEASURE_MS) * NS_PER_MS || moves->counted == 0 ||
		 (moves->counted < enough && ns < bench_repeat(bench, PATIENCE_MS) * NS_PER_MS));
}

static void note(struct retry_row *row, const struct histogram *asked_ns,
		 const struct moves *moves)
{
	bench_note(&row->us_per_page, (double)histogram_quantile(&moves->page_ns, 0.5) / 1000);
	bench_note(&row->retries_per_move,
		   (double)moves->retries * 1000 / (double)moves->counted);
	bench_note(&row->p50_ns, (double)histogram_quantile(asked_ns, 0.5));
	bench_note(&row->p99_ns, (double)histogram_quantile(asked_ns, 0.99));
	bench_note(&row->p999_ns, (double)histogram_quantile(asked_ns, 0.999));
	row->moves += moves->all;
	row->counted += moves->counted;
	row->requests += asked_ns->count;
}

static void measure(struct bench *bench, struct retry_row *row)
{
	static struct histogram asked_ns;
	static struct moves moves;
	struct shadow *shadow = bench_shadow(bench, reclaim_schemes[row->scheme], row->retry);
	_Atomic bool stop;

	memset(&moves, 0, sizeof(moves));
	histogram_init(&moves.page_ns);
	histogram_init(&asked_ns);
	shadow_thread_begin(shadow);
	bench_start(threads, row->walkers, &stop, asker, shadow);
	/* Where one walker is not. */
	bench_pin(pthread_self(), bench_cpus() - 1);
	move_for(bench, shadow, row, &moves);
	bench_unpin();
	bench_stop(threads, row->walkers, &stop);
	shadow_thread_end(shadow);
	for (uint32_t i = 0; i < row->walkers; i++)
		histogram_merge(&asked_ns, &threads[i].ns);
	note(row, &asked_ns, &moves);
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
	printf("%94s %29s\n", "retries per 1000 moves", "a request of 64 bytes");
	printf("%-8s %-6s %7s %5s %-6s %11s %7s %10s ", "scheme", "fault", "walkers", "pages",
	       "how", "us_per_page", "moves", "that_count");
	printf("%11s %14s %8s %9s %10s %9s\n", "mean", "range", "p50_ns", "p99_ns", "p999_ns",
	       "requests");
}

static void print_row(const struct retry_row *row)
{
	printf("%-8s %-6s %7u %5u %-6s ", reclaim_schemes[row->scheme]->name,
	       row->retry == SHADOW_LOOP ? "loop" : "replay", row->walkers, row->pages,
	       row->move == move_range ? "range" : "single");
	printf("%11.2f %7lu %10lu %11.1f %14s ", bench_mean(&row->us_per_page), row->moves,
	       row->counted, bench_mean(&row->retries_per_move),
	       bench_range(&row->retries_per_move).text);
	printf("%8.0f %9.0f %10.0f %9lu\n", bench_mean(&row->p50_ns), bench_mean(&row->p99_ns),
	       bench_mean(&row->p999_ns), row->requests);
}

void bench_retries_print(void)
{
	print_columns("N pages that move, singly against one range of N, half of the time");
	for (int i = 0; i < WINDOWS; i++)
		print_row(&windows[i]);
	bench_claim(BENCH_ARCANGELI, &reclaim_mode,
		    "invalidate_page has the shorter window, 1 page",
		    &windows[0].retries_per_move, &windows[1].retries_per_move,
		    "retries per 1000 moves");
	bench_claim(BENCH_ARCANGELI, &reclaim_mode,
		    "a range overtakes fewer faults than its pages singly, 8 pages",
		    &windows[3].retries_per_move, &windows[2].retries_per_move,
		    "retries per 1000 moves");
	print_columns("a fault that is overtaken, replayed against looping; ranges of 8 pages");
	for (int i = 0; i < WAYS; i++)
		print_row(&ways[i]);
	for (int i = 0; i < WAYS; i += 2)
		bench_claim(BENCH_ARCANGELI, reclaim_schemes[ways[i].scheme],
			    ways[i].walkers == 1 ? "a request is no slower for replaying, 1 walker"
			    : "a request is no slower for replaying, 8 walkers", &ways[i].p999_ns,
			    &ways[i + 1].p999_ns, "ns, p99.9");
}
