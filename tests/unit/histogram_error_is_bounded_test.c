// SPDX-License-Identifier: MIT
/*
 * histogram_error_is_bounded_test.c - what is read back is within 1/128 of
 * what was recorded, for single values, quantiles and merged histograms.
 */
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "unit_test.h"

#define SAMPLES 10007           /* prime: ranks fall between round quantiles */

static struct histogram g_histogram, g_other, g_whole;

static uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void assert_close(uint64_t got, uint64_t exact)
{
	uint64_t error = got > exact ? got - exact : exact - got;

	if (exact < 256)
		assert_int_equal(error, 0);
	assert_true(error <= exact / 128);
}

static void check_value(uint64_t value)
{
	uint32_t bucket = histogram_bucket(value);

	assert_in_range(bucket, 0, HISTOGRAM_BUCKETS - 1);
	assert_close(histogram_middle(bucket), value);
	assert_int_equal(histogram_bucket(histogram_middle(bucket)), bucket);
}

static void values_come_back_at_powers_of_two(void **state)
{
	(void)state;
	check_value(0);
	check_value(UINT64_MAX);
	for (int log2 = 0; log2 < 64; log2++) {
		uint64_t power = UINT64_C(1) << log2;

		check_value(power - 1);
		check_value(power);
		check_value(power + 1);
		check_value(power + power / 2);
	}
	assert_int_equal(histogram_bucket(UINT64_MAX), HISTOGRAM_BUCKETS - 1);
}

static void buckets_are_in_order_and_without_gaps(void **state)
{
	(void)state;
	for (uint32_t bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
		assert_int_equal(histogram_bucket(histogram_middle(bucket)), bucket);
		if (bucket > 0)
			assert_true(histogram_middle(bucket) > histogram_middle(bucket - 1));
	}
	/* The first value above a bucket lies in the next one. */
	for (uint32_t shift = 1; shift <= 56; shift++)
		for (uint64_t top = 128; top < 255; top++) {
			uint64_t next = (top + 1) << shift;

			assert_int_equal(histogram_bucket(next), histogram_bucket(next - 1) + 1);
		}
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Nearest rank in integers: @ppm millionths of @count, rounded up. */
static uint64_t exact_quantile(const uint64_t *sorted, uint64_t count, uint64_t ppm)
{
	uint64_t rank = (ppm * count + 999999) / 1000000;

	return sorted[rank > 0 ? rank - 1 : 0];
}

static void check_quantiles(uint64_t *values, uint64_t count)
{
	static const uint64_t ppm[] = {
		0, 1, 10000, 70000, 140000, 290000, 500000, 570000, 900000, 990000, 995000,
		999000, 999900, 999999, 1000000,
	};

	histogram_init(&g_histogram);
	for (uint64_t i = 0; i < count; i++)
		histogram_record(&g_histogram, values[i]);
	qsort(values, count, sizeof(values[0]), compare);
	for (size_t i = 0; i < COUNT_OF(ppm); i++) {
		double quantile = (double)ppm[i] / 1e6;

		assert_close(histogram_quantile(&g_histogram, quantile),
			     exact_quantile(values, count, ppm[i]));
	}
	assert_int_equal(histogram_quantile(&g_histogram, 0.0), values[0]);
	assert_int_equal(histogram_quantile(&g_histogram, 1.0), values[count - 1]);
}

static void quantiles_follow_the_sorted_samples(void **state)
{
	static const uint64_t counts[] = { 1, 2, 3, 7, 99, 100, 101, 1000, SAMPLES };
	static uint64_t values[SAMPLES];
	uint64_t seed = 88172645463325252u;

	(void)state;
	/* Narrow and wide: values of up to 1, 9, 17, ... 64 bits. */
	for (int bits = 1; bits <= 64; bits += bits < 57 ? 8 : 7)
		for (size_t c = 0; c < COUNT_OF(counts); c++) {
			for (uint64_t i = 0; i < counts[c]; i++)
				values[i] = random_next(&seed) >> (64 - bits);
			check_quantiles(values, counts[c]);
		}
}

/* 1 to 100 are exact, so each percentile is its own number, also where the
 * product of the doubles falls just above it (0.07, 0.14, 0.29, 0.57). */
static void percentiles_of_a_hundred_are_themselves(void **state)
{
	(void)state;
	histogram_init(&g_histogram);
	for (uint64_t value = 1; value <= 100; value++)
		histogram_record(&g_histogram, value);
	for (uint64_t percent = 1; percent <= 100; percent++)
		assert_int_equal(histogram_quantile(&g_histogram, (double)percent / 100.0), percent);
}

static void extremes_are_exact(void **state)
{
	(void)state;
	histogram_init(&g_histogram);
	assert_int_equal(histogram_quantile(&g_histogram, 0.0), 0);
	assert_int_equal(histogram_quantile(&g_histogram, 0.5), 0);
	assert_int_equal(histogram_quantile(&g_histogram, 1.0), 0);
	assert_int_equal(g_histogram.min, UINT64_MAX);

	histogram_record(&g_histogram, UINT64_MAX);
	assert_int_equal(histogram_quantile(&g_histogram, 0.5), UINT64_MAX);
	histogram_record(&g_histogram, 1000003);
	histogram_record(&g_histogram, 0);
	assert_int_equal(histogram_quantile(&g_histogram, 0.0), 0);
	assert_close(histogram_quantile(&g_histogram, 0.5), 1000003);
	assert_int_equal(histogram_quantile(&g_histogram, 1.0), UINT64_MAX);
	assert_int_equal(g_histogram.count, 3);
}

/* Whichever quantile leads to it: its bucket's middle is 1001472. */
static void the_last_value_is_exact(void **state)
{
	(void)state;
	histogram_init(&g_histogram);
	for (uint64_t value = 1; value < 100; value++)
		histogram_record(&g_histogram, value);
	histogram_record(&g_histogram, 1003000);
	assert_int_equal(histogram_quantile(&g_histogram, 0.99), 99);
	assert_int_equal(histogram_quantile(&g_histogram, 0.999), 1003000);
	assert_int_equal(histogram_quantile(&g_histogram, 1.0), 1003000);
}

/* A bucket's middle must not leave the range of what was recorded. */
static void quantiles_stay_between_min_and_max(void **state)
{
	(void)state;
	histogram_init(&g_histogram);
	for (int i = 0; i < 3; i++)
		histogram_record(&g_histogram, 1 << 20);
	assert_int_equal(histogram_quantile(&g_histogram, 0.5), 1 << 20);
	histogram_init(&g_histogram);
	for (int i = 0; i < 3; i++)
		histogram_record(&g_histogram, (1 << 20) - 1);
	assert_int_equal(histogram_quantile(&g_histogram, 0.5), (1 << 20) - 1);
}

static void counts_beyond_a_double_keep_their_ends(void **state)
{
	(void)state;
	histogram_init(&g_histogram);
	histogram_record(&g_histogram, 5);
	histogram_record(&g_histogram, 7);
	g_histogram.count = UINT64_MAX;
	g_histogram.buckets[5] = UINT64_MAX - 1;
	assert_int_equal(histogram_quantile(&g_histogram, 0.0), 5);
	assert_int_equal(histogram_quantile(&g_histogram, 0.999), 5);
	assert_int_equal(histogram_quantile(&g_histogram, 1.0), 7);
}

static void merging_equals_recording_all(void **state)
{
	uint64_t seed = 1;

	(void)state;
	histogram_init(&g_histogram);
	histogram_init(&g_other);
	histogram_init(&g_whole);
	for (int i = 0; i < SAMPLES; i++) {
		uint64_t value = random_next(&seed) >> (i % 64);

		histogram_record(i % 3 ? &g_histogram : &g_other, value);
		histogram_record(&g_whole, value);
	}
	histogram_merge(&g_histogram, &g_other);
	assert_memory_equal(&g_histogram, &g_whole, sizeof(g_whole));
	/* An empty one changes nothing, whichever side it is on. */
	histogram_init(&g_other);
	histogram_merge(&g_histogram, &g_other);
	assert_memory_equal(&g_histogram, &g_whole, sizeof(g_whole));
	histogram_merge(&g_other, &g_whole);
	assert_memory_equal(&g_other, &g_whole, sizeof(g_whole));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_at_powers_of_two),
		cmocka_unit_test(buckets_are_in_order_and_without_gaps),
		cmocka_unit_test(quantiles_follow_the_sorted_samples),
		cmocka_unit_test(percentiles_of_a_hundred_are_themselves),
		cmocka_unit_test(extremes_are_exact),
		cmocka_unit_test(the_last_value_is_exact),
		cmocka_unit_test(quantiles_stay_between_min_and_max),
		cmocka_unit_test(counts_beyond_a_double_keep_their_ends),
		cmocka_unit_test(merging_equals_recording_all),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
