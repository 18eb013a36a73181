// SPDX-License-Identifier: MIT
/*
 * output.c - the files of a run (output.h).
 *
 * Threads: main; cut() in a signal handler on main.
 * Tested:  tests/unit/rows_are_whole_at_every_moment_test.c,
 *          tests/kvm/fifos_are_not_waited_for_test.py
 */
#include "output.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "report.h"
#include "trace_json.h"

static int refuse(const char *path, int error, struct why *why)
{
	struct stat status;

	/* What open() says of a FIFO that has no reader, and of a socket. */
	if (error == ENXIO && stat(path, &status) == 0)
		return why_set(why, EXIT_RESULTS, error, "%s: %s%s", path, files_kind(status.st_mode),
			       S_ISFIFO(status.st_mode) ? " that nobody reads" : "");
	return why_set(why, EXIT_RESULTS, error, "%s: %s", path, strerror(error));
}

/* Opened as it is: nothing is emptied yet, and a FIFO without a reader is not waited for. */
static int open_file(const struct named_file *file, int *fd, struct why *why)
{
	if (file->path[0] == '\0')
		return 0;
	*fd = open(file->path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
	return *fd < 0 ? refuse(file->path, errno, why) : 0;
}

static int open_all(const struct files *files, int fds[OUTPUT_FILES], struct why *why)
{
	int error = files_make_folder(files, why);

	for (int i = 0; error == 0 && i < OUTPUT_FILES; i++)
		error = open_file(&files->outputs[i], &fds[i], why);
	return error;
}

static int empty_all(const struct files *files, const int fds[OUTPUT_FILES], struct why *why)
{
	for (int i = 0; i < OUTPUT_FILES; i++)
		if (fds[i] >= 0 && S_ISREG(files->outputs[i].identity.mode) && ftruncate(fds[i], 0) != 0)
			return refuse(files->outputs[i].path, errno, why);
	return 0;
}

static int begin_rows(struct row_output *rows, struct loop *loop, const struct named_file *file,
		      int *fd, const char *header, struct why *why)
{
	int error;

	rows->path = file->path;
	if (*fd < 0)
		return 0;
	error = row_file_open(&rows->file, loop, *fd, file->path, header, why);
	rows->is_open = error == 0;
	if (rows->is_open)
		*fd = -1;
	return error;
}

static void close_all(const int fds[OUTPUT_FILES])
{
	for (int i = 0; i < OUTPUT_FILES; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* A text that was not written whole is taken back. */
static void cut_text(const struct text_file *file)
{
	struct stat status;

	if (file->fd >= 0 && file->pending != 0 && fstat(file->fd, &status) == 0 &&
	    S_ISREG(status.st_mode) && (size_t)status.st_size != file->pending)
		(void)!ftruncate(file->fd, 0);
}

static void cut_rows(const struct row_output *rows)
{
	if (rows->is_open)
		row_file_cut(&rows->file);
}

static void cut(void *context)
{
	const struct output *output = context;

	cut_rows(&output->csv);
	cut_rows(&output->trace);
	for (int i = 0; i < OUTPUT_FILES; i++)
		cut_text(&output->texts[i]);
}

int output_open(struct output *output, struct files *files, struct loop *loop, struct why *why)
{
	struct why ignored = { 0 };
	int fds[OUTPUT_FILES], error;

	*output = (struct output){ .loop = loop };
	for (int i = 0; i < OUTPUT_FILES; i++) {
		fds[i] = -1;
		output->texts[i] = (struct text_file){ .path = files->outputs[i].path, .fd = -1 };
	}
	error = open_all(files, fds, why);
	if (error == 0)
		error = files_compare_opened(files, fds, why);
	if (error == 0)
		error = empty_all(files, fds, why);
	if (error == 0)
		error = begin_rows(&output->csv, loop, &files->outputs[OUTPUT_CSV], &fds[OUTPUT_CSV],
				   csv_header(), why);
	if (error == 0)
		error = begin_rows(&output->trace, loop, &files->outputs[OUTPUT_TRACE],
				   &fds[OUTPUT_TRACE], TRACE_JSON_BEGIN, why);
	if (error != 0) {
		(void)!output_close_rows(&output->csv, &ignored);
		close_all(fds);
		return error;
	}
	for (int i = 0; i < OUTPUT_FILES; i++)
		output->texts[i].fd = fds[i];
	loop_at_kill(cut, output);
	return 0;
}

/* Returns 0 or the errno of what failed; ETIMEDOUT: nobody reads it. */
static int write_all(int fd, struct loop *loop, const char *text, size_t left)
{
	uint64_t taken_ns = clock_ns();

	while (left != 0) {
		ssize_t written = write(fd, text, left);

		if (written < 0 && errno == EAGAIN) {
			if (!loop_await_reader(loop, taken_ns))
				return ETIMEDOUT;
		} else if (written < 0 && errno != EINTR) {
			return errno;
		} else if (written > 0) {
			text += written;
			left -= (size_t)written;
			taken_ns = clock_ns();
		}
	}
	return 0;
}

int output_write_text(struct output *output, int which, char *text, struct why *why)
{
	struct text_file *file = &output->texts[which];
	size_t length = text != NULL ? strlen(text) : 0;
	int fd = file->fd, error = text == NULL ? ENOMEM : 0;

	file->pending = length;
	atomic_signal_fence(memory_order_seq_cst);
	if (error == 0)
		error = write_all(fd, output->loop, text, length);
	cut_text(file);
	file->fd = -1;
	atomic_signal_fence(memory_order_seq_cst);
	if (close(fd) != 0 && error == 0)
		error = errno;
	free(text);
	if (error == 0)
		return 0;
	return why_set(why, EXIT_RESULTS, error, "%s: %s", file->path,
		       error == ETIMEDOUT ? "nobody reads it" : strerror(error));
}

int output_close_rows(struct row_output *rows, struct why *why)
{
	bool is_open = rows->is_open;

	rows->is_open = false;
	return is_open ? row_file_close(&rows->file, why) : 0;
}
