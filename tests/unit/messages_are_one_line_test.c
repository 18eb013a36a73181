// SPDX-License-Identifier: MIT
/*
 * messages_are_one_line_test.c - whatever a message names, it is one line that a terminal
 * shows and does not obey, and its reason is not cut off by a long name.
 */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "line.h"
#include "unit_test.h"
#include "why.h"

static const struct { const char *text, *shown; } g_texts[] = {
	{ "", "" },
	{ "o/summary.json", "o/summary.json" },
	{ "two\nlines\r\n\tthree", "two\\nlines\\r\\n\\tthree" },
	{ "\x1b[31mred\x1b[0m \x07", "\\x1b[31mred\\x1b[0m \\x07" },
	{ "\x01\x1f ~\x7f", "\\x01\\x1f ~\\x7f" },
	{ "a\\nb", "a\\nb" },                                   /* a backslash is itself */
	{ "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ "\xc2\x9b" "31m\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x9b" "31m\\xc2\\x80\\xc2\\x9f\xc2\xa0" },
	{ "\x9b" "31m", "\\x9b" "31m" },
	{ "\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" }, /* line, paragraph */
	{ "\xe2\x80\xaetxt", "\\xe2\\x80\\xaetxt" },            /* right to left */
	{ "\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", "\\xe2\\x81\\xa6\\xe2\\x80\\x8f\\xd8\\x9c" },
	{ "\xff\xc3", "\\xff\\xc3" },
	{ "\xc0\x8a\xed\xa0\x80", "\\xc0\\x8a\\xed\\xa0\\x80" },
};

static void what_a_terminal_obeys_is_escaped(void **state)
{
	char once[64], twice[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_texts); i++) {
		assert_int_equal(escape_text(once, sizeof(once), g_texts[i].text),
				 strlen(g_texts[i].text));
		assert_string_equal(once, g_texts[i].shown);
		(void)escape_text(twice, sizeof(twice), once);
		assert_string_equal(twice, once);
	}
}

/* At every length: terminated, nothing beyond, no escape and no sequence in half. */
static void nothing_is_shown_by_halves(void **state)
{
	const char *text = "a\n\xe2\x82\xac\xc2\x9b" "b";
	const char *const steps[] = { "", "a", "a\\n", "a\\n\xe2\x82\xac", "a\\n\xe2\x82\xac\\xc2\\x9b",
				      "a\\n\xe2\x82\xac\\xc2\\x9b" "b" };

	(void)state;
	for (size_t bytes = 1; bytes < 24; bytes++) {
		char out[32];
		size_t step = 0;

		memset(out, 'z', sizeof(out));
		while (step + 1 < COUNT_OF(steps) && strlen(steps[step + 1]) < bytes)
			step++;
		(void)escape_text(out, bytes, text);
		assert_string_equal(out, steps[step]);
		assert_int_equal(out[bytes], 'z');
	}
}

static void a_failure_is_one_line(void **state)
{
	struct why why = { 0 };

	(void)state;
	why_set(&why, EXIT_RESULTS, ENOENT, "%s: %s", "o\n\x1b[2J/x.csv", "No such file");
	assert_string_equal(why.text, "o\\n\\x1b[2J/x.csv: No such file");
}

static void a_long_name_does_not_hide_the_reason(void **state)
{
	static char name[4096];
	struct why why = { 0 };

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(name); i++)
		name[i] = "\n\xc3\xa4"[i % 3];
	why_set(&why, EXIT_RESULTS, ENAMETOOLONG, "begin %s: File name too long", name);
	assert_in_range(strlen(why.text), sizeof(why.text) - 20, sizeof(why.text) - 1);
	assert_memory_equal(why.text, "begin \\n\xc3\xa4\\n", 12);
	assert_non_null(strstr(why.text, "..."));
	assert_string_equal(strrchr(why.text, ':'), ": File name too long");
	/* The end begins with something whole. */
	assert_true(strncmp(strstr(why.text, "...") + 3, "\\n", 2) == 0 ||
		    strncmp(strstr(why.text, "...") + 3, "\xc3\xa4", 2) == 0);
}

static void lines_of_a_report_are_lines(void **state)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	line_print(out, "CPU %s", "\x1b[31mSome\nCPU");
	line_say(out, "see %s", "o\n/break.json");
	line_print(out, "%099d\n\n", 0);
	fclose(out);
	assert_string_equal(text, "CPU \\x1b[31mSome\\nCPU\nsee o\\n/break.json\n"
		"0000000000000000000000000000000000000000000000000"
		"000000000000000000000000000000000000000000000000...\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_obeys_is_escaped),
		cmocka_unit_test(nothing_is_shown_by_halves),
		cmocka_unit_test(a_failure_is_one_line),
		cmocka_unit_test(a_long_name_does_not_hide_the_reason),
		cmocka_unit_test(lines_of_a_report_are_lines),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
