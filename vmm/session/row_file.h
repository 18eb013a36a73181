/* SPDX-License-Identifier: MIT */
/*
 * row_file.h - a file of rows, each with a newline at its end, streamed in place
 * through the loop.
 *
 * Whole rows only: when a write fails half-way (the disk is full) the file is
 * cut back to its last whole row, and what comes later is counted, not written.
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
	uint64_t offset;                /* of the next write; UINT64_MAX: cannot seek */
	uint64_t lost_rows;
	int error;                      /* -errno of the write that failed; 0 none */
	const char *path;
};

/**
 * row_file_open - create or empty @path and queue @header, rows or nothing.
 *
 * Errors:  EXIT_RESULTS.
 */
__attribute__((warn_unused_result))
int row_file_open(struct row_file *file, struct loop *loop, const char *path, const char *header,
		  struct why *why);

/* row_file_room - ROW_FILE_ROW_MAX bytes for the next row; waits for the disk only when
 * both buffers are full. row_file_add - @bytes of them are a row now. */
char *row_file_room(struct row_file *file);
void row_file_add(struct row_file *file, size_t bytes);

/* row_file_push - begin to write what has gathered, unless a write is under way. */
void row_file_push(struct row_file *file);

/* row_file_finish - write the rest and wait for it; allocates nothing. */
void row_file_finish(struct row_file *file);

/**
 * row_file_close - write the rest, wait for it and close.
 *
 * Errors:  EXIT_RESULTS: some row could not be written; the file is valid.
 */
__attribute__((warn_unused_result))
int row_file_close(struct row_file *file, struct why *why);

#endif
