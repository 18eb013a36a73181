// SPDX-License-Identifier: MIT
/*
 * histogram.c - counts of 64-bit values in log-linear buckets.
 *
 * Owns:    nothing; the caller holds the struct.
 * Threads: one owner at a time.
 * Tested:  tests/unit/histogram_error_is_bounded_test.c
 *
 * Bucket layout: below 2 * LINEAR a value is its own bucket. Above, a value
 * keeps its top HISTOGRAM_LINEAR_LOG2 + 1 bits, and @shift counts those lost:
 * bucket = shift * LINEAR + (value >> shift), which is without gaps because
 * value >> shift lies in [LINEAR, 2 * LINEAR).
 */
#include "histogram.h"

#include <float.h>
#include <stddef.h>
#include <string.h>

#include "count.h"

#define LINEAR (UINT32_C(1) << HISTOGRAM_LINEAR_LOG2)

void histogram_init(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
	histogram->min = UINT64_MAX;
}

uint32_t histogram_bucket(uint64_t value)
{
	uint32_t shift;

	if (value < LINEAR)
		return (uint32_t)value;
	shift = 63u - (uint32_t)__builtin_clzll(value) - HISTOGRAM_LINEAR_LOG2;
	return shift * LINEAR + (uint32_t)(value >> shift);
}

uint64_t histogram_middle(uint32_t bucket)
{
	uint32_t shift;

	if (bucket < 2 * LINEAR)
		return bucket;
	shift = bucket / LINEAR - 1;
	return ((uint64_t)(LINEAR + bucket % LINEAR) << shift) + (UINT64_C(1) << (shift - 1));
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	(void)count_add(&histogram->sum, value);
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->buckets[histogram_bucket(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	(void)count_add(&into->sum, from->sum);
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

/* ceil(quantile * count). A quantile meant as 0.07 is stored as a little more,
 * and 0.07 * 100 is a little above 7. A few units in the last place are
 * therefore ignored, or the rank would be 8. That also keeps the product
 * below 2^64. */
static uint64_t nearest_rank(double quantile, uint64_t count)
{
	double exact = quantile * (double)count * (1.0 - 4.0 * DBL_EPSILON);
	uint64_t rank = (uint64_t)exact;

	return (double)rank < exact ? rank + 1 : rank;
}

uint64_t histogram_quantile(const struct histogram *histogram, double quantile)
{
	uint64_t rank = nearest_rank(quantile, histogram->count);
	uint64_t seen = 0;
	uint64_t middle;
	uint32_t bucket = 0;

	if (histogram->count == 0)
		return 0;
	/* The first and the last value are known exactly. */
	if (rank <= 1)
		return histogram->min;
	if (rank >= histogram->count || quantile >= 1.0)
		return histogram->max;
	/* All buckets together have the count, and the rank is below that. */
	while (seen < rank)
		seen += histogram->buckets[bucket++];
	middle = histogram_middle(bucket - 1);
	if (middle < histogram->min)
		return histogram->min;
	return middle > histogram->max ? histogram->max : middle;
}
