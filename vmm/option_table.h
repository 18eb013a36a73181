/* SPDX-License-Identifier: MIT */
/*
 * option_table.h - one row an option: name, reader, field, limits.
 *
 * Private to options.c and option_table.c.
 */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <stddef.h>

#include "options.h"
#include "value.h"

struct option_row {
	const char *name;       /* without the dashes */
	/* Checks @value and stores it; -EINVAL with one line in @why. @value is
	 * not empty, and NULL where bare, or optional and not given. */
	int (*read)(const struct option_row *row, const char *value,
		    struct options *options, struct why *why);
	size_t field;           /* offset in struct options, for shared readers */
	uint64_t min, max;      /* of a number; of seconds in ms */
	const struct value_names *names; /* of a value that is a word */
	bool bare;              /* takes no value */
	bool optional;          /* takes one behind '=' or none */
	char letter;            /* short form, 0 none */
};

#define OPTION_ROWS 41

extern const struct option_row g_option_rows[OPTION_ROWS];

#endif
