// SPDX-License-Identifier: MIT
/*
 * option_texts.c - at build time: the option table as the list of options in vmm(1) and as the
 * words in the completion of bash. Not a part of vmm.
 *
 *   option_texts manual|completion <TEMPLATE >TEXT
 *
 * A line "@options" of the template becomes the list, and all other lines stay. In the manual's
 * template lines "@NAME" follow, each with what there is to say about that option beyond its
 * row, and "@end".
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "option_table.h"

#define MORE_BYTES 4096

static char g_more[OPTION_ROWS][MORE_BYTES];

static void die(const char *what, const char *line)
{
	fprintf(stderr, "option_texts: %s: %s\n", what, line);
	exit(1);
}

/* The line, without its newline, or NULL at the end. */
static const char *next_line(void)
{
	static char *line;
	static size_t bytes;
	ssize_t length = getline(&line, &bytes, stdin);

	if (length < 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static char *more_of(const char *name)
{
	for (int i = 0; i < OPTION_ROWS; i++)
		if (strcmp(g_option_rows[i].name, name) == 0)
			return g_more[i];
	die("no such option", name);
	return NULL;
}

static void read_more(void)
{
	const char *line;
	char *more = NULL;

	while ((line = next_line()) != NULL && strcmp(line, "@end") != 0) {
		if (line[0] == '@') {
			more = more_of(line + 1);
			continue;
		}
		if (more == NULL || strlen(more) + strlen(line) + 2 > MORE_BYTES)
			die("no room", line);
		strcat(strcat(more, line), "\n");
	}
}

static void print_head(const struct option_row *row)
{
	printf(".It ");
	if (row->letter != 0)
		printf("Fl %c , ", row->letter);
	printf("Fl Fl %s", row->name);
	if (row->value != NULL)
		printf("%s Ar %s", row->optional ? " Ns Op = Ns" : "", row->value);
	putchar('\n');
}

/* A capital at the beginning; "vCPUs" stays what it is. */
static void print_sentence(const struct option_row *row)
{
	char text[256];

	option_row_text(row, text, sizeof(text));
	if (islower((unsigned char)text[1]))
		text[0] = (char)toupper((unsigned char)text[0]);
	printf("%s.\n", text);
	if (option_default(row) != NULL)
		printf("The default is %s.\n", option_default(row));
}

static void print_manual(void)
{
	read_more();
	for (int i = 0; i < OPTION_ROWS; i++) {
		const struct option_row *row = &g_option_rows[i];

		if (row->heading != NULL)
			printf("%s.Ss %s\n.Bl -tag -width Ds\n", i > 0 ? ".El\n" : "", row->heading);
		print_head(row);
		print_sentence(row);
		fputs(g_more[i], stdout);
	}
	puts(".El");
}

/* A case of the completion: what follows @before. */
static void print_case(const char *before, const struct value_names *names, bool list)
{
	printf("\t%s) _vmm_%s \"$word\" '", before, list ? "list" : "word");
	for (uint32_t i = 0; i < names->count; i++)
		printf("%s%s", i > 0 ? " " : "", names->names[i]);
	puts("' ;;");
}

static void print_completion(void)
{
	for (const struct option_row *row = g_option_rows; row < g_option_rows + OPTION_ROWS; row++) {
		char option[64];

		snprintf(option, sizeof(option), "--%s", row->name);
		if (row->names != NULL)
			print_case(option, row->names, row->list);
		if (row->parts != NULL)
			print_case("at-step", row->parts, true);
		if (row->value != NULL && (strcmp(row->value, "file") == 0 || strcmp(row->value, "dir") == 0))
			printf("\t%s) _vmm_files -%c \"$word\" ;;\n", option, row->value[0]);
	}
}

int main(int argc, char **argv)
{
	bool manual = argc == 2 && strcmp(argv[1], "manual") == 0, found = false;
	const char *line;

	if (!manual && (argc != 2 || strcmp(argv[1], "completion") != 0))
		die("usage", "option_texts manual|completion <TEMPLATE >TEXT");
	while ((line = next_line()) != NULL) {
		if (strcmp(line, "@options") != 0) {
			puts(line);
			continue;
		}
		found = true;
		if (manual)
			print_manual();
		else
			print_completion();
	}
	if (!found)
		die("the template has no line", "@options");
	return fflush(stdout) == 0 ? 0 : 1;
}
