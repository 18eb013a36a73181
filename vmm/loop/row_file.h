/* SPDX-License-Identifier: MIT */
/*
 * row_file.h - a file of rows, each with a newline at its end, streamed in place
 * through the loop.
 *
 * Whole rows only: when a write fails half-way (the disk is full) the file is
 * cut back to its last whole row, and what comes later is counted, not written. Each
 * write is of whole rows; where the process is about to end during one, row_file_cut() cuts
 * the file.
 */
#ifndef ROW_FILE_H
#define ROW_FILE_H

#include <stddef.h>

#include "loop.h"

#define ROW_FILE_BUFFER_BYTES (256u << 10)
#define ROW_FILE_ROW_MAX      512         /* bytes of a row, its newline included */

struct row_file {
	struct loop *loop;
	struct loop_write write;        /* of the buffer that is not being filled */
	char *buffers[2];
	uint32_t filling;               /* index of the buffer rows go to */
	uint32_t filled;                /* bytes in it */
	const char *bytes;              /* rows being written, from their first on */
	uint32_t length;                /* of them; 0: nothing is being written */
	uint32_t done;                  /* bytes of them known to be written */
	uint64_t whole;                 /* bytes of the file before them; UINT64_MAX: a stream */
	uint64_t taken_ns;              /* when a stream has last taken something */
	uint64_t lost_rows;
	int error;                      /* -errno of the write that failed; 0 none */
	const char *path;
};

/**
 * row_file_open - queue @header, rows or nothing, for @fd, an empty file, or a pipe or
 * device.
 *
 * Shape:   @fd is row_file_close()'s from now on, unless this fails; @path names it in
 *          messages.
 * Errors:  EXIT_RESULTS.
 */
__attribute__((warn_unused_result))
int row_file_open(struct row_file *file, struct loop *loop, int fd, const char *path,
		  const char *header, struct why *why);

/* row_file_room - ROW_FILE_ROW_MAX bytes for the next row; waits for the disk only when
 * both buffers are full. row_file_add - @bytes of them are a row now. */
char *row_file_room(struct row_file *file);
void row_file_add(struct row_file *file, size_t bytes);

/* row_file_push - begin to write what has gathered, unless a write is under way; waits
 * for nothing. */
void row_file_push(struct row_file *file);

/* row_file_finish - write the rest and wait for it; allocates nothing. */
void row_file_finish(struct row_file *file);

/**
 * row_file_cut - the process ends now, wherever it is: leave whole rows in the file. What
 * the kernel is writing is waited for, ten seconds at most.
 *
 * Threads: in a signal handler on main, whatever that was doing.
 */
void row_file_cut(const struct row_file *file);

/**
 * row_file_close - write the rest, wait for it and close.
 *
 * Errors:  EXIT_RESULTS: some row could not be written; the file is valid.
 */
__attribute__((warn_unused_result))
int row_file_close(struct row_file *file, struct why *why);

#endif
