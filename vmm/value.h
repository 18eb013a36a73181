/* SPDX-License-Identifier: MIT */
/*
 * value.h - strict readers for the values of options.
 *
 * No sign, no blank, no rest behind the value. Pure; any thread.
 * Tested: tests/unit/options_are_checked_test.c
 */
#ifndef VALUE_H
#define VALUE_H

#include <sched.h>
#include <stdint.h>

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

/**
 * value_read_cpus - a list such as 0-3,8; numbers may overlap.
 *
 * Errors: -EINVAL for an empty item, a range that runs down, anything else;
 *         -ERANGE for a CPU of CPU_SETSIZE or more.
 */
__attribute__((warn_unused_result))
int value_read_cpus(const char *text, cpu_set_t *cpus);

#endif
