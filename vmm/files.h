/* SPDX-License-Identifier: MIT */
/*
 * files.h - every name that a run reads or writes, settled before one of them is opened.
 *
 * Tested: tests/unit/files_are_told_apart_test.c
 */
#ifndef FILES_H
#define FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "options.h"
#include "why.h"

#define FILES_PATH_BYTES 4096

/* What is written. */
enum output_file {
	OUTPUT_CSV,
	OUTPUT_SUMMARY,
	OUTPUT_TRACE,           /* --trace, or what --break-over leaves */
	OUTPUT_BREAK,
	OUTPUT_HIST,            /* one a time: + FIGURE_FILES */
	OUTPUT_HGRM = OUTPUT_HIST + FIGURE_FILES,       /* by options->protocols, then times */
	OUTPUT_FILES = OUTPUT_HGRM + SD_PROTOCOLS * FIGURE_FILES,
};

/* Which file a name means: that of device and inode, or one that is not there yet, @rest
 * below that folder. */
struct file_identity {
	bool known;
	dev_t device;
	ino_t inode;
	mode_t mode;
	char rest[FILES_PATH_BYTES];
};

struct named_file {
	const char *option;             /* "--csv"; NULL: in --out, by default */
	char path[FILES_PATH_BYTES];    /* "" not asked for */
	struct file_identity identity;
};

struct files {
	struct named_file outputs[OUTPUT_FILES];
	struct named_file payload;
	struct named_file standard[2];  /* output and error, where they are files */
	const char *folder;             /* --out */
	bool folder_is_missing;         /* and a file goes there */
};

/**
 * files_settle - name all files of what @options ask for, and compare what they are: by
 * device and inode, whatever they are called. Opens and changes nothing.
 *
 * Shape:   @files is all zeros.
 * Errors:  EXIT_USAGE: two of them are one file; the line names both options.
 *          EXIT_RESULTS: a name is too long.
 */
__attribute__((warn_unused_result))
int files_settle(struct files *files, const struct options *options, struct why *why);

/**
 * files_compare_opened - the same of outputs that are open now, and not emptied yet:
 * names may have changed hands, or mean one file in a way that nobody could see.
 *
 * Shape:   @fds by enum output_file, -1 for what is not open.
 * Errors:  EXIT_USAGE.
 */
__attribute__((warn_unused_result))
int files_compare_opened(struct files *files, const int fds[OUTPUT_FILES], struct why *why);

/* files_make_folder - the folder of --out, if a file goes there and it is missing.
 * Errors: EXIT_RESULTS. */
__attribute__((warn_unused_result))
int files_make_folder(const struct files *files, struct why *why);

/* files_kind - "a folder", "a FIFO", "a socket", "a device", "a file". */
const char *files_kind(mode_t mode);

#endif
