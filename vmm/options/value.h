/* SPDX-License-Identifier: MIT */
/*
 * value.h - strict readers for the values of options.
 *
 * No sign, no blank, no rest after the value. Pure; any thread.
 * Tested: tests/unit/options_are_checked_test.c; names also
 *         tests/unit/protocol_list_keeps_its_order_test.c
 */
#ifndef VALUE_H
#define VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "cpus.h"

/**
 * value_read_u64 - a decimal number.
 *
 * Errors: -EINVAL when @text is no whole number, -ERANGE above UINT64_MAX.
 *         *value is written on success only, as in all readers here.
 */
__attribute__((warn_unused_result))
int value_read_u64(const char *text, uint64_t *value);

/* value_read_seed - the same, or hexadecimal after 0x. */
__attribute__((warn_unused_result))
int value_read_seed(const char *text, uint64_t *value);

/* value_read_decimal - digits with at most one point, no exponent. -EINVAL. */
__attribute__((warn_unused_result))
int value_read_decimal(const char *text, double *value);

#define VALUE_MAX_NS 1e12

/**
 * value_read_ns - a decimal and its unit, ns, us, ms or s, with nothing between: the
 * @bytes at @text, in nanoseconds, rounded.
 *
 * Errors: -EINVAL; -ERANGE above VALUE_MAX_NS, 1000 s.
 */
__attribute__((warn_unused_result))
int value_read_ns(const char *text, size_t bytes, uint64_t *ns);

/**
 * value_read_cpus - a list such as 0-3,8; numbers may overlap.
 *
 * Errors: -EINVAL for an empty item, a range that runs down, anything else;
 *         -ERANGE for a CPU of CPUS_MAX or more.
 */
__attribute__((warn_unused_result))
int value_read_cpus(const char *text, struct cpus *cpus);

/* The words for the numbers from 0 on. */
struct value_names {
	const char *const *names;       /* [count], none NULL */
	uint32_t count;
};

/* VALUE_NAMES - of an array of words. */
#define VALUE_NAMES(array) { .names = (array), .count = sizeof(array) / sizeof((array)[0]) }

/* value_read_name - the number of the word that the first @bytes of @text are. -EINVAL. */
__attribute__((warn_unused_result))
int value_read_name(const char *text, size_t bytes, const struct value_names *names,
		    uint32_t *value);

/**
 * value_read_name_set - words between commas: bits 1 << number.
 *
 * Shape:   at most 32 names.
 * Errors:  -EINVAL and *unknown at the item that is none of them; it ends at
 *          the next comma or the end of @text.
 */
__attribute__((warn_unused_result))
int value_read_name_set(const char *text, const struct value_names *names, uint32_t *set,
			const char **unknown);

/**
 * value_names_text - all words, for messages: "a, b or c".
 *
 * Shape:   @out holds @bytes, more than 0; cut where it does not fit. @before_last stands
 *          before the last word, a comma and a blank before those between.
 */
void value_names_text(char *out, size_t bytes, const struct value_names *names,
		      const char *before_last);

#endif
