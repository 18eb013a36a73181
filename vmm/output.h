/* SPDX-License-Identifier: MIT */
/*
 * output.h - the files of a run: opened before it, while the program still may.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "options.h"
#include "row_file.h"

/* A file that is written once, at the end. */
struct text_file {
	char path[4096];
	int fd;                         /* -1: not asked for */
};

/* A file that is written all the time. */
struct row_output {
	char path[4096];
	struct row_file file;
	bool is_open;
};

struct output {
	struct row_output csv;
	struct row_output trace;        /* --trace, or what --break-over leaves */
	struct text_file json;          /* summary.json */
	struct text_file broke;         /* break.json */
	struct text_file hgrm[SD_PROTOCOLS][FIGURE_FILES]; /* --extra, by options->protocols */
	struct text_file hist[FIGURE_FILES];
};

/**
 * output_open - make the folder if need be, create all files that @options ask for.
 *
 * Errors:  EXIT_RESULTS; nothing stays open.
 */
__attribute__((warn_unused_result))
int output_open(struct output *output, const struct options *options, struct loop *loop,
		struct why *why);

/* output_open_json - --json alone, for --host. fd is -1 without it. */
__attribute__((warn_unused_result))
int output_open_json(struct text_file *file, const struct options *options, struct why *why);

/* output_open_summary - the summary alone, for --litmus. */
__attribute__((warn_unused_result))
int output_open_summary(struct text_file *file, const struct options *options, struct why *why);

/**
 * output_write_text - the whole text, then close. Takes @text, which may be NULL
 * (no memory).
 */
__attribute__((warn_unused_result))
int output_write_text(struct text_file *file, char *text, struct why *why);

/* output_close_rows - the rest of the rows, if the file is open. */
__attribute__((warn_unused_result))
int output_close_rows(struct row_output *rows, struct why *why);

#endif
