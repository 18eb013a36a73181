// SPDX-License-Identifier: MIT
/*
 * quantiles_take_enough_samples_test.c - a quantile is reported only where there are so
 * many samples that it is not just their maximum under another name; with fewer it was not
 * measured, wherever it would be shown.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "figure.h"
#include "results_fixture.h"
#include "unit_test.h"

static const uint64_t g_least[FIGURE_QUANTILES] = {
	[FIGURE_P50] = 2, [FIGURE_P90] = 10, [FIGURE_P99] = 100, [FIGURE_P995] = 200,
	[FIGURE_P999] = 1000, [FIGURE_MAX] = 1,
};

/* The first protocol of the fixture with @count stalls of 5 ms. */
static struct run_results *run_with(uint64_t count)
{
	struct run_results *run = fixture_reset();

	run->result_count = 1;
	histogram_init(&run->results[0].stall_ns);
	for (uint64_t i = 0; i < count; i++)
		histogram_record(&run->results[0].stall_ns, 5000000);
	return run;
}

static bool is_measured(uint64_t count, enum figure_quantile quantile)
{
	uint64_t value_ns = 7;
	bool measured = figure_quantile_ns(&run_with(count)->results[0].stall_ns, quantile,
					   &value_ns);

	assert_int_equal(value_ns, measured ? 5000000 : 0);
	return measured;
}

static void the_least_number_is_enough(void **state)
{
	(void)state;
	for (enum figure_quantile i = 0; i < FIGURE_QUANTILES; i++) {
		assert_int_equal(figure_quantile_least(i), g_least[i]);
		assert_true(is_measured(g_least[i], i));
		assert_true(is_measured(g_least[i] + 1, i));
		assert_false(is_measured(g_least[i] - 1, i));
		assert_false(is_measured(0, i));
	}
}

/* "n per-s wall-p50 stall-p50 stall-p99 stall-p99.9 stall-max": the last four. */
static void row_has(uint64_t count, const char *p50, const char *p99, const char *p999,
		    const char *max)
{
	char *text = NULL, found[4][16];
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	table_print(out, run_with(count));
	fclose(out);
	assert_int_equal(sscanf(strstr(text, "\nipi "), "\nipi %*s %*s %*s %15s %15s %15s %15s",
				found[0], found[1], found[2], found[3]), 4);
	assert_string_equal(found[0], p50);
	assert_string_equal(found[1], p99);
	assert_string_equal(found[2], p999);
	assert_string_equal(found[3], max);
	free(text);
}

static void the_table_has_a_dash(void **state)
{
	(void)state;
	row_has(0, "-", "-", "-", "-");
	row_has(1, "-", "-", "-", "5.00ms");
	row_has(2, "5.00ms", "-", "-", "5.00ms");
	row_has(99, "5.00ms", "-", "-", "5.00ms");
	row_has(100, "5.00ms", "5.00ms", "-", "5.00ms");
	row_has(999, "5.00ms", "5.00ms", "-", "5.00ms");
	row_has(1000, "5.00ms", "5.00ms", "5.00ms", "5.00ms");
}

static void the_summary_has_a_null(void **state)
{
	static const uint64_t counts[] = { 0, 1, 2, 9, 10, 99, 100, 199, 200, 999, 1000 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(counts); i++) {
		char *text = summary_text(run_with(counts[i]));
		json_t *summary = json_loads(text, 0, NULL);
		const json_t *times = json_object_get(json_array_get(
			json_object_get(summary, "protocols"), 0), "stall_ns");

		assert_int_equal(json_integer_value(json_object_get(times, "samples")), counts[i]);
		for (enum figure_quantile q = 0; q < FIGURE_QUANTILES; q++) {
			const json_t *value = json_object_get(times, figure_quantile_name(q));

			if (counts[i] >= g_least[q])
				assert_int_equal(json_integer_value(value), 5000000);
			else
				assert_true(json_is_null(value));
		}
		json_decref(summary);
		free(text);
	}
}

/* What --fail-over says of @count samples under a limit that they would keep. */
static enum exit_status status_with(uint64_t count, char *said, size_t bytes)
{
	struct run_results *run = run_with(count);
	FILE *messages = fmemopen(said, bytes, "w");
	enum exit_status status;

	assert_non_null(messages);
	said[0] = '\0';
	g_fixture.options.fail_over[0] = (struct figure_limit){
		{ SD_PROTOCOL_ipi, FIGURE_STALL, FIGURE_P99 }, 6000000 };
	g_fixture.options.fail_over_count = 1;
	status = thresholds_of(run, messages);
	fclose(messages);
	return status;
}

static void a_limit_is_not_held_by_too_few(void **state)
{
	char said[256];

	(void)state;
	assert_int_equal(status_with(99, said, sizeof(said)), EXIT_THRESHOLD);
	assert_string_equal(said, "ipi:stall.p99: not measured (99 samples, it takes 100), "
			    "so nothing shows that it keeps below 6000000 ns\n");
	assert_int_equal(status_with(1, said, sizeof(said)), EXIT_THRESHOLD);
	assert_non_null(strstr(said, "(1 sample, it takes 100)"));
	assert_int_equal(status_with(0, said, sizeof(said)), EXIT_THRESHOLD);
	assert_string_equal(said, "ipi:stall.p99: not measured, "
			    "so nothing shows that it keeps below 6000000 ns\n");
	assert_int_equal(status_with(100, said, sizeof(said)), EXIT_OK);
	assert_string_equal(said, "");
}

static void a_printed_figure_is_a_dash(void **state)
{
	static const struct figure_key keys[] = {
		{ SD_PROTOCOL_ipi, FIGURE_STALL, FIGURE_P99 },
		{ SD_PROTOCOL_ipi, FIGURE_STALL, FIGURE_P90 },
		{ SD_PROTOCOL_ipi, FIGURE_STALL, FIGURE_MAX },
	};
	struct run_results *run = run_with(99);
	char said[256];
	FILE *out = fmemopen(said, sizeof(said), "w");

	(void)state;
	assert_non_null(out);
	memcpy(g_fixture.options.print, keys, sizeof(keys));
	g_fixture.options.print_count = COUNT_OF(keys);
	print_figures(out, run);
	fclose(out);
	assert_string_equal(said, "-\n5000000\n5000000\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_number_is_enough),
		cmocka_unit_test(the_table_has_a_dash),
		cmocka_unit_test(the_summary_has_a_null),
		cmocka_unit_test(a_limit_is_not_held_by_too_few),
		cmocka_unit_test(a_printed_figure_is_a_dash),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
