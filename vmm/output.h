/* SPDX-License-Identifier: MIT */
/*
 * output.h - the files of a run: opened before it, while the program still may.
 *
 * Whatever ends the process: rows are whole, and a text is there or it is not.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "files.h"
#include "row_file.h"

/* A file that is written once, at the end. */
struct text_file {
	const char *path;
	int fd;                         /* -1: not asked for, or closed */
	size_t pending;                 /* bytes of the text that is being written */
};

/* A file that is written all the time. */
struct row_output {
	const char *path;
	struct row_file file;
	bool is_open;
};

struct output {
	struct loop *loop;
	struct row_output csv;
	struct row_output trace;        /* --trace, or what --break-over leaves */
	struct text_file texts[OUTPUT_FILES]; /* all others */
};

/**
 * output_open - make the folder if need be, create and empty all files that are settled in
 * @files; nothing is emptied before all are open and are known to be different ones.
 *
 * Errors:  EXIT_RESULTS, EXIT_USAGE; nothing stays open.
 */
__attribute__((warn_unused_result))
int output_open(struct output *output, struct files *files, struct loop *loop, struct why *why);

/* output_has - is this text asked for, and not written yet? */
static inline bool output_has(const struct output *output, int which)
{
	return output->texts[which].fd >= 0;
}

/**
 * output_write_text - the whole text, then close. Takes @text, which may be NULL
 * (no memory). Half a text is taken back.
 *
 * Errors:  EXIT_RESULTS.
 */
__attribute__((warn_unused_result))
int output_write_text(struct output *output, int which, char *text, struct why *why);

/* output_close_rows - the rest of the rows, if the file is open. */
__attribute__((warn_unused_result))
int output_close_rows(struct row_output *rows, struct why *why);

#endif
