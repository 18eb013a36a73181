/* SPDX-License-Identifier: MIT */
/*
 * histogram.h - counts of 64-bit values in log-linear buckets.
 *
 * 128 linear buckets per power of two: a value read back differs from the one
 * recorded by at most 1/128 (0.8 %), and not at all below 256. No value
 * overflows. 58 KiB.
 * Threads: one owner at a time.
 * Tested: tests/unit/histogram_error_is_bounded_test.c
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_LINEAR_LOG2 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_LINEAR_LOG2 + 1) << HISTOGRAM_LINEAR_LOG2)

struct histogram {
	uint64_t count;                 /* values recorded */
	uint64_t sum;                   /* of the values; UINT64_MAX at most */
	uint64_t min;                   /* exact; UINT64_MAX when empty */
	uint64_t max;                   /* exact; 0 when empty */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* histogram_init - empty; histogram_record - count @value once; histogram_merge - count
 * what @from has counted. */
void histogram_init(struct histogram *histogram);
void histogram_record(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/**
 * histogram_quantile - the value that a share @quantile of all values does not
 * exceed, by the nearest-rank rule (rank = ceil(quantile * count)).
 *
 * Shape:   0 <= quantile <= 1; 0 gives the exact minimum, 1 the exact maximum.
 * Returns: the middle of the bucket, clamped to [min, max]; 0 when empty.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double quantile);

/* histogram_bucket - index of @value's bucket; histogram_middle - back again. */
uint32_t histogram_bucket(uint64_t value);
uint64_t histogram_middle(uint32_t bucket);

#endif
