// SPDX-License-Identifier: MIT
/*
 * progress.c - the one live line.
 *
 * Owns:    nothing; the line is the caller's.
 * Threads: any; no state.
 * Tested:  tests/unit/progress_fits_the_terminal_test.c
 *
 * Fields that do not fit are left out whole, with all after them: half a
 * number would be a wrong one.
 */
#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct line {
	char *text;             /* terminated */
	size_t used;            /* bytes, without the zero */
	size_t room;            /* bytes, without the zero; == used once a field was left out */
};

__attribute__((format(printf, 2, 3)))
static void line_add(struct line *line, const char *format, ...)
{
	char field[96];
	va_list args;
	size_t bytes;

	va_start(args, format);
	vsnprintf(field, sizeof(field), format, args);
	va_end(args);
	bytes = strlen(field);
	if (bytes > line->room - line->used) {
		line->room = line->used;
		return;
	}
	memcpy(line->text + line->used, field, bytes + 1);
	line->used += bytes;
}

void progress_line(char *out, size_t bytes, unsigned columns, const char *protocol,
		   unsigned round, unsigned rounds, double elapsed_s, double total_s,
		   uint64_t flushes, uint64_t stale)
{
	struct line line = { .text = out };

	if (bytes == 0)
		return;
	out[0] = '\0';
	line.room = bytes - 1 < columns ? bytes - 1 : columns;
	line_add(&line, "%s", protocol);
	line_add(&line, "  round %u/%u", round, rounds);
	if (total_s > 0.0)
		line_add(&line, "  %.1f/%.1f s", elapsed_s, total_s);
	else
		line_add(&line, "  %.1f s", elapsed_s);
	line_add(&line, "  %" PRIu64 " flushes", flushes);
	line_add(&line, "  stale %" PRIu64, stale);
}
