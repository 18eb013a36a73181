// SPDX-License-Identifier: MIT
/*
 * line.c - one line of a text report, whatever strings the host put into it.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/table_shows_every_protocol_test.c
 */
#include "line.h"

#include <stdarg.h>
#include <string.h>

void line_print(FILE *out, const char *format, ...)
{
	char line[LINE_COLUMNS + 1];
	va_list args;
	int bytes;

	va_start(args, format);
	bytes = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (bytes < 0)
		return;
	if (bytes > LINE_COLUMNS)
		memcpy(&line[LINE_COLUMNS - 3], "...", 4);
	for (char *at = line; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	fputs(line, out);
	putc('\n', out);
}

const char *line_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}
