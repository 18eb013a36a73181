// SPDX-License-Identifier: MIT
/*
 * option_help.c - the text of --help, from the rows of the option table.
 *
 * Tested: tests/unit/options_defaults_follow_the_manual_test.c
 */
#include <ctype.h>
#include <string.h>

#include "option_table.h"
#include "options_parse.h"

#define COLUMNS     80
#define TEXT_COLUMN 24

/* The limits of a number, as in "1 to 64" or "up to 1000 us"; a number of seconds is in
 * milliseconds. */
static void limits_text(const struct option_row *row, char *out, size_t bytes)
{
	bool seconds = row->value != NULL && strcmp(row->value, "s") == 0;
	bool micro = row->value != NULL && strcmp(row->value, "us") == 0;
	double scale = seconds ? 1000 : 1;
	char least[32] = "up";

	if (row->min != 0)
		snprintf(least, sizeof(least), "%.15g", (double)row->min / scale);
	if (row->max != 0)
		snprintf(out, bytes, ", %s to %.15g%s", least, (double)row->max / scale,
			 micro ? " us" : "");
}

const char *option_default(const struct option_row *row)
{
	return row->otherwise != NULL ? row->otherwise : row->initial;
}

/* The option with what to call its value, in capitals: "-q, --quiet", "--vcpus N". */
static void usage_text(const struct option_row *row, char *out, size_t bytes)
{
	char letter[8] = "", value[32] = "";

	if (row->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	if (row->value != NULL)
		snprintf(value, sizeof(value), row->optional ? "[=%s]" : " %s", row->value);
	for (char *c = value; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	snprintf(out, bytes, "%s--%s%s", letter, row->name, value);
}

void option_row_text(const struct option_row *row, char *out, size_t bytes)
{
	char limits[64] = "", names[128] = "";

	limits_text(row, limits, sizeof(limits));
	if (row->names != NULL)
		value_names_text(names, sizeof(names), row->names, " or ");
	snprintf(out, bytes, "%s%s%s%s", row->text, limits, names[0] != '\0' ? ": " : "", names);
}

/* All that there is to say about the option, on one line. */
static void whole_text(const struct option_row *row, char *out, size_t bytes)
{
	char parts[128];
	size_t used;

	option_row_text(row, out, bytes);
	used = strlen(out);
	if (option_default(row) != NULL)
		snprintf(out + used, bytes - used, " (%s)", option_default(row));
	used = strlen(out);
	if (row->parts == NULL)
		return;
	value_names_text(parts, sizeof(parts), row->parts, " or ");
	snprintf(out + used, bytes - used, "; LIST after at-step=: %s", parts);
}

/* From column @column on, and below it where a line is full. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	while (*text != '\0') {
		int bytes = (int)strcspn(text, " ");

		if (column + 1 + bytes > COLUMNS) {
			fprintf(out, "\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		} else if (column != TEXT_COLUMN) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", bytes, text);
		column += bytes;
		text += bytes;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void options_help(FILE *out)
{
	fputs("Usage: vmm [OPTION]... [PAYLOAD]   an ELF64 file instead of the built-in one\n"
	      "Measure how long TLB shootdowns hold up a vCPU, and prove that none gets lost.\n"
	      "Defaults are in parentheses.\n", out);
	for (const struct option_row *row = g_option_rows; row < g_option_rows + OPTION_ROWS; row++) {
		char usage[64], text[512];

		if (row->heading != NULL)
			fprintf(out, "\n%s:\n", row->heading);
		usage_text(row, usage, sizeof(usage));
		whole_text(row, text, sizeof(text));
		fprintf(out, "  %-*s", TEXT_COLUMN - 2, usage);
		print_wrapped(out, text, TEXT_COLUMN);
	}
	fputs("\nExit: 0 well, 1 wrong, 2 usage, 3 host, 4 guest, 5 results, 6 over threshold\n", out);
}
