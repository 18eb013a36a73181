// SPDX-License-Identifier: MIT
/*
 * progress_fits_the_terminal_test.c - the live line is never wider than the
 * terminal or its buffer, and what it shows is whole.
 */
#include <string.h>

#include "report.h"
#include "unit_test.h"

#define GUARD 0x5a

static const char g_full[] = "generation  round 1/3  1.2/2.0 s  1234 flushes  stale 56";

static void line_of(char *out, size_t bytes, unsigned columns)
{
	progress_line(out, bytes, columns, "generation", 1, 3, 1.23, 2.0, 1234, 56);
}

static void a_wide_terminal_shows_everything(void **state)
{
	char line[128];

	(void)state;
	line_of(line, sizeof(line), 120);
	assert_string_equal(line, g_full);
	line_of(line, sizeof(line), (unsigned)strlen(g_full));
	assert_string_equal(line, g_full);
	line_of(line, sizeof(g_full), 120);
	assert_string_equal(line, g_full);
	line_of(line, sizeof(g_full) - 1, (unsigned)strlen(g_full));    /* no room for the end */
	assert_true(strlen(line) < strlen(g_full));
}

/* A cut is either at the end of a field or nothing is shown. */
static void assert_whole_fields(const char *line)
{
	size_t length = strlen(line);

	assert_memory_equal(line, g_full, length);
	assert_true(length == 0 || g_full[length] == '\0' ||
		    (g_full[length] == ' ' && g_full[length + 1] == ' '));
}

static void every_width_holds_whole_fields(void **state)
{
	char line[128];
	size_t before = 0;

	(void)state;
	for (unsigned columns = 0; columns <= sizeof(g_full); columns++) {
		memset(line, GUARD, sizeof(line));
		line_of(line, sizeof(line), columns);
		assert_true(strlen(line) <= columns);
		assert_true(strlen(line) >= before);
		assert_whole_fields(line);
		before = strlen(line);
	}
	assert_int_equal(before, strlen(g_full));
}

static void every_buffer_is_respected(void **state)
{
	char line[128];

	(void)state;
	for (size_t bytes = 0; bytes <= sizeof(g_full) + 1; bytes++) {
		memset(line, GUARD, sizeof(line));
		line_of(line, bytes, 200);
		for (size_t i = bytes; i < sizeof(line); i++)
			assert_int_equal(line[i], GUARD);
		if (bytes > 0) {
			assert_true(strlen(line) < bytes);
			assert_whole_fields(line);
		}
	}
}

/* With --flushes alone there is no total. */
static void no_deadline_shows_no_total(void **state)
{
	char line[128];

	(void)state;
	progress_line(line, sizeof(line), 80, "ipi", 2, 2, 61.0, 0.0, UINT64_MAX, UINT64_MAX);
	assert_string_equal(line, "ipi  round 2/2  61.0 s  18446744073709551615 flushes"
				  "  stale 18446744073709551615");
	assert_true(strlen(line) <= 80);
}

static void absurd_times_do_no_harm(void **state)
{
	char line[64];

	(void)state;
	progress_line(line, sizeof(line), 40, "ipi", 1, 1, 1e300, 1e300, 0, 0);
	assert_string_equal(line, "ipi  round 1/1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wide_terminal_shows_everything),
		cmocka_unit_test(every_width_holds_whole_fields),
		cmocka_unit_test(every_buffer_is_respected),
		cmocka_unit_test(no_deadline_shows_no_total),
		cmocka_unit_test(absurd_times_do_no_harm),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
