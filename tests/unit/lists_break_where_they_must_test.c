// SPDX-License-Identifier: MIT
/*
 * lists_break_where_they_must_test.c - a list in the report goes on in another line where an
 * item no longer fits, never before, and an item is cut only where no line would hold it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "unit_test.h"

/* Every width of the last item: the line breaks where it no longer fits, not before. */
static void a_list_breaks_only_where_it_must(void **state)
{
	static const char filler[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

	(void)state;
	for (int width = 1; width <= LINE_COLUMNS; width++) {
		/* "head: ", the first item, ", " and the second; room for a comma after it. */
		bool fits = 6 + 10 + 2 + width + 1 <= LINE_COLUMNS;
		char *text = NULL, expected[256];
		size_t bytes = 0;
		FILE *out = open_memstream(&text, &bytes);
		struct line_list list;

		assert_non_null(out);
		line_list_begin(&list, out, "head: ");
		line_list_add(&list, "%s", "0123456789");
		line_list_add(&list, "%.*s", width, filler);
		line_list_end(&list);
		fclose(out);
		snprintf(expected, sizeof(expected), "head: 0123456789,%s%.*s\n",
			 fits ? " " : "\n  ", width, filler);
		if (width <= LINE_COLUMNS - 2)
			assert_string_equal(text, expected);
		else
			assert_non_null(strstr(text, "xxx...\n"));
		free(text);
	}
}

static void an_item_too_long_is_cut(void **state)
{
	char item[LINE_COLUMNS + 1] = "", *text = NULL, expected[LINE_COLUMNS + 2];
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	struct { struct line_list list; char behind[LINE_COLUMNS]; } guarded = { 0 };

	(void)state;
	assert_non_null(out);
	memset(item, 'x', sizeof(item) - 1);
	line_list_begin(&guarded.list, out, "head: ");
	line_list_add(&guarded.list, "%s", item);
	line_list_end(&guarded.list);
	fclose(out);
	snprintf(expected, sizeof(expected), "head: %.*s...\n", LINE_COLUMNS - 9, item);
	assert_string_equal(text, expected);
	for (size_t i = 0; i < sizeof(guarded.behind); i++)
		assert_int_equal(guarded.behind[i], 0);
	free(text);
}

/* Also an empty one is a line, and every character that can be printed is itself. */
static void a_line_is_what_it_was_given(void **state)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	line_print(out, "%s", "");
	line_print(out, "%s", " !~");
	fclose(out);
	assert_string_equal(text, "\n !~\n");
	free(text);
}

static void an_empty_list_is_no_line(void **state)
{
	struct line_list list;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	(void)state;
	assert_non_null(out);
	line_list_begin(&list, out, "head: ");
	line_list_end(&list);
	fclose(out);
	assert_int_equal(bytes, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_breaks_only_where_it_must),
		cmocka_unit_test(an_item_too_long_is_cut),
		cmocka_unit_test(a_line_is_what_it_was_given),
		cmocka_unit_test(an_empty_list_is_no_line),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
