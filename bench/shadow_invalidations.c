// SPDX-License-Identifier: MIT
/*
 * shadow_invalidations.c - one page invalidated by invalidate_page against the pair
 * around a range of one page: mapped by nobody, by one reader, by eight.
 *
 * Threads: main alone, so that what is measured is the fixed cost and no wait.
 */
#include <stdio.h>

#include "shadow_bench.h"

#define BATCH BENCH_PAGES

static void by_page(struct shadow *shadow, uint64_t gpa)
{
	shadow_invalidate_page(shadow, gpa);
}

static void by_pair(struct shadow *shadow, uint64_t gpa)
{
	shadow_invalidate_range_start(shadow, gpa, SD_PAGE_BYTES);
	shadow_invalidate_range_end(shadow);
}

/* All map the same pages: vCPU 0's. */
static void map_all(struct shadow *shadow, uint32_t readers)
{
	for (uint32_t vcpu = 0; vcpu < readers; vcpu++)
		for (uint32_t page = 0; page < BATCH; page++)
			bench_read(shadow, vcpu, bench_gpa(0, page), 8);
}

static double measure(struct bench *bench, const struct reclaim_ops *scheme, uint32_t readers,
		      void (*invalidate)(struct shadow *shadow, uint64_t gpa))
{
	static struct histogram ns;
	struct shadow *shadow = bench_shadow(bench, scheme, SHADOW_REPLAY);
	uint32_t batches = bench_repeat(bench, scheme == &reclaim_rcu && readers > 0 ? 20 : 2000);

	histogram_init(&ns);
	shadow_thread_begin(shadow);
	for (uint32_t n = 0; n < batches; n++) {
		uint64_t start_ns;

		map_all(shadow, readers);
		start_ns = clock_ns();
		for (uint32_t page = 0; page < BATCH; page++)
			invalidate(shadow, bench_gpa(0, page));
		histogram_record(&ns, (clock_ns() - start_ns) * 10 / BATCH);
	}
	shadow_thread_end(shadow);
	shadow_destroy(shadow);
	return (double)histogram_quantile(&ns, 0.5) / 10;
}

static const uint32_t mapped_by[] = { 0, 1, BENCH_VCPUS };

void bench_invalidations(struct bench *bench, struct bench_figures *figures)
{
	puts("\none page invalidated, nobody reading; ns, wall, p50 of batches of 64");
	printf("%-8s %9s %9s %9s\n", "scheme", "mapped_by", "page_ns", "pair_ns");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (size_t m = 0; m < sizeof(mapped_by) / sizeof(mapped_by[0]); m++) {
			double page = measure(bench, reclaim_schemes[s], mapped_by[m], by_page);
			double pair = measure(bench, reclaim_schemes[s], mapped_by[m], by_pair);

			if (mapped_by[m] == 0) {
				figures->page_ns[s] = page;
				figures->pair_ns[s] = pair;
			}
			printf("%-8s %9u %9.1f %9.1f\n", reclaim_schemes[s]->name, mapped_by[m], page,
			       pair);
		}
}
