/* SPDX-License-Identifier: MIT */
/*
 * trace_json.h - rows of a timeline in the trace-event format, JSON array form.
 *
 * One object a row, a comma and a newline after each; the closing bracket is optional in
 * this form, so that a file that ends at any row can be read. All words are ours: names
 * and keys without a character that JSON would have to escape. Hence no jansson, which
 * would take microseconds for each of some ten thousand rows a second.
 *
 * Pure; any thread.
 * Follows: Trace Event Format (Google, catapult): phases M, X, i, s, f.
 * Tested:  tests/unit/trace_rows_are_json_test.c
 */
#ifndef TRACE_JSON_H
#define TRACE_JSON_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_ROW_MAX 512               /* bytes of the longest row, newline included */
#define TRACE_ARGUMENTS 8
#define TRACE_NO_NUMBER UINT64_MAX

/* A track: a line of the timeline. */
struct trace_track {
	uint32_t process;               /* TRACE_PROCESS_ */
	uint32_t index;                 /* from 0 */
};

/* One of an event's args: a number, unless there is a text. */
struct trace_argument {
	const char *key;                /* NULL: none */
	const char *text;
	uint64_t number;
};

/* A slice of time on a track. */
struct trace_slice {
	struct trace_track track;
	uint64_t start_ns;
	uint64_t end_ns;                /* not before the start */
	const char *name;
	uint64_t number;                /* after the name; TRACE_NO_NUMBER: none */
	struct trace_argument arguments[TRACE_ARGUMENTS];
};

/* The first row of a file, and the last one, before it is closed. */
#define TRACE_JSON_BEGIN "[\n"

/**
 * trace_json_slice, trace_json_mark - a slice, or, of its start, an instant that all
 * tracks show; trace_json_arrow - one end of an arrow, from @phase 's' to 'f', that goes to
 * the slice in which @at_ns lies; trace_json_name - name a track (@what "thread_name") or
 * a process ("process_name"); trace_json_order - where it stands; trace_json_end - the
 * last row, a mark, and the closing bracket.
 *
 * Shape:   @out holds TRACE_ROW_MAX bytes; no terminating zero is written.
 * Units:   nanoseconds, written as microseconds with three decimals.
 * Returns: bytes written.
 */
size_t trace_json_slice(char *out, const struct trace_slice *slice);
size_t trace_json_mark(char *out, const struct trace_slice *mark);
size_t trace_json_arrow(char *out, char phase, uint64_t id, struct trace_track track,
			uint64_t at_ns);
size_t trace_json_name(char *out, const char *what, struct trace_track track, const char *name,
		       uint64_t number);
size_t trace_json_order(char *out, const char *what, struct trace_track track);
size_t trace_json_end(char *out, const struct trace_slice *mark);

#endif
