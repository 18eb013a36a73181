// SPDX-License-Identifier: MIT
/*
 * line.c - lines of a text report, whatever strings the host put into them.
 *
 * Owns:    nothing; a list under construction is the caller's.
 * Threads: any.
 * Tested:  tests/unit/lists_break_where_they_must_test.c
 */
#include "line.h"

#include <stdarg.h>
#include <string.h>

#include "escape.h"

/* Of a line before it is cut: as many bytes as its columns may have, escaped or not. */
#define RAW_BYTES (4 * LINE_COLUMNS)

#define CUT "..."

void line_print(FILE *out, const char *format, ...)
{
	char raw[RAW_BYTES], line[LINE_COLUMNS + 1];
	va_list args;
	int bytes;

	va_start(args, format);
	bytes = vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	if (bytes < 0)
		return;
	if (raw[escape_text(line, sizeof(line), raw)] != '\0') {
		(void)escape_text(line, sizeof(line) - strlen(CUT), raw);
		strcat(line, CUT);
	}
	fprintf(out, "%s\n", line);
}

void line_say(FILE *out, const char *format, ...)
{
	char line[LINE_SAID_BYTES];
	va_list args;

	va_start(args, format);
	escape_format(line, sizeof(line), format, args);
	va_end(args);
	fprintf(out, "%s\n", line);
}

void line_list_begin(struct line_list *list, FILE *out, const char *head)
{
	*list = (struct line_list){ .out = out };
	snprintf(list->text, sizeof(list->text), "%s", head);
}

/* Does @item fit the line in hand, with a comma before and one after it? */
static bool item_fits(const struct line_list *list, const char *item)
{
	return strlen(list->text) + strlen(", ") + strlen(item) + strlen(",") <= LINE_COLUMNS;
}

void line_list_add(struct line_list *list, const char *format, ...)
{
	char item[LINE_COLUMNS + 2];
	va_list args;
	size_t used;

	va_start(args, format);
	(void)vsnprintf(item, sizeof(item), format, args);
	va_end(args);
	if (list->filled && !item_fits(list, item)) {
		line_print(list->out, "%s,", list->text);
		line_list_begin(list, list->out, "  ");
	}
	used = strlen(list->text);
	snprintf(list->text + used, sizeof(list->text) - used, "%s%s", list->filled ? ", " : "",
		 item);
	list->filled = true;
}

void line_list_end(const struct line_list *list)
{
	if (list->filled)
		line_print(list->out, "%s", list->text);
}

const char *line_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}
