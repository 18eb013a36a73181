/* SPDX-License-Identifier: MIT */
/*
 * figure_key.h - the name of a measured time on the command line:
 * PROTOCOL:TIME.QUANTILE, as in generation:stall.p99.
 *
 * Pure; any thread.
 * Tested: tests/unit/options_are_checked_test.c
 */
#ifndef FIGURE_KEY_H
#define FIGURE_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "protocols.h"

/* The distributions of a protocol's result. */
enum figure_times {
	FIGURE_WALL,
	FIGURE_STALL,
	FIGURE_SWITCH,
	FIGURE_FLOOR,
	FIGURE_PTE,
	FIGURE_TIMES
};

/* The first ones have histogram files of their own: wall, stall and switch. */
#define FIGURE_FILES 3

/* Those that are reported of each. */
enum figure_quantile {
	FIGURE_P50,
	FIGURE_P90,
	FIGURE_P99,
	FIGURE_P995,
	FIGURE_P999,
	FIGURE_MAX,
	FIGURE_QUANTILES
};

struct figure_key {
	enum sd_protocol protocol;
	enum figure_times times;
	enum figure_quantile quantile;
};

/* A key and what it may be at most. */
struct figure_limit {
	struct figure_key key;
	uint64_t limit_ns;
};

/* Room for the longest name, with its zero. */
#define FIGURE_KEY_BYTES 64

/**
 * figure_key_read - the name of @bytes at @text; figure_limit_read - the same, then '='
 * and a time, as in generation:stall.p99=200us.
 *
 * Returns: NULL, or what is wrong with it: a few words without the name.
 */
__attribute__((warn_unused_result))
const char *figure_key_read(const char *text, size_t bytes, struct figure_key *key);
__attribute__((warn_unused_result))
const char *figure_limit_read(const char *text, size_t bytes, struct figure_limit *limit);

/* figure_key_text - the name again, terminated. */
void figure_key_text(char out[FIGURE_KEY_BYTES], const struct figure_key *key);

/* figure_times_name, figure_quantile_name - one word of it; figure_quantile_share - the
 * share of values that it is not below, 0 to 1; figure_quantile_least - the samples that
 * it takes: so many that one of them is expected above it. Of fewer it would be their
 * maximum under another name. */
const char *figure_times_name(enum figure_times times);
const char *figure_quantile_name(enum figure_quantile quantile);
double figure_quantile_share(enum figure_quantile quantile);
uint64_t figure_quantile_least(enum figure_quantile quantile);

#endif
