// SPDX-License-Identifier: MIT
/*
 * shadow_figures.c - figures of several rounds, and the claims that they are held
 * against (shadow_bench.h).
 *
 * Threads: main.
 */
#include <stdio.h>

#include "shadow_bench.h"

void bench_note(struct bench_series *series, double value)
{
	series->round[series->rounds++] = value;
}

double bench_mean(const struct bench_series *series)
{
	double sum = 0;

	for (uint32_t i = 0; i < series->rounds; i++)
		sum += series->round[i];
	return sum / series->rounds;
}

/* Three digits and more. */
static int digits_behind_the_point(double value)
{
	return value < 10 ? 2 : value < 100 ? 1 : 0;
}

struct bench_text bench_range(const struct bench_series *series)
{
	double least = series->round[0], most = series->round[0];
	struct bench_text range;

	for (uint32_t i = 1; i < series->rounds; i++) {
		double value = series->round[i];

		least = value < least ? value : least;
		most = value > most ? value : most;
	}
	snprintf(range.text, sizeof(range.text), "%.*f-%.*f", digits_behind_the_point(least), least,
		 digits_behind_the_point(most), most);
	return range;
}

static void print_figure(const struct bench_series *series)
{
	double mean = bench_mean(series);

	printf("%.*f", digits_behind_the_point(mean), mean);
	if (series->rounds > 1)
		printf(" (%s)", bench_range(series).text);
}

static const char *verdict(uint32_t holds, uint32_t rounds)
{
	return holds == rounds ? "confirmed" : holds == 0 ? "refuted" : "open";
}

void bench_claim(const char *source, const struct reclaim_ops *scheme, const char *what,
		 const struct bench_series *less, const struct bench_series *more,
		 const char *unit)
{
	uint32_t holds = 0;

	for (uint32_t i = 0; i < less->rounds; i++)
		holds += less->round[i] < more->round[i];
	printf("  %-9s %u of %u  %s: ", verdict(holds, less->rounds), holds, less->rounds, source);
	if (scheme != NULL)
		printf("%s: ", scheme->name);
	printf("%s: ", what);
	print_figure(less);
	printf(" < ");
	print_figure(more);
	printf(" %s\n", unit);
}
