// SPDX-License-Identifier: MIT
/*
 * shadow_walks.c - ns of CPU a walk: 8 bytes through a translation that is there, by 1,
 * 2 and 8 walkers; one that has to be filled first; and the guest's tables without ours.
 *
 * Threads: one a walker.
 */
#include <stdio.h>

#include "guest_walk.h"
#include "shadow_bench.h"

#define BATCH   4096                    /* walks between two readings of the clock */
#define WARM_UP 50                      /* batches that are not counted */
#define BAR_NS  40

struct walk_figures {
	struct bench_series p10_ns, p50_ns, p90_ns;
	struct bench_series per_us;     /* of all CPUs that have a walker */
	uint64_t walks;                 /* of all rounds */
};

static struct walk_figures hit[RECLAIM_SCHEMES][BENCH_WIDTHS];
static struct walk_figures fill[RECLAIM_SCHEMES];
static struct walk_figures guest;
static struct bench_series bar_ns;

/* Tenths of a nanosecond a walk, so that the histogram's steps do not matter. */
static void record(struct histogram *histogram, uint64_t ns)
{
	histogram_record(histogram, ns * 10 / BATCH);
}

static double tenths(const struct histogram *histogram, double quantile)
{
	return (double)histogram_quantile(histogram, quantile) / 10;
}

static void note(struct walk_figures *figures, const struct histogram *ns, uint32_t walkers)
{
	uint32_t cpus = bench_cpus();

	bench_note(&figures->p10_ns, tenths(ns, 0.1));
	bench_note(&figures->p50_ns, tenths(ns, 0.5));
	bench_note(&figures->p90_ns, tenths(ns, 0.9));
	bench_note(&figures->per_us, (walkers < cpus ? walkers : cpus) * 1000 / tenths(ns, 0.5));
	figures->walks += ns->count * BATCH;
}

/* --- walks that hit ------------------------------------------------------------------ */

static void hits(struct shadow *shadow, uint32_t vcpu)
{
	for (uint32_t i = 0; i < BATCH; i++)
		bench_read(shadow, vcpu, bench_gpa(vcpu, 0) + i % 8 * 8, 8);
}

static void *walker(void *argument)
{
	struct bench_thread *self = argument;
	struct shadow *shadow = self->context;

	shadow_thread_begin(shadow);
	for (int i = 0; i < WARM_UP; i++)
		hits(shadow, self->index);
	do {
		uint64_t start_ns = bench_cpu_ns();

		hits(shadow, self->index);
		record(&self->ns, bench_cpu_ns() - start_ns);
	} while (!atomic_load(self->stop));
	shadow_thread_end(shadow);
	return NULL;
}

static void measure_hits(struct bench *bench, int scheme, int width)
{
	static struct bench_thread threads[BENCH_VCPUS];
	static struct histogram all;
	struct shadow *shadow = bench_shadow(bench, reclaim_schemes[scheme], SHADOW_REPLAY);
	uint32_t count = bench_widths[width];
	_Atomic bool stop;

	bench_start(threads, count, &stop, walker, shadow);
	bench_sleep_ns(bench_repeat(bench, 200) * NS_PER_MS);
	bench_stop(threads, count, &stop);
	histogram_init(&all);
	for (uint32_t i = 0; i < count; i++)
		histogram_merge(&all, &threads[i].ns);
	note(&hit[scheme][width], &all, count);
	shadow_destroy(shadow);
}

/* --- the first walk of an exit --------------------------------------------------------- */

/* Each access is an exit of its own, so each is filled. */
static void measure_fills(struct bench *bench, int scheme)
{
	static struct histogram ns;
	struct shadow *shadow = bench_shadow(bench, reclaim_schemes[scheme], SHADOW_REPLAY);

	histogram_init(&ns);
	shadow_thread_begin(shadow);
	for (uint32_t n = bench_repeat(bench, 200); n > 0; n--) {
		uint64_t start_ns = bench_cpu_ns();

		for (uint32_t i = 0; i < BATCH; i++) {
			shadow_exit_begin(shadow_reader(shadow, 0));
			bench_read(shadow, 0, bench_gpa(0, 0) + i % 8 * 8, 8);
		}
		record(&ns, bench_cpu_ns() - start_ns);
	}
	note(&fill[scheme], &ns, 1);
	shadow_thread_end(shadow);
	shadow_destroy(shadow);
}

/* What there would be without a secondary MMU: the guest's tables each time. */
static void measure_guest_walk(struct bench *bench)
{
	static struct histogram ns;

	histogram_init(&ns);
	for (uint32_t n = bench_repeat(bench, 200); n > 0; n--) {
		uint64_t start_ns = bench_cpu_ns();

		for (uint32_t i = 0; i < BATCH; i++) {
			uint64_t gpa;

			if (guest_walk(&bench->memory, bench_root(0), bench_gpa(0, 0) + i % 8 * 8,
				       &gpa) != 0)
				bench_die("a pointer of the bench's own cannot be followed");
			(void)*(const volatile uint64_t *)guest_memory_at(&bench->memory, gpa, 8);
		}
		record(&ns, bench_cpu_ns() - start_ns);
	}
	note(&guest, &ns, 1);
}

void bench_walks(struct bench *bench)
{
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int w = 0; w < BENCH_WIDTHS; w++)
			measure_hits(bench, s, w);
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		measure_fills(bench, s);
	measure_guest_walk(bench);
	bench_note(&bar_ns, BAR_NS);
}

/* --- tables ---------------------------------------------------------------------------- */

static void print_row(const char *name, uint32_t walkers, const struct walk_figures *figures)
{
	printf("%-14s %7u %7.1f %7.1f %7.1f %14s %12.1f %9.0f\n", name, walkers,
	       bench_mean(&figures->p10_ns), bench_mean(&figures->p50_ns),
	       bench_mean(&figures->p90_ns), bench_range(&figures->p50_ns).text,
	       bench_mean(&figures->per_us), (double)figures->walks / 1e6);
}

static void print_columns(const char *title)
{
	printf("\n%s; ns of CPU a walk, of batches of %d\n", title, BATCH);
	printf("%-14s %7s %7s %7s %7s %14s %12s %9s\n", "scheme", "walkers", "p10_ns", "p50_ns",
	       "p90_ns", "p50_range", "walks_per_us", "walks_1e6");
}

static void print_hit_claims(void)
{
	bench_claim(BENCH_KIVITY, "the shared counter does not scale, 2 walkers do less than 1",
		    &hit[BENCH_COUNTER][BENCH_TWO].per_us, &hit[BENCH_COUNTER][BENCH_ONE].per_us,
		    "walks a us");
	bench_claim(BENCH_KIVITY, "mode does, 1 walker does less than 2",
		    &hit[BENCH_MODE][BENCH_ONE].per_us, &hit[BENCH_MODE][BENCH_TWO].per_us,
		    "walks a us");
	bench_claim(BENCH_OWN, "a walk that hits in mode, 1 walker",
		    &hit[BENCH_MODE][BENCH_ONE].p50_ns, &bar_ns, "ns");
}

void bench_walks_print(void)
{
	print_columns("a walk that hits, 8 bytes copied");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int w = 0; w < BENCH_WIDTHS; w++)
			print_row(reclaim_schemes[s]->name, bench_widths[w], &hit[s][w]);
	print_hit_claims();
	print_columns("the first walk of an exit, filled from the guest's tables");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		print_row(reclaim_schemes[s]->name, 1, &fill[s]);
	print_row("guest's tables", 1, &guest);
}
