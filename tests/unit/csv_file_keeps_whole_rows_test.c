// SPDX-License-Identifier: MIT
/*
 * csv_file_keeps_whole_rows_test.c - what was put in is in the file, or the file
 * ends with a whole row and the rest has been counted.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "report.h"
#include "row_file.h"
#include "unit_test.h"

#define ROWS 20000              /* over several buffers */
#define SOMEBODY 61234          /* a user who runs nothing else */

static char g_folder[] = "/tmp/csv_file_test_XXXXXX";
static char g_path[sizeof(g_folder) + 16];
static char g_expected[ROWS * CSV_ROW_MAX];
static size_t g_expected_bytes;
static struct loop g_loop;

static struct flush_row row_of(uint32_t n)
{
	return (struct flush_row){
		.start_ns = UINT64_C(1000003) * n * n, .pte_ns = n % 5000, .wall_ns = n * 7919u,
		.stall_ns = n, .seq = n, .run = n / 1000, .initiator = n % 64, .targets = 7,
		.ipis = n % 8, .deferred = 7 - n % 8, .taken_over = n % 3, .pages = 1,
	};
}

static enum sd_protocol protocol_of(uint32_t n)
{
	return (enum sd_protocol)(n % SD_PROTOCOLS);
}

static int group_set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	g_expected_bytes = strlen(csv_header());
	memcpy(g_expected, csv_header(), g_expected_bytes);
	for (uint32_t n = 0; n < ROWS; n++) {
		struct flush_row row = row_of(n);

		g_expected_bytes += csv_row(g_expected + g_expected_bytes, &row, protocol_of(n));
	}
	if (mkdtemp(g_folder) == NULL || loop_create(&g_loop, &why) != 0)
		return -1;
	snprintf(g_path, sizeof(g_path), "%s/rows.csv", g_folder);
	return g_expected_bytes > 3 * ROW_FILE_BUFFER_BYTES ? 0 : -1;
}

static int group_tear_down(void **state)
{
	(void)state;
	loop_destroy(&g_loop);
	unlink(g_path);
	return rmdir(g_folder);
}

/* All rows, with a push now and then, as a round does. Returns what close says. */
static int write_all(struct row_file *file, struct loop *loop, struct why *why)
{
	for (uint32_t n = 0; n < ROWS; n++) {
		struct flush_row row = row_of(n);

		row_file_add(file, csv_row(row_file_room(file), &row, protocol_of(n)));
		if (n % 777 == 0)
			row_file_push(file);
		if (n % 997 == 0)
			(void)loop_wait(loop, 0);
	}
	return row_file_close(file, why);
}

/* As output_open() does. */
static int open_rows(struct row_file *file, struct loop *loop, const char *path,
		     struct why *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	assert_true(fd >= 0);
	return row_file_open(file, loop, fd, path, csv_header(), why);
}

static int write_rows(struct row_file *file, const char *path, struct loop *loop, struct why *why)
{
	int error = open_rows(file, loop, path, why);

	return error != 0 ? error : write_all(file, loop, why);
}

static uint32_t count_lines(const char *bytes, size_t length)
{
	uint32_t lines = 0;

	for (size_t i = 0; i < length; i++)
		lines += bytes[i] == '\n';
	return lines;
}

/* The file is the first rows and nothing else; returns how many, the header too. */
static uint32_t whole_rows(const char *path)
{
	static char bytes[sizeof(g_expected)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = read(fd, bytes, sizeof(bytes));

	assert_true(length >= 0 && (size_t)length <= g_expected_bytes);
	close(fd);
	assert_memory_equal(bytes, g_expected, (size_t)length);
	assert_true(length == 0 || bytes[length - 1] == '\n');
	return count_lines(bytes, (size_t)length);
}

static void rows_are_in_the_file(void **state)
{
	static struct row_file file;
	struct why why = { 0 };

	(void)state;
	for (int again = 0; again < 2; again++) {       /* the second empties the first */
		assert_int_equal(write_rows(&file, g_path, &g_loop, &why), 0);
		assert_string_equal(why.text, "");
		assert_int_equal(file.lost_rows, 0);
		assert_int_equal(whole_rows(g_path), ROWS + 1);
	}
}

static void no_rows_leave_a_header(void **state)
{
	static struct row_file file;
	struct why why = { 0 };

	(void)state;
	assert_int_equal(open_rows(&file, &g_loop, g_path, &why), 0);
	row_file_push(&file);
	assert_int_equal(row_file_close(&file, &why), 0);
	assert_int_equal(whole_rows(g_path), 1);
}

static void a_full_disk_fails_the_run(void **state)
{
	static struct row_file file;
	struct why why = { 0 };

	(void)state;
	assert_int_equal(write_rows(&file, "/dev/full", &g_loop, &why), -ENOSPC);
	assert_int_equal(why.status, EXIT_RESULTS);
	assert_non_null(strstr(why.text, "/dev/full"));
	assert_int_equal(file.lost_rows, ROWS + 1);
}

/* In a child, because the limit cannot be raised again. */
static void run_limited(rlim_t bytes)
{
	const struct rlimit limit = { bytes, bytes };
	static struct row_file file;
	struct why why = { 0 };
	struct loop loop;

	signal(SIGXFSZ, SIG_IGN);
	if (loop_create(&loop, &why) != 0 || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		_exit(1);
	if (write_rows(&file, g_path, &loop, &why) != -EFBIG || why.status != EXIT_RESULTS)
		_exit(2);
	if (file.lost_rows + whole_rows(g_path) != ROWS + 1)
		_exit(3);
	_exit(0);
}

static void a_limit_ends_the_file_with_a_whole_row(void **state)
{
	const size_t header = strlen(csv_header());
	const size_t limits[] = {
		0, 1, header - 1, header, header + 1, ROW_FILE_BUFFER_BYTES - 1,
		ROW_FILE_BUFFER_BYTES, ROW_FILE_BUFFER_BYTES + 1, 300001, g_expected_bytes - 1,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(limits); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			run_limited(limits[i]);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (status != 0)
			fail_msg("limit of %zu bytes: status 0x%x", limits[i], (unsigned)status);
		assert_int_equal(whole_rows(g_path), count_lines(g_expected, limits[i]));
	}
}

/* In a child, as somebody who may not have a thread more: io_uring cannot start any, and
 * main writes its rows itself. It has to be allowed to. */
static void run_without_threads(void)
{
	const struct confine_end end = { .wake_fd = -1 };
	const struct rlimit none = { 0 };
	static struct row_file file;
	struct why why = { 0 };
	struct loop loop;

	if (chmod(g_folder, 0711) != 0 || chmod(g_path, 0666) != 0 ||
	    setrlimit(RLIMIT_NPROC, &none) != 0)
		_exit(1);
	/* The limit does not bind root. */
	if (geteuid() == 0 && setresuid(SOMEBODY, SOMEBODY, SOMEBODY) != 0)
		_exit(1);
	if (loop_create(&loop, &why) != 0 ||
	    open_rows(&file, &loop, g_path, &why) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    confine_prepare(CONFINE_ON, &end, &why) != 0 || confine_enter(CONFINE_MAIN, &why) != 0)
		_exit(1);
	if (write_all(&file, &loop, &why) != 0 || file.lost_rows != 0)
		_exit(2);
	_exit(0);
}

static void no_thread_to_spare_loses_no_row(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		run_without_threads();
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status != 0)
		fail_msg("status 0x%x", (unsigned)status);
	assert_int_equal(whole_rows(g_path), ROWS + 1);
}

/* The kernel has been seen after each byte of a write. */
static void a_kill_leaves_whole_rows(void **state)
{
	static const char rows[] = "a,1\nb,22\nc,333\n";
	static const size_t whole[] = { 0, 0, 0, 0, 4, 4, 4, 4, 4, 9, 9, 9, 9, 9, 9, 15 };
	int fd = open(g_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct row_file file = { .loop = &g_loop, .write = { .fd = fd }, .whole = 7,
				 .bytes = rows, .length = sizeof(rows) - 1 };
	struct stat status;

	(void)state;
	assert_true(fd >= 0);
	for (size_t done = 0; done < COUNT_OF(whole); done++) {
		assert_int_equal(ftruncate(fd, 7), 0);
		assert_int_equal(pwrite(fd, rows, done, 7), done);
		row_file_cut(&file);
		assert_int_equal(fstat(fd, &status), 0);
		assert_int_equal(status.st_size, 7 + whole[done]);
	}
	close(fd);
}

struct reader {
	int fd;
	size_t limit;
	size_t bytes;
	bool differs;
};

static void *read_all(void *argument)
{
	struct reader *reader = argument;
	char bytes[3000];
	ssize_t got;

	reader->fd = open(g_path, O_RDONLY | O_CLOEXEC);
	while (reader->bytes < reader->limit && (got = read(reader->fd, bytes, sizeof(bytes))) > 0) {
		reader->differs |= memcmp(bytes, g_expected + reader->bytes, (size_t)got) != 0;
		reader->bytes += (size_t)got;
	}
	close(reader->fd);
	return NULL;
}

/* Through a pipe whose reader leaves after @limit bytes. */
static int through_a_pipe(struct row_file *file, struct reader *reader, struct why *why)
{
	pthread_t thread;
	int error;

	unlink(g_path);
	assert_int_equal(mkfifo(g_path, 0600), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_all, reader), 0);
	error = write_rows(file, g_path, &g_loop, why);
	assert_int_equal(pthread_join(thread, NULL), 0);
	unlink(g_path);
	return error;
}

static void a_pipe_works(void **state)
{
	struct reader reader = { .limit = SIZE_MAX };
	static struct row_file file;
	struct why why = { 0 };

	(void)state;
	assert_int_equal(through_a_pipe(&file, &reader, &why), 0);
	assert_int_equal(reader.bytes, g_expected_bytes);
	assert_false(reader.differs);
}

static void a_pipe_that_breaks_fails_the_run(void **state)
{
	struct reader reader = { .limit = 100000 };
	static struct row_file file;
	struct why why = { 0 };

	(void)state;
	assert_int_equal(through_a_pipe(&file, &reader, &why), -EPIPE);
	assert_int_equal(why.status, EXIT_RESULTS);
	/* Nobody can cut a pipe back: no promise. */
	assert_null(strstr(why.text, "whole"));
	assert_false(reader.differs);
	assert_in_range(file.lost_rows, 1, ROWS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_in_the_file),
		cmocka_unit_test(no_rows_leave_a_header),
		cmocka_unit_test(a_full_disk_fails_the_run),
		cmocka_unit_test(a_limit_ends_the_file_with_a_whole_row),
		cmocka_unit_test(no_thread_to_spare_loses_no_row),
		cmocka_unit_test(a_kill_leaves_whole_rows),
		cmocka_unit_test(a_pipe_works),
		cmocka_unit_test(a_pipe_that_breaks_fails_the_run),
	};

	return !!cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
