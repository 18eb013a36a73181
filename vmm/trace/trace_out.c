// SPDX-License-Identifier: MIT
/*
 * trace_out.c - where the rows of a timeline go (trace_out.h).
 *
 * Threads: main.
 * Tested:  tests/unit/trace_rows_are_json_test.c
 */
#include "trace_out.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

_Static_assert(TRACE_ROW_MAX <= ROW_FILE_ROW_MAX, "a row of the timeline does not fit");

int trace_out_to_memory(struct trace_out *out, struct why *why)
{
	*out = (struct trace_out){ .halves = { malloc(2 * TRACE_HALF_BYTES) } };
	if (out->halves[0] == NULL)
		return why_set(why, EXIT_HOST, ENOMEM, "timeline: %s", strerror(ENOMEM));
	out->halves[1] = out->halves[0] + TRACE_HALF_BYTES;
	return 0;
}

void trace_out_close(struct trace_out *out)
{
	free(out->halves[0]);
	*out = (struct trace_out){ 0 };
}

static void begin_half(struct trace_out *out)
{
	out->filling ^= 1;
	out->filled[out->filling] = 0;
	out->begun_ns = 0;
}

char *trace_out_room(struct trace_out *out)
{
	if (out->file != NULL)
		return row_file_room(out->file);
	if (out->filled[out->filling] > TRACE_HALF_BYTES - TRACE_ROW_MAX)
		begin_half(out);
	return out->halves[out->filling] + out->filled[out->filling];
}

void trace_out_add(struct trace_out *out, size_t bytes)
{
	if (out->file != NULL)
		row_file_add(out->file, bytes);
	else
		out->filled[out->filling] += bytes;
}

void trace_out_push(struct trace_out *out, uint64_t now_ns, uint64_t needed_ns)
{
	if (out->file != NULL) {
		row_file_push(out->file);
		return;
	}
	if (out->begun_ns == 0)
		out->begun_ns = now_ns;
	else if (now_ns - out->begun_ns >= TRACE_HALF_NS && needed_ns >= out->begun_ns)
		begin_half(out);
}

/* Row by row: a file's room is for one. */
static void copy_half(const char *text, size_t bytes, struct row_file *file)
{
	const char *end = text + bytes;

	while (text < end) {
		size_t row = (size_t)((const char *)memchr(text, '\n', (size_t)(end - text)) + 1 - text);

		memcpy(row_file_room(file), text, row);
		row_file_add(file, row);
		text += row;
	}
}

void trace_out_copy(const struct trace_out *out, struct row_file *file)
{
	uint32_t older = out->filling ^ 1;

	copy_half(out->halves[older], out->filled[older], file);
	copy_half(out->halves[out->filling], out->filled[out->filling], file);
}
