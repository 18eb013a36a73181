// SPDX-License-Identifier: MIT
/*
 * guest_log_has_an_end_test.c - lines come out once and in order; those that there is no
 * room for are counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest_log.h"
#include "unit_test.h"

static struct guest_log g_log;

static int set_up(void **state)
{
	(void)state;
	guest_log_init(&g_log);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	guest_log_destroy(&g_log);
	return 0;
}

static void add(uint32_t vcpu, uint32_t number)
{
	struct guest_log_line line = { .vcpu = vcpu };

	snprintf(line.text, sizeof(line.text), "line %u", number);
	guest_log_add(&g_log, &line);
}

/* To be freed. */
static char *text_of(void (*print)(struct guest_log *log, FILE *out))
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	print(&g_log, out);
	fclose(out);
	return text;
}

static void prints(void (*print)(struct guest_log *log, FILE *out), const char *expected)
{
	char *text = text_of(print);

	assert_string_equal(text, expected);
	free(text);
}

static uint32_t lines_printed(void)
{
	char *text = text_of(guest_log_print);
	uint32_t lines = 0;

	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	free(text);
	return lines;
}

static void each_line_once_and_in_order(void **state)
{
	(void)state;
	prints(guest_log_print, "");
	add(3, 1);
	add(0, 2);
	prints(guest_log_print, "vCPU 3: line 1\nvCPU 0: line 2\n");
	prints(guest_log_print, "");
	add(3, 3);
	prints(guest_log_print, "vCPU 3: line 3\n");
	prints(guest_log_print_dropped, "");
}

static void between_two_prints_there_is_room_for_so_many(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < GUEST_LOG_LINES + 1; i++)
		add(0, i);
	assert_int_equal(lines_printed(), GUEST_LOG_LINES);
	prints(guest_log_print_dropped,
	       "vmm: dropped 1 more line of the guest\n");
	add(0, 0);
	assert_int_equal(lines_printed(), 1);
}

static void and_for_so_many_in_all(void **state)
{
	uint32_t lines = 0;

	(void)state;
	for (uint32_t i = 0; i < GUEST_LOG_MOST + 20; i++) {
		add(0, i);
		lines += lines_printed();
	}
	assert_int_equal(lines, GUEST_LOG_MOST);
	prints(guest_log_print_dropped,
	       "vmm: dropped 20 more lines of the guest\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_line_once_and_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(between_two_prints_there_is_room_for_so_many,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(and_for_so_many_in_all, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
