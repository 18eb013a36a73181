// SPDX-License-Identifier: MIT
/*
 * shadow_walks.c - ns of CPU a walk: 8 bytes through a translation that is there, by 1,
 * 2 and 8 walkers; one that has to be filled first; and the guest's tables without ours.
 *
 * What walkers cost each other they cost only while they run at the same time. On a busy
 * host they seldom do, so a batch counts when its walker kept its CPU and the walkers of
 * every other CPU have ended one meanwhile; what share did is a column.
 *
 * Threads: one a walker.
 */
#include <stdio.h>

#include "guest_walk.h"
#include "shadow_bench.h"

#define BATCH   4096                    /* walks between two readings of the clock */
#define WARM_UP 50                      /* batches that are not counted */
#define BAR_NS  40
#define ENOUGH  20                      /* batches that count */

struct walk_figures {
	struct bench_series p10_ns, p50_ns, p90_ns;
	struct bench_series per_us;     /* of all CPUs that have a walker */
	uint64_t walks, in_vain;        /* that count, and not; of all rounds */
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

/* By @count walkers, pinned in turn (bench_start()). */
static uint32_t cpus_used(uint32_t count)
{
	uint32_t cpus = bench_cpus();

	return count < cpus ? count : cpus;
}

static void note(struct walk_figures *figures, const struct histogram *ns, uint32_t walkers)
{
	bench_note(&figures->p10_ns, tenths(ns, 0.1));
	bench_note(&figures->p50_ns, tenths(ns, 0.5));
	bench_note(&figures->p90_ns, tenths(ns, 0.9));
	bench_note(&figures->per_us, cpus_used(walkers) * 1000 / tenths(ns, 0.5));
	figures->walks += ns->count * BATCH;
}

/* --- walks that hit ------------------------------------------------------------------ */

/* Batches that the walkers of each CPU have ended. */
static struct {
	_Alignas(SD_CACHE_LINE) _Atomic uint64_t batches;
} on_cpu[BENCH_VCPUS];
static _Atomic uint64_t counted;

static void look_at_cpus(uint64_t *batches)
{
	for (uint32_t cpu = 0; cpu < BENCH_VCPUS; cpu++)
		batches[cpu] = atomic_load_explicit(&on_cpu[cpu].batches, memory_order_relaxed);
}

static bool all_others_went_on(const uint64_t *before, uint32_t own, uint32_t cpus)
{
	uint64_t now[BENCH_VCPUS];

	look_at_cpus(now);
	for (uint32_t cpu = 0; cpu < cpus; cpu++)
		if (cpu != own && now[cpu] == before[cpu])
			return false;
	return true;
}

struct hits {
	struct shadow *shadow;
	uint32_t cpus;                  /* with a walker */
};

static void hit_batch(struct shadow *shadow, uint32_t vcpu)
{
	for (uint32_t i = 0; i < BATCH; i++)
		bench_read(shadow, vcpu, bench_gpa(vcpu, 0) + i % 8 * 8, 8);
}

/* Counted, if it was. The walker has kept its CPU if the batch took the time that it took
 * of the CPU. */
static void time_batch(struct bench_thread *self, const struct hits *hits)
{
	uint32_t own = self->index % hits->cpus;
	uint64_t before[BENCH_VCPUS], start_ns, wall_ns, ns;

	look_at_cpus(before);
	wall_ns = clock_ns();
	start_ns = bench_cpu_ns();
	hit_batch(hits->shadow, self->index);
	ns = bench_cpu_ns() - start_ns;
	wall_ns = clock_ns() - wall_ns;
	bench_counted(self);
	atomic_fetch_add(&on_cpu[own].batches, 1);
	if (wall_ns > ns + ns / 4 || !all_others_went_on(before, own, hits->cpus))
		return;
	record(&self->ns, ns);
	atomic_fetch_add(&counted, 1);
}

static void *walker(void *argument)
{
	struct bench_thread *self = argument;
	const struct hits *hits = self->context;

	shadow_thread_begin(hits->shadow);
	for (int i = 0; i < WARM_UP; i++)
		hit_batch(hits->shadow, self->index);
	while (!atomic_load(self->stop))
		time_batch(self, hits);
	shadow_thread_end(hits->shadow);
	return NULL;
}

static void measure_hits(struct bench *bench, int scheme, int width)
{
	static struct bench_thread threads[BENCH_VCPUS];
	static struct histogram all;
	struct walk_figures *figures = &hit[scheme][width];
	uint32_t walkers = bench_widths[width];
	struct hits hits = {
		.shadow = bench_shadow(bench, reclaim_schemes[scheme], SHADOW_REPLAY),
		.cpus = cpus_used(walkers),
	};
	_Atomic bool stop;

	atomic_store(&counted, 0);
	bench_start(threads, walkers, &stop, walker, &hits);
	bench_sleep_ns(bench_repeat(bench, 200) * NS_PER_MS);
	while (atomic_load(&counted) < bench_repeat(bench, ENOUGH))
		bench_sleep_ns(NS_PER_MS);
	bench_stop(threads, walkers, &stop);
	histogram_init(&all);
	for (uint32_t i = 0; i < walkers; i++) {
		histogram_merge(&all, &threads[i].ns);
		figures->in_vain += (threads[i].count - threads[i].ns.count) * BATCH;
	}
	note(figures, &all, walkers);
	shadow_destroy(hits.shadow);
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
	uint64_t all = figures->walks + figures->in_vain;

	printf("%-14s %7u %7.1f %7.1f %7.1f %14s %12.1f %9.1f %10.0f\n", name, walkers,
	       bench_mean(&figures->p10_ns), bench_mean(&figures->p50_ns),
	       bench_mean(&figures->p90_ns), bench_range(&figures->p50_ns).text,
	       bench_mean(&figures->per_us), (double)figures->walks / 1e6,
	       100 * (double)figures->walks / (double)all);
}

static void print_columns(const char *title)
{
	printf("\n%s; ns of CPU a walk, of batches of %d\n", title, BATCH);
	printf("%-14s %7s %7s %7s %7s %14s %12s %9s %10s\n", "scheme", "walkers", "p10_ns",
	       "p50_ns", "p90_ns", "p50_range", "walks_per_us", "walks_1e6", "of_all_pct");
}

static void print_hit_claims(void)
{
	bench_claim(BENCH_KIVITY, NULL, "the shared counter does not scale, 2 walkers do less",
		    &hit[BENCH_COUNTER][BENCH_TWO].per_us, &hit[BENCH_COUNTER][BENCH_ONE].per_us,
		    "walks a us");
	bench_claim(BENCH_KIVITY, NULL, "mode does, 1 walker does less than 2",
		    &hit[BENCH_MODE][BENCH_ONE].per_us, &hit[BENCH_MODE][BENCH_TWO].per_us,
		    "walks a us");
	bench_claim(BENCH_OWN, NULL, "a walk that hits in mode, 1 walker",
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
