// SPDX-License-Identifier: MIT
/*
 * trace_json.c - rows of a timeline (trace_json.h).
 *
 * Owns:    nothing; rows go into the caller's buffer.
 * Threads: any; no state.
 * Tested:  tests/unit/trace_rows_are_json_test.c
 */
#include "trace_json.h"

#include <string.h>

#include "digits.h"

static char *put_text(char *at, const char *text)
{
	size_t bytes = strlen(text);

	memcpy(at, text, bytes);
	return at + bytes;
}

/* "key": of a member, which is the first after its bracket or has a comma. */
static char *put_key(char *at, const char *key)
{
	if (at[-1] != '{')
		*at++ = ',';
	*at++ = '"';
	at = put_text(at, key);
	return put_text(at, "\":");
}

static char *put_number(char *at, const char *key, uint64_t value)
{
	return digits_put(put_key(at, key), value);
}

static char *put_string(char *at, const char *key, const char *value)
{
	at = put_key(at, key);
	*at++ = '"';
	at = put_text(at, value);
	*at++ = '"';
	return at;
}

/* Microseconds with three decimals. */
static char *put_time(char *at, const char *key, uint64_t ns)
{
	at = put_number(at, key, ns / 1000);
	*at++ = '.';
	*at++ = (char)('0' + ns / 100 % 10);
	*at++ = (char)('0' + ns / 10 % 10);
	*at++ = (char)('0' + ns % 10);
	return at;
}

static char *put_name(char *at, const char *name, uint64_t number)
{
	at = put_string(at, "name", name);
	if (number == TRACE_NO_NUMBER)
		return at;
	at[-1] = ' ';
	at = digits_put(at, number);
	*at++ = '"';
	return at;
}

/* Processes and threads are numbered from 1: 0 is the idle task to some viewers. */
static char *put_track(char *at, char phase, struct trace_track track)
{
	*at++ = '{';
	at = put_string(at, "ph", (const char[]){ phase, '\0' });
	at = put_number(at, "pid", track.process + 1);
	return put_number(at, "tid", (uint64_t)track.index + 1);
}

static char *put_arguments(char *at, const struct trace_argument *arguments)
{
	if (arguments[0].key == NULL)
		return at;
	at = put_text(put_key(at, "args"), "{");
	for (int i = 0; i < TRACE_ARGUMENTS && arguments[i].key != NULL; i++)
		at = arguments[i].text != NULL
			? put_string(at, arguments[i].key, arguments[i].text)
			: put_number(at, arguments[i].key, arguments[i].number);
	*at++ = '}';
	return at;
}

static size_t end_row(const char *out, char *at)
{
	at = put_text(at, "},\n");
	return (size_t)(at - out);
}

size_t trace_json_slice(char *out, const struct trace_slice *slice)
{
	char *at = put_track(out, 'X', slice->track);

	at = put_time(at, "ts", slice->start_ns);
	at = put_time(at, "dur", slice->end_ns - slice->start_ns);
	at = put_name(at, slice->name, slice->number);
	at = put_arguments(at, slice->arguments);
	return end_row(out, at);
}

static char *put_mark(char *at, const struct trace_slice *mark)
{
	at = put_track(at, 'i', mark->track);
	at = put_string(at, "s", "g");
	at = put_time(at, "ts", mark->start_ns);
	at = put_name(at, mark->name, mark->number);
	return put_arguments(at, mark->arguments);
}

size_t trace_json_mark(char *out, const struct trace_slice *mark)
{
	return end_row(out, put_mark(out, mark));
}

size_t trace_json_end(char *out, const struct trace_slice *mark)
{
	char *at = put_text(put_mark(out, mark), "}\n]\n");

	return (size_t)(at - out);
}

/* An arrow's ends have its category, name and number in common. */
size_t trace_json_arrow(char *out, char phase, uint64_t id, struct trace_track track,
			uint64_t at_ns)
{
	char *at = put_track(out, phase, track);

	at = put_time(at, "ts", at_ns);
	at = put_number(at, "id", id);
	at = put_string(at, "cat", "request");
	at = put_string(at, "name", "request");
	/* The slice around this end, not the next one. */
	if (phase == 'f')
		at = put_string(at, "bp", "e");
	return end_row(out, at);
}

size_t trace_json_name(char *out, const char *what, struct trace_track track, const char *name,
		       uint64_t number)
{
	char *at = put_track(out, 'M', track);

	at = put_string(at, "name", what);
	at = put_text(put_key(at, "args"), "{");
	at = put_name(at, name, number);
	*at++ = '}';
	return end_row(out, at);
}

size_t trace_json_order(char *out, const char *what, struct trace_track track)
{
	char *at = put_track(out, 'M', track);
	uint64_t order = strcmp(what, "process_sort_index") == 0 ? track.process : track.index;

	at = put_string(at, "name", what);
	at = put_text(put_key(at, "args"), "{");
	at = put_number(at, "sort_index", order);
	*at++ = '}';
	return end_row(out, at);
}
