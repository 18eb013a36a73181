/* SPDX-License-Identifier: MIT */
/*
 * option_table.h - one row for each option: what reads it, and what there is to say about it.
 *
 * The rows are the only source of --help (option_help.c), and, at build time, of the list of
 * options in vmm(1) and of the words in the completion of bash (option_texts.c).
 */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <stddef.h>

#include "options.h"
#include "value.h"

struct option_row {
	const char *heading;    /* of the options from here on; NULL: as before */
	const char *name;       /* without the dashes */
	char letter;            /* short form, 0 none */
	const char *value;      /* what to call its value; NULL: it takes none */
	bool optional;          /* takes its value after '=', or none */
	/* Checks @value and stores it; -EINVAL with one line in @why. @value is
	 * not empty, and NULL where the option takes none, or optional and not given. */
	int (*read)(const struct option_row *row, const char *value,
		    struct options *options, struct why *why);
	size_t field;           /* offset in struct options, for shared readers */
	uint64_t min, max;      /* of a number; of seconds in ms */
	const struct value_names *names; /* of a value that is a word */
	bool list;              /* several of these words, with commas */
	const struct value_names *parts; /* of the list that stands after a word and '=' */
	const char *text;       /* what it is, without limits, words and default */
	const char *initial;    /* the value when it is not given; NULL: options_parse.c decides */
	const char *otherwise;  /* what to call the default; NULL: @initial */
};

#define OPTION_ROWS 41

extern const struct option_row g_option_rows[OPTION_ROWS];

/* Defaults that are not in the table, because they depend on other options or on the host. */
#define SLICE_US          2000
#define SLICE_US_EMULATED 20000         /* a slot switch alone takes half a millisecond there */
#define DURATION_S        2

/* option_words.c */
extern const struct value_names g_host_names, g_workload_names, g_table_free_names,
	g_shadow_reclaim_names, g_preempt_names, g_step_names, g_extra_names,
	g_entry_flush_names, g_confine_names;

/**
 * option_row_text - what it is, with its limits and its words: "vCPUs, 1 to 1024".
 *
 * Shape: @out holds @bytes.
 */
void option_row_text(const struct option_row *row, char *out, size_t bytes);

/* option_default - what to call the value that an option has when it is not given, or NULL. */
const char *option_default(const struct option_row *row);

#endif
