// SPDX-License-Identifier: MIT
/*
 * figure_key.c - the name of a measured time on the command line (figure_key.h).
 *
 * Tested: tests/unit/options_are_checked_test.c
 */
#include "figure_key.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "protocol_list.h"
#include "value.h"

static const char *const g_times[] = {
	[FIGURE_WALL] = "wall",
	[FIGURE_STALL] = "stall",
	[FIGURE_SWITCH] = "switch",
	[FIGURE_FLOOR] = "floor",
	[FIGURE_PTE] = "pte",
};

static const char *const g_quantiles[] = {
	[FIGURE_P50] = "p50",
	[FIGURE_P90] = "p90",
	[FIGURE_P99] = "p99",
	[FIGURE_P995] = "p995",
	[FIGURE_P999] = "p999",
	[FIGURE_MAX] = "max",
};

static const struct { double share; uint64_t least; } g_shares[] = {
	[FIGURE_P50] = { 0.5, 2 },
	[FIGURE_P90] = { 0.9, 10 },
	[FIGURE_P99] = { 0.99, 100 },
	[FIGURE_P995] = { 0.995, 200 },
	[FIGURE_P999] = { 0.999, 1000 },
	[FIGURE_MAX] = { 1.0, 1 },
};

const char *figure_times_name(enum figure_times times)
{
	assert((unsigned int)times < FIGURE_TIMES);
	return g_times[times];
}

const char *figure_quantile_name(enum figure_quantile quantile)
{
	assert((unsigned int)quantile < FIGURE_QUANTILES);
	return g_quantiles[quantile];
}

double figure_quantile_share(enum figure_quantile quantile)
{
	assert((unsigned int)quantile < FIGURE_QUANTILES);
	return g_shares[quantile].share;
}

uint64_t figure_quantile_least(enum figure_quantile quantile)
{
	assert((unsigned int)quantile < FIGURE_QUANTILES);
	return g_shares[quantile].least;
}

const char *figure_key_read(const char *text, size_t bytes, struct figure_key *key)
{
	static const struct value_names times = VALUE_NAMES(g_times);
	static const struct value_names quantiles = VALUE_NAMES(g_quantiles);
	const char *colon = memchr(text, ':', bytes);
	const char *dot = memchr(text, '.', bytes), *end = text + bytes;
	uint32_t time, quantile;

	if (colon == NULL || dot == NULL || dot < colon)
		return "must be as generation:stall.p99";
	if (protocol_read(text, (size_t)(colon - text), &key->protocol))
		return "unknown protocol (see --list-protocols)";
	if (value_read_name(colon + 1, (size_t)(dot - colon - 1), &times, &time))
		return "unknown time; one of wall, stall, floor, pte, switch";
	if (value_read_name(dot + 1, (size_t)(end - dot - 1), &quantiles, &quantile))
		return "unknown quantile; one of p50, p90, p99, p995, p999, max";
	key->times = (enum figure_times)time;
	key->quantile = (enum figure_quantile)quantile;
	return NULL;
}

const char *figure_limit_read(const char *text, size_t bytes, struct figure_limit *limit)
{
	const char *equals = memchr(text, '=', bytes);
	const char *complaint;

	if (equals == NULL)
		return "must be as generation:stall.p99=200us";
	complaint = figure_key_read(text, (size_t)(equals - text), &limit->key);
	if (complaint != NULL)
		return complaint;
	if (value_read_ns(equals + 1, (size_t)(text + bytes - equals - 1), &limit->limit_ns))
		return "the limit must be a time up to 1000s, in ns, us, ms or s";
	return NULL;
}

void figure_key_text(char out[FIGURE_KEY_BYTES], const struct figure_key *key)
{
	snprintf(out, FIGURE_KEY_BYTES, "%s:%s.%s", protocol_name(key->protocol),
		 figure_times_name(key->times), figure_quantile_name(key->quantile));
}
