// SPDX-License-Identifier: MIT
/*
 * rows_are_whole_at_every_moment_test.c - a process that is killed by a second signal while
 * it writes, at whatever moment, leaves whole rows and no half text.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "output.h"
#include "report.h"
#include "trace_json.h"
#include "unit_test.h"

#define KILLS 60
#define TEXT_BYTES (16u << 20)

/* Written page by page, and for nothing but memory: kills find more half rows there. */
static char g_folder[] = "/dev/shm/whole_test_XXXXXX";
static char g_text[TEXT_BYTES + 1];
static struct files g_files;
static struct output g_output;
static struct loop g_loop;

static int group_set_up(void **state)
{
	const struct options options = {
		.action = OPTIONS_RUN, .out = g_folder, .break_over_us = 1, .protocol_count = 0,
	};
	struct why why = { 0 };

	(void)state;
	memset(g_text, 'x', TEXT_BYTES);
	if (mkdtemp(g_folder) == NULL || chdir(g_folder) != 0)
		return -1;
	return files_settle(&g_files, &options, &why);
}

static int group_tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", g_folder);
	return chdir("/") | system(command);
}

static void write_rows(void)
{
	const struct trace_slice mark = { .name = "row", .number = TRACE_NO_NUMBER };
	struct row_file *csv = &g_output.csv.file, *trace = &g_output.trace.file;

	for (uint32_t seq = 0;; seq++) {
		const struct flush_row row = { .seq = seq, .start_ns = seq * UINT64_C(1000003) };

		row_file_add(csv, csv_row(row_file_room(csv), &row, SD_PROTOCOL_generation));
		row_file_add(trace, trace_json_mark(row_file_room(trace), &mark));
		if (seq % 300 != 0)
			continue;
		row_file_push(csv);
		row_file_push(trace);
		(void)loop_wait(&g_loop, 0);
	}
}

static void write_texts(void)
{
	struct why why = { 0 };

	if (output_write_text(&g_output, OUTPUT_BREAK, strdup(g_text), &why) != 0 ||
	    output_write_text(&g_output, OUTPUT_SUMMARY, strdup(g_text), &why) != 0)
		_exit(96);
	for (;;)
		pause();
}

static pid_t begin(void (*write_all)(void))
{
	pid_t child = fork();
	struct why why = { 0 };

	assert_true(child >= 0);
	if (child != 0)
		return child;
	alarm(60);
	if (loop_create(&g_loop, &why) != 0 || output_open(&g_output, &g_files, &g_loop, &why) != 0)
		_exit(97);
	write_all();
	_exit(98);
}

static size_t size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (size_t)status.st_size : 0;
}

static char last_byte(int fd)
{
	struct stat status;
	char last = '\n';

	if (fstat(fd, &status) == 0 && status.st_size != 0)
		(void)!pread(fd, &last, 1, status.st_size - 1);
	return last;
}

/* The second signal comes when the kernel is seen in the middle of a row of @path, or
 * @delay_ns after it has begun to fill. */
static void kill_twice(pid_t child, const char *path, uint64_t delay_ns)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	int last = signals[delay_ns % 3], status = 0, fd;
	uint64_t from;

	while (size_of(path) == 0)
		assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	kill(child, last == SIGTERM ? SIGINT : SIGTERM);
	for (from = clock_ns(); clock_ns() - from < delay_ns && last_byte(fd) == '\n';)
		;
	kill(child, last);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_true(WTERMSIG(status) != SIGALRM);
	close(fd);
}

static void ends_with_a_row(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	if (last_byte(fd) != '\n')
		fail_msg("%s ends after %zu bytes, in a row", path, size_of(path));
	close(fd);
}

static void empty_folder(void)
{
	unlink("flush-latency.csv");
	unlink("break-trace.json");
	unlink("summary.json");
	unlink("break.json");
}

static void rows_are_whole(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < KILLS; i++) {
		empty_folder();
		kill_twice(begin(write_rows), "flush-latency.csv", 20 * NS_PER_MS + i);
		ends_with_a_row("flush-latency.csv");
		ends_with_a_row("break-trace.json");
	}
}

static void a_text_is_there_or_not(void **state)
{
	size_t whole = 0;

	(void)state;
	for (uint64_t i = 0; i < KILLS / 3; i++) {
		size_t broke, summary;

		empty_folder();
		kill_twice(begin(write_texts), "break.json", i * 100003);
		broke = size_of("break.json");
		summary = size_of("summary.json");
		if ((broke != 0 && broke != TEXT_BYTES) || (summary != 0 && summary != TEXT_BYTES))
			fail_msg("%zu and %zu bytes of %u", broke, summary, TEXT_BYTES);
		whole += broke != 0;
	}
	assert_true(whole > 0);
}

/* A disk that is full after @bytes takes no half text either. */
static void a_full_disk_has_no_half_text(void **state)
{
	const struct rlimit limit = { 100000, 100000 };
	pid_t child = fork();
	struct why why = { 0 };
	int status;

	(void)state;
	empty_folder();
	if (child == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (loop_create(&g_loop, &why) != 0 ||
		    output_open(&g_output, &g_files, &g_loop, &why) != 0 ||
		    setrlimit(RLIMIT_FSIZE, &limit) != 0)
			_exit(97);
		_exit(output_write_text(&g_output, OUTPUT_SUMMARY, strdup(g_text), &why) == -EFBIG &&
		      why.status == EXIT_RESULTS ? 0 : 96);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(size_of("summary.json"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(a_text_is_there_or_not),
		cmocka_unit_test(a_full_disk_has_no_half_text),
	};

	return !!cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
