// SPDX-License-Identifier: MIT
/*
 * histogram_text.c - histograms as other tools write them: .hgrm percentile files
 * (HdrHistogram's outputPercentileDistribution) and cyclictest's histogram text.
 *
 * Owns:    nothing beyond a call; the text belongs to the caller.
 * Threads: any; no state.
 * Follows: HdrHistogram, "percentile distribution" with five ticks a half distance;
 *          cyclictest(8), --histogram.
 * Tested:  tests/unit/histogram_texts_follow_their_tools_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "figure.h"

/* Lines between a percentile and the one half as far from 100. */
#define TICKS_A_HALF 5

/* Rows of cyclictest's text, a microsecond each; longer ones are overflows. */
#define HIST_ROWS 10000

/* What a value of @bucket is shown as: as histogram_quantile() does. */
static uint64_t value_of(const struct histogram *histogram, uint32_t bucket)
{
	uint64_t middle = histogram_middle(bucket);

	if (middle < histogram->min)
		return histogram->min;
	return middle > histogram->max ? histogram->max : middle;
}

static double mean_of(const struct histogram *histogram)
{
	return histogram->count == 0 ? 0.0 : (double)histogram->sum / (double)histogram->count;
}

static double deviation_of(const struct histogram *histogram)
{
	double mean = mean_of(histogram), squares = 0.0;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double distance = (double)value_of(histogram, i) - mean;

		squares += distance * distance * (double)histogram->buckets[i];
	}
	return histogram->count == 0 ? 0.0 : sqrt(squares / (double)histogram->count);
}

/* The next percentile to show: steps get smaller towards 100. */
static double next_level(double level)
{
	double halves = floor(log2(100.0 / (100.0 - level))) + 1.0;

	return level + 100.0 / (TICKS_A_HALF * exp2(halves));
}

static void line_put(FILE *out, uint64_t value_ns, double level, uint64_t count)
{
	fprintf(out, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", (double)value_ns / 1000.0,
		level / 100.0, count, 100.0 / (100.0 - level));
}

static void percentiles_put(FILE *out, const struct histogram *histogram)
{
	double level = 0.0;
	uint64_t seen = 0;

	for (uint32_t i = 0; seen < histogram->count && i < HISTOGRAM_BUCKETS; i++) {
		double reached;

		if (histogram->buckets[i] == 0)
			continue;
		seen += histogram->buckets[i];
		reached = 100.0 * (double)seen / (double)histogram->count;
		/* The last value has one line, and the one for 100 after it. */
		for (bool first = true; level <= reached && (first || seen < histogram->count);
		     first = false, level = next_level(level))
			line_put(out, value_of(histogram, i), level, seen);
	}
	if (histogram->count != 0)
		fprintf(out, "%12.3f %2.12f %10" PRIu64 "\n", (double)histogram->max / 1000.0, 1.0,
			histogram->count);
}

char *hgrm_text(const struct histogram *histogram)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	if (out == NULL)
		return NULL;
	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
		"1/(1-Percentile)");
	percentiles_put(out, histogram);
	fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean_of(histogram) / 1000.0,
		deviation_of(histogram) / 1000.0);
	fprintf(out, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n",
		(double)histogram->max / 1000.0, histogram->count);
	fprintf(out, "#[Buckets = %12d, SubBuckets     = %12d]\n", 64 - HISTOGRAM_LINEAR_LOG2 + 1,
		1 << HISTOGRAM_LINEAR_LOG2);
	return fclose(out) == 0 ? text : NULL;
}

/* --- cyclictest's ------------------------------------------------------------ */

/* Counts by microsecond, of one protocol. */
struct column {
	uint64_t rows[HIST_ROWS];
	uint64_t overflows;
};

static void column_fill(struct column *column, const struct histogram *histogram)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t us = value_of(histogram, i) / 1000;

		if (histogram->buckets[i] != 0 && us < HIST_ROWS)
			column->rows[us] += histogram->buckets[i];
		else
			column->overflows += histogram->buckets[i];
	}
}

static uint32_t rows_used(const struct column *columns, uint32_t count)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < count; i++)
		for (uint32_t row = used; row < HIST_ROWS; row++)
			if (columns[i].rows[row] != 0)
				used = row + 1;
	return used;
}

static void rows_put(FILE *out, const struct column *columns, uint32_t count)
{
	uint32_t used = rows_used(columns, count);

	for (uint32_t row = 0; row < used; row++) {
		fprintf(out, "%06" PRIu32 " ", row);
		for (uint32_t i = 0; i < count; i++)
			fprintf(out, "%06" PRIu64 "%c", columns[i].rows[row],
				i + 1 < count ? '\t' : '\n');
	}
}

/* What stands below the rows, a value a column. */
static void sums_put(FILE *out, const struct run_results *run, enum figure_times times,
		     const struct column *columns)
{
	static const char *const heads[] = {
		"Total", "Min Latencies", "Avg Latencies", "Max Latencies", "Histogram Overflows",
	};

	for (size_t head = 0; head < sizeof(heads) / sizeof(heads[0]); head++) {
		fprintf(out, "# %s:", heads[head]);
		for (uint32_t i = 0; i < run->result_count; i++) {
			const struct histogram *histogram = figure_times(&run->results[i], times);
			const uint64_t values[] = {
				histogram->count - columns[i].overflows,
				histogram->count == 0 ? 0 : histogram->min / 1000,
				(uint64_t)(mean_of(histogram) / 1000.0), histogram->max / 1000,
				columns[i].overflows,
			};

			fprintf(out, head == 0 ? " %09" PRIu64 : " %05" PRIu64, values[head]);
		}
		putc('\n', out);
	}
}

/*
 * Bytes that hold it all: a name or a number of at most 20 digits a column and line, and
 * what stands at its beginning. A stream that grows beyond malloc()'s heap would be moved
 * by mremap(), which the filters do not allow.
 */
static size_t room_of(const struct column *columns, uint32_t count)
{
	size_t lines = rows_used(columns, count) + 8;

	return lines * (32 + (size_t)count * 24);
}

static void hist_put(FILE *out, const struct run_results *run, enum figure_times times,
		     const struct column *columns)
{
	fprintf(out, "# Histogram\n# us of %s:", figure_times_name(times));
	for (uint32_t i = 0; i < run->result_count; i++)
		fprintf(out, " %s", protocol_name(run->results[i].protocol));
	putc('\n', out);
	rows_put(out, columns, run->result_count);
	sums_put(out, run, times, columns);
}

char *hist_text(const struct run_results *run, enum figure_times times)
{
	struct column *columns = calloc(run->result_count, sizeof(*columns));
	size_t room = 0;
	char *text = NULL;
	FILE *out = NULL;

	for (uint32_t i = 0; columns != NULL && i < run->result_count; i++)
		column_fill(&columns[i], figure_times(&run->results[i], times));
	if (columns != NULL) {
		room = room_of(columns, run->result_count);
		text = malloc(room);
	}
	if (text != NULL)
		out = fmemopen(text, room, "w");
	if (out != NULL)
		hist_put(out, run, times, columns);
	free(columns);
	if (out != NULL && fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
