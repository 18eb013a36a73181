// SPDX-License-Identifier: MIT
/*
 * shadow_invalidations.c - one page invalidated by invalidate_page against the pair
 * around a range of one page; N pages one by one against one range of N.
 *
 * Threads: main alone, so that what is measured is the fixed cost and no wait.
 */
#include <stdio.h>

#include "shadow_bench.h"

#define BATCH 64                        /* pages between two readings of the clock */

typedef void (*invalidate_function)(struct shadow *shadow, uint64_t gpa, uint32_t pages);

static void by_page(struct shadow *shadow, uint64_t gpa, uint32_t pages)
{
	for (uint32_t page = 0; page < pages; page++)
		shadow_invalidate_page(shadow, gpa + page * SD_PAGE_BYTES);
}

static void by_pair(struct shadow *shadow, uint64_t gpa, uint32_t pages)
{
	for (uint32_t page = 0; page < pages; page++) {
		shadow_invalidate_range_start(shadow, gpa + page * SD_PAGE_BYTES, SD_PAGE_BYTES);
		shadow_invalidate_range_end(shadow);
	}
}

static void by_range(struct shadow *shadow, uint64_t gpa, uint32_t pages)
{
	shadow_invalidate_range_start(shadow, gpa, (uint64_t)pages * SD_PAGE_BYTES);
	shadow_invalidate_range_end(shadow);
}

/* All map the same pages: from vCPU 0's first on. */
static void map_all(struct shadow *shadow, uint32_t readers, uint32_t pages)
{
	for (uint32_t vcpu = 0; vcpu < readers; vcpu++)
		for (uint32_t page = 0; page < pages; page++)
			bench_read(shadow, vcpu, bench_gpa(0, page), 8);
}

/* ns a page, p50. A grace period that somebody waits for is long. */
static double measure(struct bench *bench, int scheme, uint32_t readers, uint32_t pages,
		      invalidate_function invalidate)
{
	static struct histogram ns;
	struct shadow *shadow = bench_shadow(bench, reclaim_schemes[scheme], SHADOW_REPLAY);
	uint32_t times = bench_repeat(bench, scheme == BENCH_RCU && readers > 0 ? 20 : 500);
	uint32_t calls = (BATCH + pages - 1) / pages;

	histogram_init(&ns);
	shadow_thread_begin(shadow);
	for (uint32_t n = 0; n < times; n++) {
		uint64_t start_ns;

		map_all(shadow, readers, calls * pages);
		start_ns = clock_ns();
		for (uint32_t call = 0; call < calls; call++)
			invalidate(shadow, bench_gpa(0, call * pages), pages);
		histogram_record(&ns, (clock_ns() - start_ns) * 10 / (calls * pages));
	}
	shadow_thread_end(shadow);
	shadow_destroy(shadow);
	return (double)histogram_quantile(&ns, 0.5) / 10;
}

/* --- one page ---------------------------------------------------------------------------- */

#define MAPPED 3
static const uint32_t mapped_by[MAPPED] = { 0, 1, BENCH_VCPUS };

static struct { struct bench_series page_ns, pair_ns; } one[RECLAIM_SCHEMES][MAPPED];

static void measure_one(struct bench *bench, int scheme, int mapped)
{
	bench_note(&one[scheme][mapped].page_ns,
		   measure(bench, scheme, mapped_by[mapped], 1, by_page));
	bench_note(&one[scheme][mapped].pair_ns,
		   measure(bench, scheme, mapped_by[mapped], 1, by_pair));
}

static void print_one(void)
{
	printf("\none page invalidated, nobody reading; ns, wall, p50 of batches of %d\n", BATCH);
	printf("%-8s %9s %9s %14s %9s %14s\n", "scheme", "mapped_by", "page_ns", "page_range",
	       "pair_ns", "pair_range");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int m = 0; m < MAPPED; m++)
			printf("%-8s %9u %9.1f %14s %9.1f %14s\n", reclaim_schemes[s]->name,
			       mapped_by[m], bench_mean(&one[s][m].page_ns),
			       bench_range(&one[s][m].page_ns).text, bench_mean(&one[s][m].pair_ns),
			       bench_range(&one[s][m].pair_ns).text);
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		bench_claim(BENCH_ARCANGELI, reclaim_schemes[s],
			    "invalidate_page has the smaller fixed cost", &one[s][0].page_ns,
			    &one[s][0].pair_ns, "ns");
}

/* --- several pages ----------------------------------------------------------------------- */

#define COUNTS 4
static const uint32_t counts[COUNTS] = { 1, 8, 64, 512 };

static struct { struct bench_series single_ns, range_ns; } several[RECLAIM_SCHEMES][COUNTS];

static void measure_several(struct bench *bench, int scheme, int count)
{
	bench_note(&several[scheme][count].single_ns,
		   measure(bench, scheme, 1, counts[count], by_page));
	bench_note(&several[scheme][count].range_ns,
		   measure(bench, scheme, 1, counts[count], by_range));
}

static void print_several(void)
{
	puts("\nN pages invalidated singly against one range of N, mapped by one; ns a page, wall");
	printf("%-8s %9s %9s %14s %9s %14s\n", "scheme", "pages", "single_ns", "single_range",
	       "range_ns", "range_range");
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (int c = 0; c < COUNTS; c++)
			printf("%-8s %9u %9.1f %14s %9.1f %14s\n", reclaim_schemes[s]->name,
			       counts[c], bench_mean(&several[s][c].single_ns),
			       bench_range(&several[s][c].single_ns).text,
			       bench_mean(&several[s][c].range_ns),
			       bench_range(&several[s][c].range_ns).text);
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		bench_claim(BENCH_ARCANGELI, reclaim_schemes[s],
			    "a range costs less than its pages singly, 8 pages",
			    &several[s][1].range_ns, &several[s][1].single_ns, "ns a page");
}

void bench_invalidations(struct bench *bench)
{
	for (int s = 0; s < RECLAIM_SCHEMES; s++) {
		for (int m = 0; m < MAPPED; m++)
			measure_one(bench, s, m);
		for (int c = 0; c < COUNTS; c++)
			measure_several(bench, s, c);
	}
}

void bench_invalidations_print(void)
{
	print_one();
	print_several();
}
