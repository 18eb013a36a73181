// SPDX-License-Identifier: MIT
/*
 * frames_round_trip_test.c - what is written to the line is read from it, however it is
 * cut, and bytes that somebody else has written are noticed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "unit_test.h"

static struct frame g_frame;
static struct frame_reader g_reader;

static void pipe_make(int ends[2])
{
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	memset(&g_reader, 0, sizeof(g_reader));
}

static void pipe_close(const int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

static void frames_keep_their_order_and_bytes(void **state)
{
	static uint8_t data[FRAME_MAX_BYTES];
	static const size_t sizes[] = { 0, 1, 4, 4095, FRAME_MAX_BYTES };
	int ends[2];

	(void)state;
	pipe_make(ends);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < COUNT_OF(sizes); i++)
		assert_int_equal(frame_write(ends[1], FRAME_STDOUT, data, sizes[i]), 0);
	for (size_t i = 0; i < COUNT_OF(sizes);) {
		int got = frame_next(&g_reader, &g_frame);

		assert_true(got >= 0);
		if (got == 0) {
			assert_true(frame_read(ends[0], &g_reader) > 0);
			continue;
		}
		assert_int_equal(g_frame.kind, FRAME_STDOUT);
		assert_int_equal(g_frame.bytes, sizes[i]);
		assert_memory_equal(g_frame.data, data, sizes[i]);
		assert_int_equal(g_frame.data[sizes[i]], 0);
		i++;
	}
	assert_int_equal(frame_read(ends[0], &g_reader), -EAGAIN);
	pipe_close(ends);
}

static void one_byte_at_a_time_is_enough(void **state)
{
	const uint32_t number = 0x01020304;
	uint8_t bytes[sizeof(struct frame_head) + sizeof(number)];
	int whole[2], slow[2];

	(void)state;
	pipe_make(whole);
	pipe_make(slow);
	assert_int_equal(frame_write(whole[1], FRAME_STATUS, &number, sizeof(number)), 0);
	assert_int_equal(read(whole[0], bytes, sizeof(bytes)), sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(frame_next(&g_reader, &g_frame), 0);
		assert_int_equal(write(slow[1], bytes + i, 1), 1);
		assert_int_equal(frame_read(slow[0], &g_reader), 1);
	}
	assert_int_equal(frame_next(&g_reader, &g_frame), 1);
	assert_int_equal(g_frame.kind, FRAME_STATUS);
	assert_int_equal(frame_number(&g_frame), number);
	assert_int_equal(frame_next(&g_reader, &g_frame), 0);
	pipe_close(whole);
	pipe_close(slow);
}

static void other_bytes_are_refused(void **state)
{
	static const char *const lines[] = { "login: ", "\xf5S\xff\xff" };
	int ends[2];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		pipe_make(ends);
		assert_true(write(ends[1], lines[i], strlen(lines[i])) > 0);
		assert_true(frame_read(ends[0], &g_reader) > 0);
		assert_int_equal(frame_next(&g_reader, &g_frame), -EPROTO);
		pipe_close(ends);
	}
}

static void the_end_of_the_line_is_told(void **state)
{
	int ends[2];

	(void)state;
	pipe_make(ends);
	close(ends[1]);
	assert_int_equal(frame_read(ends[0], &g_reader), 0);
	close(ends[0]);
	g_frame.bytes = 3;
	assert_int_equal(frame_number(&g_frame), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_keep_their_order_and_bytes),
		cmocka_unit_test(one_byte_at_a_time_is_enough),
		cmocka_unit_test(other_bytes_are_refused),
		cmocka_unit_test(the_end_of_the_line_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
