/* SPDX-License-Identifier: MIT */
/*
 * line.h - lines of a text report, whatever strings the host put into them.
 *
 * Tested: tests/unit/lists_break_where_they_must_test.c
 */
#ifndef LINE_H
#define LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LINE_COLUMNS 100
#define LINE_SAID_BYTES 1024

/**
 * line_print - formatted text and a newline, to @out.
 *
 * Shape:   escaped (escape.h); at most LINE_COLUMNS bytes, the rest is cut and "..."
 *          says so.
 */
__attribute__((format(printf, 2, 3)))
void line_print(FILE *out, const char *format, ...);

/**
 * line_say - the same for a message, which may be longer than a terminal is wide.
 *
 * Shape:   escaped, at most LINE_SAID_BYTES with its end, cut in the middle.
 */
__attribute__((format(printf, 2, 3)))
void line_say(FILE *out, const char *format, ...);

/* A list under construction: "head a, b, c", on as many lines as it takes. */
struct line_list {
	FILE *out;
	bool filled;                    /* an item is in the line in hand */
	char text[LINE_COLUMNS + 2];    /* the line in hand, terminated; one more than
	                                   fits, so that a cut is seen */
};

/**
 * line_list_begin, line_list_add, line_list_end - print a list.
 *
 * Shape:   lines as of line_print(); all but the last end in a comma, and those
 *          after the first are indented. No item: nothing is printed. An item
 *          is never split; @head and one item fit a line, or it is cut.
 */
void line_list_begin(struct line_list *list, FILE *out, const char *head);
__attribute__((format(printf, 2, 3)))
void line_list_add(struct line_list *list, const char *format, ...);
void line_list_end(const struct line_list *list);

/* line_plural - "" for one, "s" else. */
const char *line_plural(uint64_t count);

#endif
