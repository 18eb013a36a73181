/* SPDX-License-Identifier: MIT */
/*
 * digits.h - a number as text, for rows of which there are many: no printf.
 *
 * Pure. Tested: tests/unit/csv_rows_round_trip_test.c
 */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdint.h>

#define DIGITS_32 10            /* of UINT32_MAX */
#define DIGITS_64 20            /* of UINT64_MAX */

/**
 * digits_put - @value in decimal at @out, without a terminating zero.
 *
 * Shape:   @out holds DIGITS_64 bytes.
 * Returns: the end.
 */
char *digits_put(char *out, uint64_t value);

#endif
