/* SPDX-License-Identifier: MIT */
/*
 * line.h - one line of a text report, whatever strings the host put into it.
 *
 * Tested: tests/unit/table_shows_every_protocol_test.c
 */
#ifndef LINE_H
#define LINE_H

#include <stdint.h>
#include <stdio.h>

#define LINE_COLUMNS 100

/**
 * line_print - formatted text and a newline, to @out.
 *
 * Shape:   at most LINE_COLUMNS columns, the rest is cut and "..." says so;
 *          a byte that is not printable ASCII becomes '?'.
 */
__attribute__((format(printf, 2, 3)))
void line_print(FILE *out, const char *format, ...);

/* line_plural - "" for one, "s" else. */
const char *line_plural(uint64_t count);

#endif
