/* SPDX-License-Identifier: MIT */
/*
 * escape.h - foreign text as a part of one line that a terminal shows and does not obey:
 * names of files, words of the command line, what the host calls itself.
 *
 * Pure; any thread.
 * Tested: tests/unit/messages_are_one_line_test.c
 */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stdarg.h>
#include <stddef.h>

/**
 * escape_text - @text as far as it fits.
 *
 * Shape:   @out has @bytes, at least one, and is terminated. Printable UTF-8 is left as it
 *          is; what moves the cursor, begins an escape sequence, ends a line, turns the
 *          direction of writing or is no UTF-8 becomes \n, \t, \r or \xNN, never half of it.
 *          Doing it again changes nothing: a backslash is not escaped.
 * Returns: bytes of @text that are in @out.
 */
size_t escape_text(char *out, size_t bytes, const char *text);

/**
 * escape_format - the same of formatted text, cut in the middle ("...") where it is too
 * long: what was tried stands at its beginning, and the reason at its end.
 *
 * Shape:   @bytes is at least 16.
 */
__attribute__((format(printf, 3, 0)))
void escape_format(char *out, size_t bytes, const char *format, va_list args);

/* escape_utf8 - bytes of the well-formed UTF-8 sequence that @text begins with; 0 if it
 * begins with none. The zero at its end is one. */
size_t escape_utf8(const char *text);

#endif
