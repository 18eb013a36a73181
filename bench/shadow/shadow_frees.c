// SPDX-License-Identifier: MIT
/*
 * shadow_frees.c - what it takes to free tables while walkers walk: how long who frees
 * is held up, how long until the memory is really free, and how many tables are held
 * back meanwhile.
 *
 * Two loads: walkers that walk all the time, so that there is always one inside, and
 * walkers that keep their CPU but are inside for a twentieth of the time or so.
 *
 * Threads: walkers; main frees.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shadow_bench.h"

#define TABLES      6                   /* retired at a time: a leaf and the way to it */
#define TABLE_BYTES 2112                /* of a leaf */
#define GAP_NS      UINT64_C(100000)    /* between two: 60,000 tables a second at most */
#define PAUSE_NS    300                 /* about twenty times a walk */
#define STREAM_MS   500                 /* of steady freeing at most */
#define SINGLE_MS   300                 /* of freeing one by one at most */

enum { SELDOM, ALWAYS, LOADS };
static const char *const load_names[LOADS] = { "5 %", "all" };

struct free_figures {
	struct bench_series held_up_p50_ns, held_up_p99_ns, held_up_max_ns;
	struct bench_series until_p50_ns, until_p99_ns;
	struct bench_series held_mean, held_now, held_most;
	uint64_t frees;                 /* of all rounds */
};

static struct free_figures figures[RECLAIM_SCHEMES][BENCH_WIDTHS][LOADS];

/* --- walkers ------------------------------------------------------------------------------ */

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
		__asm__ volatile("" : : "r"(to) : "memory"); /* the copy is made */
		reclaim_end(walks->reclaim, reader);
		if (walks->pause_ns != 0)
			pause_for(walks->pause_ns);
	}
	reclaim_thread_end(walks->reclaim);
	return NULL;
}

/* --- who frees ------------------------------------------------------------------------------ */

struct frees {
	struct histogram held_up_ns;    /* who frees */
	struct histogram until_free_ns;
	uint64_t retired;               /* tables so far */
	uint64_t held_sum;              /* before each, to be divided by their number */
	uint64_t held_now;              /* after the last one */
	uint64_t held_most;
};

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

/* A steady stream, none waited for. */
static void free_in_a_stream(struct reclaim *reclaim, struct frees *frees, uint32_t count,
			     uint64_t end_ns)
{
	do {
		struct retired *list = tables();
		uint64_t start_ns;

		bench_sleep_ns(GAP_NS);
		frees->held_sum += atomic_load(&reclaim->held);
		start_ns = clock_ns();
		(void)reclaim_retire(reclaim, list);
		histogram_record(&frees->held_up_ns, clock_ns() - start_ns);
		frees->retired += TABLES;
	} while (--count > 0 && clock_ns() < end_ns);
	frees->held_now = atomic_load(&reclaim->held);
	frees->held_most = atomic_load(&reclaim->held_most);
}

static void await_free(struct reclaim *reclaim, const struct frees *frees)
{
	/* A share of a millisecond where liburcu's thread takes ten. */
	while (atomic_load(&reclaim->freed) < frees->retired)
		bench_sleep_ns(20000);
}

/* One at a time, each waited for: by liburcu's thread, by who frees (counter), or by the
 * scheme itself. */
static void free_one_by_one(struct reclaim *reclaim, struct frees *frees, uint32_t count,
			    uint64_t end_ns)
{
	do {
		uint64_t start_ns = clock_ns();

		(void)reclaim_retire(reclaim, tables());
		frees->retired += TABLES;
		if (reclaim->ops == &reclaim_counter)
			reclaim_wait(reclaim);
		await_free(reclaim, frees);
		histogram_record(&frees->until_free_ns, clock_ns() - start_ns);
	} while (--count > 0 && clock_ns() < end_ns);
}

/* --- a row --------------------------------------------------------------------------------- */

static double quantile(const struct histogram *histogram, double quantile)
{
	return (double)histogram_quantile(histogram, quantile);
}

static void note(struct free_figures *row, const struct frees *frees)
{
	bench_note(&row->held_up_p50_ns, quantile(&frees->held_up_ns, 0.5));
	bench_note(&row->held_up_p99_ns, quantile(&frees->held_up_ns, 0.99));
	bench_note(&row->held_up_max_ns, quantile(&frees->held_up_ns, 1));
	bench_note(&row->until_p50_ns, quantile(&frees->until_free_ns, 0.5));
	bench_note(&row->until_p99_ns, quantile(&frees->until_free_ns, 0.99));
	bench_note(&row->held_mean,
		   (double)frees->held_sum / (double)frees->held_up_ns.count);
	bench_note(&row->held_now, (double)frees->held_now);
	bench_note(&row->held_most, (double)frees->held_most);
	row->frees += frees->held_up_ns.count;
}

static void measure(struct bench *bench, int scheme, int width, int load)
{
	static struct bench_thread threads[BENCH_VCPUS];
	static struct reclaim reclaim;
	static struct frees frees;
	struct walks walks = { .reclaim = &reclaim, .pause_ns = load == ALWAYS ? 0 : PAUSE_NS };
	_Atomic bool stop;

	if (reclaim_create(&reclaim, reclaim_schemes[scheme], BENCH_VCPUS) != 0)
		bench_die("no memory for readers");
	memset(&frees, 0, sizeof(frees));
	histogram_init(&frees.held_up_ns);
	histogram_init(&frees.until_free_ns);
	reclaim_thread_begin(&reclaim);
	bench_start(threads, bench_widths[width], &stop, walker, &walks);
	free_in_a_stream(&reclaim, &frees, bench_repeat(bench, 2000),
			 clock_ns() + bench_repeat(bench, STREAM_MS) * NS_PER_MS);
	reclaim_wait(&reclaim);
	await_free(&reclaim, &frees);
	free_one_by_one(&reclaim, &frees, bench_repeat(bench, 100),
			clock_ns() + bench_repeat(bench, SINGLE_MS) * NS_PER_MS);
	bench_stop(threads, bench_widths[width], &stop);
	reclaim_thread_end(&reclaim);
	reclaim_destroy(&reclaim);
	note(&figures[scheme][width][load], &frees);
}

void bench_frees(struct bench *bench)
{
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int w = 0; w < BENCH_WIDTHS; w++)
			for (int l = 0; l < LOADS; l++)
				measure(bench, s, w, l);
}

/* --- the table ------------------------------------------------------------------------------ */

static void print_row(int scheme, int width, int load)
{
	const struct free_figures *row = &figures[scheme][width][load];

	printf("%-8s %7u %-5s ", reclaim_schemes[scheme]->name, bench_widths[width],
	       load_names[load]);
	printf("%9.2f %9.1f %9.0f ", bench_mean(&row->held_up_p50_ns) / 1000,
	       bench_mean(&row->held_up_p99_ns) / 1000, bench_mean(&row->held_up_max_ns) / 1000);
	printf("%9.1f %9.1f ", bench_mean(&row->until_p50_ns) / 1000,
	       bench_mean(&row->until_p99_ns) / 1000);
	printf("%8.1f %6.0f %6.0f %14s %7lu\n", bench_mean(&row->held_mean),
	       bench_mean(&row->held_now), bench_mean(&row->held_most),
	       bench_range(&row->held_most).text, row->frees);
}

static void print_claims(void)
{
	for (int l = 0; l < LOADS; l++) {
		const struct free_figures *rcu = &figures[BENCH_RCU][BENCH_EIGHT][l];
		const struct free_figures *counter = &figures[BENCH_COUNTER][BENCH_EIGHT][l];
		const struct free_figures *mode = &figures[BENCH_MODE][BENCH_EIGHT][l];

		printf("  8 walkers, walking %s of the time:\n", load_names[l]);
		bench_claim(BENCH_KIVITY, NULL, "RCU holds more memory than mode, most",
			    &mode->held_most, &rcu->held_most, "tables");
		bench_claim(BENCH_KIVITY, NULL, "RCU holds more memory than the counter, most",
			    &counter->held_most, &rcu->held_most, "tables");
		bench_claim(BENCH_KIVITY, NULL, "a grace period is longer than mode's wait, p50",
			    &mode->until_p50_ns, &rcu->until_p50_ns, "ns");
	}
}

void bench_frees_print(void)
{
	printf("\nfreeing %d tables every 100 us, and one by one until they are free; us, wall\n",
	       TABLES);
	printf("%-8s %7s %-5s %29s %19s %37s\n", "", "", "", "who frees is held up",
	       "until it is free", "tables held back");
	printf("%-8s %7s %-5s %9s %9s %9s ", "scheme", "walkers", "walk", "p50_us", "p99_us",
	       "max_us");
	printf("%9s %9s %8s %6s %6s %14s %7s\n", "p50_us", "p99_us", "mean", "now", "most",
	       "most_range", "frees");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int w = 0; w < BENCH_WIDTHS; w++)
			for (int l = 0; l < LOADS; l++)
				print_row(s, w, l);
	print_claims();
}
