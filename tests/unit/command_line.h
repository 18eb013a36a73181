/* SPDX-License-Identifier: MIT */
/*
 * command_line.h - one string to options_parse(), split at blanks.
 *
 * Options point into a static buffer: valid until the next call.
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include <string.h>

#include "options.h"
#include "options_parse.h"
#include "unit_test.h"

static int command_line_parse(const char *line, struct options *options, struct why *why)
{
	static char program[] = "vmm", buffer[1024];
	char *argv[64] = { program };
	int argc = 1;

	assert_true(strlen(line) < sizeof(buffer));
	strcpy(buffer, line);
	for (char *word = strtok(buffer, " "); word; word = strtok(NULL, " ")) {
		assert_true(argc < 63);
		argv[argc++] = word;
	}
	memset(options, 0x5a, sizeof(*options)); /* the parser sets every field */
	memset(why, 0, sizeof(*why));
	return options_parse(argc, argv, options, why);
}

/* The options of @line, which has to be right. */
static struct options command_line_options(const char *line)
{
	struct options options;
	struct why why;

	if (command_line_parse(line, &options, &why))
		fail_msg("'%s': %s", line, why.text);
	assert_string_equal(why.text, "");
	return options;
}

#endif
