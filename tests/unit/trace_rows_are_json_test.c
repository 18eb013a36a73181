// SPDX-License-Identifier: MIT
/*
 * trace_rows_are_json_test.c - every row of a timeline is one JSON object of the
 * trace-event format, fits its room, and the rows kept in memory are the last ones.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "trace_json.h"
#include "trace_out.h"
#include "unit_test.h"

static char g_row[TRACE_ROW_MAX + 1];

/* The object of a row of @bytes, which ends in a comma and a newline. */
static json_t *parse(size_t bytes)
{
	json_error_t error;
	json_t *event;

	assert_in_range(bytes, 3, TRACE_ROW_MAX);
	assert_int_equal(g_row[bytes - 1], '\n');
	assert_int_equal(g_row[bytes - 2], ',');
	event = json_loadb(g_row, bytes - 2, JSON_REJECT_DUPLICATES, &error);
	if (event == NULL)
		fail_msg("%s: %.*s", error.text, (int)bytes, g_row);
	return event;
}

static const char *text_in(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_string(value));
	return json_string_value(value);
}

static json_int_t count_in(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

/* Nanoseconds of what is written as microseconds. */
static uint64_t time_in(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	assert_true(json_is_real(value));
	return (uint64_t)(json_real_value(value) * 1000 + 0.5);
}

static void a_slice_has_its_parts(void **state)
{
	const struct trace_slice slice = {
		.track = { 2, 7 }, .start_ns = 1234567, .end_ns = 1234567 + 89, .name = "vCPU",
		.number = 3,
		.arguments = { { "why", "slice", 0 }, { "seq", NULL, 0 }, { "last", NULL, 99 } },
	};
	json_t *event = parse(trace_json_slice(g_row, &slice));
	const json_t *arguments = json_object_get(event, "args");

	(void)state;
	assert_string_equal(text_in(event, "ph"), "X");
	assert_string_equal(text_in(event, "name"), "vCPU 3");
	assert_int_equal(count_in(event, "pid"), 3);
	assert_int_equal(count_in(event, "tid"), 8);
	assert_int_equal(time_in(event, "ts"), 1234567);
	assert_int_equal(time_in(event, "dur"), 89);
	assert_int_equal(json_object_size(arguments), 3);
	assert_string_equal(text_in(arguments, "why"), "slice");
	assert_int_equal(count_in(arguments, "seq"), 0);
	assert_int_equal(count_in(arguments, "last"), 99);
	json_decref(event);
}

/* No number, no arguments: no member for them. */
static void what_is_not_there_is_left_out(void **state)
{
	const struct trace_slice slice = {
		.name = "parked", .number = TRACE_NO_NUMBER, .start_ns = 5, .end_ns = 5,
	};
	json_t *event = parse(trace_json_slice(g_row, &slice));

	(void)state;
	assert_string_equal(text_in(event, "name"), "parked");
	assert_null(json_object_get(event, "args"));
	assert_int_equal(time_in(event, "dur"), 0);
	assert_memory_equal(strstr(g_row, "\"ts\":"), "\"ts\":0.005,", 11);
	json_decref(event);
}

static void arrows_have_two_ends(void **state)
{
	const struct trace_track track = { 3, 0 };
	json_t *event = parse(trace_json_arrow(g_row, 's', 41, track, 1001));

	(void)state;
	assert_string_equal(text_in(event, "ph"), "s");
	assert_int_equal(count_in(event, "id"), 41);
	assert_int_equal(time_in(event, "ts"), 1001);
	assert_null(json_object_get(event, "bp"));
	json_decref(event);
	event = parse(trace_json_arrow(g_row, 'f', 41, track, 1001));
	assert_string_equal(text_in(event, "ph"), "f");
	assert_string_equal(text_in(event, "bp"), "e");
	json_decref(event);
}

static void tracks_are_named_and_ordered(void **state)
{
	const struct trace_track track = { 1, 12 };
	json_t *event = parse(trace_json_name(g_row, "thread_name", track, "slot", 12));

	(void)state;
	assert_string_equal(text_in(event, "ph"), "M");
	assert_string_equal(text_in(event, "name"), "thread_name");
	assert_string_equal(text_in(json_object_get(event, "args"), "name"), "slot 12");
	json_decref(event);
	event = parse(trace_json_name(g_row, "process_name", track, "slots", TRACE_NO_NUMBER));
	assert_string_equal(text_in(json_object_get(event, "args"), "name"), "slots");
	json_decref(event);
	event = parse(trace_json_order(g_row, "thread_sort_index", track));
	assert_int_equal(count_in(json_object_get(event, "args"), "sort_index"), 12);
	json_decref(event);
	event = parse(trace_json_order(g_row, "process_sort_index", track));
	assert_int_equal(count_in(json_object_get(event, "args"), "sort_index"), 1);
	json_decref(event);
}

/* Whatever a guest claims. */
static void the_longest_row_fits(void **state)
{
	struct trace_slice slice = {
		.track = { UINT32_MAX - 1, UINT32_MAX }, .end_ns = UINT64_MAX,
		.name = "sixteen letters!", .number = UINT64_MAX - 1,
	};

	(void)state;
	for (int i = 0; i < TRACE_ARGUMENTS; i++)
		slice.arguments[i] = (struct trace_argument){
			(const char *[]){ "taken_over", "taken_ov_2", "taken_ov_3", "taken_ov_4",
					  "taken_ov_5", "taken_ov_6", "taken_ov_7", "taken_ov_8" }[i],
			NULL, INT64_MAX,
		};
	json_decref(parse(trace_json_slice(g_row, &slice)));
	json_decref(parse(trace_json_mark(g_row, &slice)));
	json_decref(parse(trace_json_arrow(g_row, 'f', INT64_MAX, slice.track, UINT64_MAX)));
}

/* A whole file: the array is closed after the last row. */
static void the_end_closes_the_array(void **state)
{
	const struct trace_slice mark = {
		.name = "end", .number = TRACE_NO_NUMBER, .arguments = { { "slices", NULL, 2 } },
	};
	char file[sizeof(TRACE_JSON_BEGIN) + 2 * TRACE_ROW_MAX] = TRACE_JSON_BEGIN;
	size_t bytes = strlen(file);
	json_t *events;

	(void)state;
	bytes += trace_json_slice(file + bytes, &mark);
	bytes += trace_json_end(file + bytes, &mark);
	events = json_loadb(file, bytes, 0, NULL);
	assert_int_equal(json_array_size(events), 2);
	assert_string_equal(text_in(json_array_get(events, 1), "ph"), "i");
	json_decref(events);
}

/* --- in memory --------------------------------------------------------------- */

static char g_folder[] = "/tmp/trace_rows_test_XXXXXX";

/* A row that begins with @number. */
static void put(struct trace_out *out, uint32_t number, size_t bytes)
{
	char *row = trace_out_room(out);

	memset(row, 'x', bytes);
	for (size_t i = 0; i < sizeof(number); i++) /* six bits a letter */
		row[i] = (char)(' ' + (number >> 6 * i & 63));
	row[bytes - 1] = '\n';
	trace_out_add(out, bytes);
}

static uint32_t number_of(const char *row)
{
	uint32_t number = 0;

	for (size_t i = 0; i < sizeof(number); i++)
		number |= (uint32_t)(row[i] - ' ') << 6 * i;
	return number;
}

/* What is kept: numbers *first to the last that was put. Returns how many. */
static uint32_t copy(const struct trace_out *out, uint32_t last, uint32_t *first)
{
	static char text[2 * TRACE_HALF_BYTES];
	char path[sizeof(g_folder) + 16];
	struct why why = { 0 };
	struct row_file file;
	struct loop loop;
	uint32_t rows = 0;
	size_t length;
	FILE *read;
	int fd;

	snprintf(path, sizeof(path), "%s/rows", g_folder);
	assert_int_equal(loop_create(&loop, &why), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(row_file_open(&file, &loop, fd, path, "", &why), 0);
	trace_out_copy(out, &file);
	assert_int_equal(row_file_close(&file, &why), 0);
	loop_destroy(&loop);
	read = fopen(path, "re");
	length = fread(text, 1, sizeof(text), read);
	fclose(read);
	remove(path);
	for (char *row = text, *end; row < text + length; row = end + 1, rows++) {
		end = memchr(row, '\n', (size_t)(text + length - row));
		assert_non_null(end);
		if (rows == 0)
			*first = number_of(row);
		assert_int_equal(number_of(row), *first + rows);
	}
	assert_true(rows == 0 || *first + rows - 1 == last);
	return rows;
}

static void memory_keeps_the_last_rows(void **state)
{
	const size_t bytes = 100;
	const uint32_t a_half = TRACE_HALF_BYTES / bytes;
	struct trace_out out;
	struct why why = { 0 };
	uint32_t first = 0;

	(void)state;
	assert_int_equal(trace_out_to_memory(&out, &why), 0);
	assert_int_equal(copy(&out, 0, &first), 0);
	for (uint32_t number = 0; number < 10 * a_half; number++) {
		put(&out, number, bytes);
		if (number == 5 || number == a_half + 5 || number == 9 * a_half) {
			uint32_t rows = copy(&out, number, &first);

			assert_true(rows >= (number < a_half ? number + 1 : a_half - 6));
			assert_true(number >= a_half || first == 0);
		}
	}
	trace_out_close(&out);
}

/* A half is begun when the last one is old enough, and so are at least that many
 * nanoseconds kept. */
static void memory_is_kept_by_time(void **state)
{
	struct trace_out out;
	struct why why = { 0 };
	uint32_t first = 0;

	(void)state;
	assert_int_equal(trace_out_to_memory(&out, &why), 0);
	for (uint32_t number = 0; number < 20; number++) {
		put(&out, number, 20);
		trace_out_push(&out, (1 + number) * 10 * NS_PER_MS, UINT64_MAX);
	}
	assert_true(copy(&out, 19, &first) >= 5);
	assert_in_range(first, 5, 15);
	trace_out_close(&out);
}

/* A flush that has been under way since @needed, at 10 ms a row, is kept from its beginning. */
static void memory_keeps_what_is_needed(void **state)
{
	(void)state;
	for (uint32_t needed = 0; needed < 100; needed += 9) {
		struct trace_out out;
		struct why why = { 0 };
		uint32_t first = 0;

		assert_int_equal(trace_out_to_memory(&out, &why), 0);
		for (uint32_t number = 0; number < 100; number++) {
			uint32_t since = number < needed ? number : needed;

			put(&out, number, 20);
			trace_out_push(&out, (1 + number) * 10 * NS_PER_MS,
				       (1 + since) * 10 * NS_PER_MS);
		}
		(void)copy(&out, 99, &first);
		assert_true(first <= needed + 1);
		assert_true(first + 15 >= needed);
		trace_out_close(&out);
	}
}

static int group_set_up(void **state)
{
	(void)state;
	return mkdtemp(g_folder) != NULL ? 0 : -1;
}

static int group_tear_down(void **state)
{
	(void)state;
	return remove(g_folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slice_has_its_parts),
		cmocka_unit_test(what_is_not_there_is_left_out),
		cmocka_unit_test(arrows_have_two_ends),
		cmocka_unit_test(tracks_are_named_and_ordered),
		cmocka_unit_test(the_longest_row_fits),
		cmocka_unit_test(the_end_closes_the_array),
		cmocka_unit_test(memory_keeps_the_last_rows),
		cmocka_unit_test(memory_is_kept_by_time),
		cmocka_unit_test(memory_keeps_what_is_needed),
	};

	return !!cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
