/* SPDX-License-Identifier: MIT */
/*
 * csv_file.h - flush-latency.csv, streamed in place through the loop.
 *
 * Whole rows only: when a write fails half-way (the disk is full) the file is
 * cut back to its last whole row, and what comes later is counted, not written.
 */
#ifndef CSV_FILE_H
#define CSV_FILE_H

#include "loop.h"
#include "report.h"

#define CSV_BUFFER_BYTES (256u << 10)

struct csv_file {
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
 * csv_file_open - create or empty @path and queue the header row.
 *
 * Errors:  EXIT_RESULTS.
 */
__attribute__((warn_unused_result))
int csv_file_open(struct csv_file *file, struct loop *loop, const char *path, struct why *why);

/* csv_file_row - append a row; waits for the disk only when both buffers are full. */
void csv_file_row(struct csv_file *file, const struct flush_row *row, enum sd_protocol protocol);

/* csv_file_push - begin to write what has gathered, unless a write is under way. */
void csv_file_push(struct csv_file *file);

/* csv_file_finish - write the rest and wait for it; allocates nothing. */
void csv_file_finish(struct csv_file *file);

/**
 * csv_file_close - write the rest, wait for it and close.
 *
 * Errors:  EXIT_RESULTS: some row could not be written; the file is valid.
 */
__attribute__((warn_unused_result))
int csv_file_close(struct csv_file *file, struct why *why);

#endif
