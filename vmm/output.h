/* SPDX-License-Identifier: MIT */
/*
 * output.h - the files of a run: opened before it, while the program still may.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "csv_file.h"
#include "options.h"

struct output {
	char csv_path[4096];
	char json_path[4096];
	struct csv_file csv;
	int json_fd;
};

/**
 * output_open - make the folder if need be, create both files.
 *
 * Errors:  EXIT_RESULTS; nothing stays open.
 */
__attribute__((warn_unused_result))
int output_open(struct output *output, const struct options *options, struct loop *loop,
		struct why *why);

/* output_open_json - --json alone, for --host. json_fd is -1 without it. */
__attribute__((warn_unused_result))
int output_open_json(struct output *output, const struct options *options, struct why *why);

/* output_open_summary - the summary alone, for --litmus. */
__attribute__((warn_unused_result))
int output_open_summary(struct output *output, const struct options *options, struct why *why);

/**
 * output_write_json - the whole text, then close. Takes @text, which may be NULL
 * (no memory).
 */
__attribute__((warn_unused_result))
int output_write_json(struct output *output, char *text, struct why *why);

/* output_close_csv - the rest of the rows. */
__attribute__((warn_unused_result))
int output_close_csv(struct output *output, struct why *why);

#endif
