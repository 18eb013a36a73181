// SPDX-License-Identifier: MIT
/*
 * line.c - lines of a text report, whatever strings the host put into them.
 *
 * Owns:    nothing; a list under construction is the caller's.
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

void line_list_begin(struct line_list *list, FILE *out, const char *head)
{
	*list = (struct line_list){ .out = out };
	snprintf(list->text, sizeof(list->text), "%s", head);
}

/* Does @item fit the line in hand, with a comma before and one behind it? */
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
