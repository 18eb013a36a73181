/* SPDX-License-Identifier: MIT */
/*
 * figure.h - figures derived from results, and figures as short text: what
 * the table and the JSON both show.
 *
 * Pure. Tested: tests/unit/figures_keep_three_digits_test.c (text) and
 * tests/unit/summary_has_the_promised_shape_test.c (derived figures)
 */
#ifndef FIGURE_H
#define FIGURE_H

#include <stdint.h>

#include "results.h"

/* Derived figures; each is 0 when nothing was measured. */

/* figure_flushes_per_s - recorded flushes over the time of recording, in 1/s, all
 * rounds; figure_round_per_s - the same of one round. */
double figure_flushes_per_s(const struct protocol_result *result);
double figure_round_per_s(const struct round_figure *round);

/* figure_per_flush - @events over the recorded flushes, without unit. */
double figure_per_flush(const struct protocol_result *result, uint64_t events);

/* figure_bad_walks - page-table walks that met a freed table, poisoned or in use again;
 * UINT64_MAX stands for more. */
uint64_t figure_bad_walks(const struct protocol_result *result);

/* figure_taken_pct - share of the slots' CPU time that went elsewhere, in percent. */
double figure_taken_pct(const struct protocol_result *result);

/* figure_times - the distribution of @result that @times names. */
const struct histogram *figure_times(const struct protocol_result *result,
				     enum figure_times times);

/**
 * figure_quantile_ns - the value of @quantile of @times_ns.
 *
 * Returns: false where there are fewer samples than figure_quantile_least(): it was not
 *          measured, and *value_ns is 0.
 */
bool figure_quantile_ns(const struct histogram *times_ns, enum figure_quantile quantile,
			uint64_t *value_ns);

/* figure_value_ns - the same of @key in @run. *samples: how many there are. */
bool figure_value_ns(const struct run_results *run, const struct figure_key *key,
		     uint64_t *value_ns, uint64_t *samples);

struct figure_text {
	char text[16];
};

/**
 * figure_time, figure_count, figure_ratio - at most six, five and five
 * characters: three digits and a unit or an SI prefix.
 *
 * Units:   @ns nanoseconds, shown as ns, us, ms, s ("8.05ms", "812ns").
 * Shape:   counts below 10000 are exact ("9999", "1.90G"); a ratio of 0 is
 *          "0", one too small to show "<.01". @ratio is finite and not negative.
 */
struct figure_text figure_time(uint64_t ns);
struct figure_text figure_count(uint64_t count);
struct figure_text figure_ratio(double ratio);

/* figure_quantile - as figure_time(); "-" where it was not measured. */
struct figure_text figure_quantile(const struct histogram *times_ns,
				   enum figure_quantile quantile);

/* figure_below - what KVM runs on, for text: "bare metal" where nothing shows itself. */
const char *figure_below(const struct host_facts *host);

/* figure_kept_on - an emulated host like @host on which an exit keeps translations, as
 * --on names it; NULL where @host is not emulated. */
const char *figure_kept_on(const struct host_facts *host);

/* figure_entry_flush - "steal", "sregs", or "unknown" before it was decided. */
const char *figure_entry_flush(enum entry_flush entry_flush);

/* figure_entry_flush_test - what its test has shown: "tested", "not tested", or "tested:
 * steal failed" where the other way is in use for that. */
const char *figure_entry_flush_test(const struct run_results *run);

#endif
