// SPDX-License-Identifier: MIT
/*
 * histogram_texts_follow_their_tools_test.c - .hgrm files and cyclictest's histogram
 * text, to the letter where other programs read them.
 */
#include <stdlib.h>
#include <string.h>

#include "results_fixture.h"
#include "unit_test.h"

/* Four values; the levels are those of five ticks a half distance. */
static void an_hgrm_file_is_written_to_the_letter(void **state)
{
	static struct histogram histogram;
	char *text;

	(void)state;
	histogram_init(&histogram);
	histogram_record(&histogram, 100);
	histogram_record(&histogram, 100);
	histogram_record(&histogram, 200);
	histogram_record(&histogram, 250);
	text = hgrm_text(&histogram);
	assert_non_null(text);
	assert_string_equal(text,
		"       Value     Percentile TotalCount 1/(1-Percentile)\n"
		"\n"
		"       0.100 0.000000000000          2           1.00\n"
		"       0.100 0.100000000000          2           1.11\n"
		"       0.100 0.200000000000          2           1.25\n"
		"       0.100 0.300000000000          2           1.43\n"
		"       0.100 0.400000000000          2           1.67\n"
		"       0.100 0.500000000000          2           2.00\n"
		"       0.200 0.550000000000          3           2.22\n"
		"       0.200 0.600000000000          3           2.50\n"
		"       0.200 0.650000000000          3           2.86\n"
		"       0.200 0.700000000000          3           3.33\n"
		"       0.200 0.750000000000          3           4.00\n"
		"       0.250 0.775000000000          4           4.44\n"
		"       0.250 1.000000000000          4\n"
		"#[Mean    =        0.163, StdDeviation   =        0.065]\n"
		"#[Max     =        0.250, Total count    =            4]\n"
		"#[Buckets =           58, SubBuckets     =          128]\n");
	free(text);
}

/* Of every bucket, the first one too, and of nothing that stands after the last one. */
static void the_deviation_is_of_all_values(void **state)
{
	static struct {
		struct histogram histogram;
		uint64_t after;
	} padded = { .after = 1 };
	char *text;

	(void)state;
	histogram_init(&padded.histogram);
	histogram_record(&padded.histogram, 0);
	histogram_record(&padded.histogram, 100);
	text = hgrm_text(&padded.histogram);
	assert_non_null(text);
	assert_non_null(strstr(text, "StdDeviation   =        0.050]"));
	free(text);
}

static void an_empty_one_has_a_head_and_a_foot(void **state)
{
	static struct histogram histogram;
	char *text;

	(void)state;
	histogram_init(&histogram);
	text = hgrm_text(&histogram);
	assert_non_null(text);
	assert_string_equal(text,
		"       Value     Percentile TotalCount 1/(1-Percentile)\n"
		"\n"
		"#[Mean    =        0.000, StdDeviation   =        0.000]\n"
		"#[Max     =        0.000, Total count    =            0]\n"
		"#[Buckets =           58, SubBuckets     =          128]\n");
	free(text);
}

/* Values and counts never go back, and the last line has all. */
static void an_hgrm_file_climbs_to_the_maximum(void **state)
{
	static struct histogram histogram;
	double last_value = 0.0, last_level = -1.0, value, level;
	unsigned long long last_count = 0, count;
	char *text, *line, *rest;
	uint64_t x = 88172645463325252;
	unsigned lines = 0;

	(void)state;
	histogram_init(&histogram);
	for (int i = 0; i < 100000; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		histogram_record(&histogram, x >> (x & 63));
	}
	text = hgrm_text(&histogram);
	assert_non_null(text);
	strtok_r(text, "\n", &rest);
	while ((line = strtok_r(NULL, "\n", &rest)) != NULL && line[0] != '#') {
		assert_true(sscanf(line, "%lf %lf %llu", &value, &level, &count) == 3);
		assert_true(value >= last_value && level > last_level && count >= last_count);
		/* At least that share of the values is not above. */
		assert_true((double)count >= level * 100000 * (1 - 1e-9));
		last_value = value, last_level = level, last_count = count;
		lines++;
	}
	assert_true(last_level == 1.0);
	assert_int_equal(last_count, 100000);
	assert_in_range(lines, 40, 200);
	free(text);
}

static void cyclictests_text_is_written_to_the_letter(void **state)
{
	struct run_results *run = fixture_reset();
	struct histogram *first = &run->results[0].stall_ns, *second = &run->results[1].stall_ns;
	char *text;

	(void)state;
	run->result_count = 2;
	histogram_init(first);
	histogram_init(second);
	histogram_record(first, 999);
	histogram_record(first, 3000);
	histogram_record(first, 3010);
	histogram_record(first, 9999990);
	histogram_record(second, 1000);
	histogram_record(second, 10200000);
	histogram_record(second, 70000000);
	text = hist_text(run, FIGURE_STALL);
	assert_non_null(text);
	assert_memory_equal(text,
		"# Histogram\n"
		"# us of stall: ipi sleep\n"
		"000000 000001\t000000\n"
		"000001 000000\t000001\n"
		"000002 000000\t000000\n"
		"000003 000002\t000000\n"
		"000004 000000\t000000\n", 36 + 5 * 21);
	assert_string_equal(strstr(text, "# Total"),
		"# Total: 000000004 000000001\n"
		"# Min Latencies: 00000 00001\n"
		"# Avg Latencies: 02501 26733\n"
		"# Max Latencies: 09999 70000\n"
		"# Histogram Overflows: 00000 00002\n");
	free(text);
}

static void nothing_measured_has_no_row(void **state)
{
	struct run_results *run = fixture_reset();
	char *text;

	(void)state;
	run->result_count = 1;
	histogram_init(&run->results[0].wall_ns);
	text = hist_text(run, FIGURE_WALL);
	assert_non_null(text);
	assert_string_equal(text,
		"# Histogram\n"
		"# us of wall: ipi\n"
		"# Total: 000000000\n"
		"# Min Latencies: 00000\n"
		"# Avg Latencies: 00000\n"
		"# Max Latencies: 00000\n"
		"# Histogram Overflows: 00000\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_hgrm_file_is_written_to_the_letter),
		cmocka_unit_test(the_deviation_is_of_all_values),
		cmocka_unit_test(an_empty_one_has_a_head_and_a_foot),
		cmocka_unit_test(an_hgrm_file_climbs_to_the_maximum),
		cmocka_unit_test(cyclictests_text_is_written_to_the_letter),
		cmocka_unit_test(nothing_measured_has_no_row),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
