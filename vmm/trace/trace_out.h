/* SPDX-License-Identifier: MIT */
/*
 * trace_out.h - where the rows of a timeline go: all of them to a file, or the last ones
 * to memory, until somebody wants them.
 *
 * Threads: main.
 * Tested: tests/unit/trace_rows_are_json_test.c
 */
#ifndef TRACE_OUT_H
#define TRACE_OUT_H

#include "row_file.h"
#include "trace_json.h"

/* The bytes of a half in memory, and the time that it has to cover, unless it is full. */
#define TRACE_HALF_BYTES (16u << 20)
#define TRACE_HALF_NS    (50 * NS_PER_MS)

struct trace_out {
	struct row_file *file;          /* NULL: to memory */
	char *halves[2];                /* the older one is given up for a new one */
	size_t filled[2];
	uint32_t filling;
	uint64_t begun_ns;              /* when it was begun; CLOCK_MONOTONIC */
};

/**
 * trace_out_to_memory - keep the last rows; trace_out_close - free what they take.
 *
 * Errors:  EXIT_HOST: no memory.
 */
__attribute__((warn_unused_result))
int trace_out_to_memory(struct trace_out *out, struct why *why);
void trace_out_close(struct trace_out *out);

/* trace_out_room - TRACE_ROW_MAX bytes for a row; trace_out_add - @bytes of them are one. */
char *trace_out_room(struct trace_out *out);
void trace_out_add(struct trace_out *out, size_t bytes);

/* trace_out_push - to be called now and then: begin to write; or begin a new half at @now_ns,
 * if all that was put since @needed_ns is kept then. Both are CLOCK_MONOTONIC. */
void trace_out_push(struct trace_out *out, uint64_t now_ns, uint64_t needed_ns);

/* trace_out_copy - the rows kept in memory, oldest first, to @file. */
void trace_out_copy(const struct trace_out *out, struct row_file *file);

#endif
