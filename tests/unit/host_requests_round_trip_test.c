// SPDX-License-Identifier: MIT
/*
 * host_requests_round_trip_test.c - the agent reads what enter has written, whatever bytes a
 * command line or an environment has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"
#include "unit_test.h"

static char *g_command[] = {
	"/a b/vmm", "", "--out=o o", "a\nb=c", "\x01\xff", "argument=x", NULL,
};
static char *g_environment[] = { "A=", "B=1=2", "LINES=24\n", NULL };

static char *text_of(const struct request *request, size_t *bytes)
{
	char *text;
	FILE *file = open_memstream(&text, bytes);

	request_write(request, file);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void words_equal(char *const *a, char *const *b)
{
	size_t i = 0;

	for (; a[i] != NULL && b[i] != NULL; i++)
		assert_string_equal(a[i], b[i]);
	assert_true(a[i] == NULL && b[i] == NULL);
}

static void everything_comes_back(void **state)
{
	struct request written = {
		.host = "amd", .root = "virtiofs", .folder = "/tmp/x y",
		.command = g_command, .environment = g_environment,
		.terminal = { false, true, false },
		.size = { .ws_row = 24, .ws_col = 80 },
		.mask = 027,
		.modules = { "kvm.ko", "kvm-amd.ko npt=0" },
	};
	struct request read;
	size_t bytes;

	(void)state;
	written.limits[RLIMIT_NOFILE] = (struct rlimit){ 1024, RLIM_INFINITY };
	char *text = text_of(&written, &bytes);
	assert_int_equal(request_read(text, bytes, &read), 0);
	assert_string_equal(read.host, "amd");
	assert_string_equal(read.root, "virtiofs");
	assert_string_equal(read.folder, "/tmp/x y");
	words_equal(read.command, g_command);
	words_equal(read.environment, g_environment);
	assert_true(read.terminal[1] && !read.terminal[2]);
	assert_int_equal(read.size.ws_col, 80);
	assert_int_equal(read.size.ws_row, 24);
	assert_int_equal(read.mask, 027);
	assert_memory_equal(read.limits, written.limits, sizeof(read.limits));
	assert_string_equal(read.modules[1], "kvm-amd.ko npt=0");
	assert_null(read.modules[2]);
	free(read.command);
	free(read.environment);
	free(text);
}

static void what_is_not_whole_is_refused(void **state)
{
	static const struct { const char *text; size_t bytes; } bad[] = {
		{ "", 0 }, { "host=amd", 8 }, { "host\0", 5 }, { "color=red\0", 10 },
		{ "host=amd\0root=x\0folder=/\0", 25 }, { "limit=99 1 1\0", 13 },
		{ "limit=1\0", 8 }, { "terminals=1\0", 12 },
	};
	struct request read;
	char copy[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		memcpy(copy, bad[i].text, bad[i].bytes);
		assert_int_equal(request_read(copy, bad[i].bytes, &read), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_comes_back),
		cmocka_unit_test(what_is_not_whole_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
