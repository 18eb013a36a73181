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

static void hits(struct shadow *shadow, uint32_t vcpu)
{
	for (uint32_t i = 0; i < BATCH; i++)
		bench_read(shadow, vcpu, bench_gpa(vcpu, 0) + i % 8 * 8, 8);
}

/* Tenths of a nanosecond a walk, so that the histogram's steps do not matter. */
static void record(struct histogram *histogram, uint64_t ns)
{
	histogram_record(histogram, ns * 10 / BATCH);
}

static double tenths(const struct histogram *histogram, double quantile)
{
	return (double)histogram_quantile(histogram, quantile) / 10;
}

static void *walker(void *argument)
{
	struct bench_thread *self = argument;
	struct shadow *shadow = self->context;

	shadow_thread_begin(shadow);
	for (int i = 0; i < WARM_UP; i++)
		hits(shadow, self->index);
	while (!atomic_load(self->stop)) {
		uint64_t start_ns = bench_cpu_ns();

		hits(shadow, self->index);
		record(&self->ns, bench_cpu_ns() - start_ns);
		self->count += BATCH;
	}
	shadow_thread_end(shadow);
	return NULL;
}

static void measure_hits(struct bench *bench, int scheme, int width, double *ns)
{
	static struct bench_thread threads[BENCH_VCPUS];
	static struct histogram all;
	struct shadow *shadow = bench_shadow(bench, reclaim_schemes[scheme], SHADOW_REPLAY);
	uint64_t start_ns = clock_ns(), walks = 0, wall_ns;
	uint32_t count = bench_widths[width];
	_Atomic bool stop;

	bench_start(threads, count, &stop, walker, shadow);
	bench_sleep_ms(bench_repeat(bench, 400));
	bench_stop(threads, count, &stop);
	wall_ns = clock_ns() - start_ns;
	histogram_init(&all);
	for (uint32_t i = 0; i < count; i++) {
		histogram_merge(&all, &threads[i].ns);
		walks += threads[i].count;
	}
	*ns = tenths(&all, 0.5);
	printf("%-8s %7u %9.1f %9.1f %9.1f %12.1f %10.1f\n", reclaim_schemes[scheme]->name, count,
	       tenths(&all, 0.1), *ns, tenths(&all, 0.9),
	       (double)walks * 1000 / (double)wall_ns, (double)walks / 1e6);
	shadow_destroy(shadow);
}

/* Each access is an exit of its own, so each is filled. */
static void measure_fills(struct bench *bench, const struct reclaim_ops *scheme)
{
	static struct histogram ns;
	struct shadow *shadow = bench_shadow(bench, scheme, SHADOW_REPLAY);

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
	printf("%-16s %9.1f %9.1f %9.1f %35.1f\n", scheme->name, tenths(&ns, 0.1), tenths(&ns, 0.5),
	       tenths(&ns, 0.9), (double)ns.count * BATCH / 1e6);
	shadow_thread_end(shadow);
	shadow_destroy(shadow);
}

/* What there would be without a secondary MMU: the guest's tables each time. */
static void measure_guest_walk(struct bench *bench)
{
	static struct histogram ns;
	uint64_t gpa, sum = 0;

	histogram_init(&ns);
	for (uint32_t n = bench_repeat(bench, 200); n > 0; n--) {
		uint64_t start_ns = bench_cpu_ns();

		for (uint32_t i = 0; i < BATCH; i++) {
			if (guest_walk(&bench->memory, bench_root(0), sd_window_va(0, i % 8),
				       &gpa) != 0)
				bench_die("the window is not mapped");
			sum += *(const volatile uint64_t *)guest_memory_at(&bench->memory, gpa, 8);
		}
		record(&ns, bench_cpu_ns() - start_ns);
	}
	(void)sum;
	printf("%-16s %9.1f %9.1f %9.1f %35.1f\n", "guest's tables", tenths(&ns, 0.1),
	       tenths(&ns, 0.5), tenths(&ns, 0.9), (double)ns.count * BATCH / 1e6);
}

void bench_walks(struct bench *bench, struct bench_figures *figures)
{
	puts("\na walk that hits, 8 bytes copied; ns of CPU a walk, of batches of 4096");
	printf("%-8s %7s %9s %9s %9s %12s %10s\n", "scheme", "walkers", "p10_ns", "p50_ns", "p90_ns",
	       "walks_per_us", "walks_1e6");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int w = 0; w < BENCH_WIDTHS; w++)
			measure_hits(bench, s, w, &figures->walk_ns[s][w]);
	puts("\nthe first walk of an exit, which is filled from the guest's tables; ns of CPU");
	printf("%-16s %9s %9s %9s %35s\n", "scheme", "p10_ns", "p50_ns", "p90_ns", "walks_1e6");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		measure_fills(bench, reclaim_schemes[s]);
	measure_guest_walk(bench);
}
