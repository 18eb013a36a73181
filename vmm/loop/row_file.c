// SPDX-License-Identifier: MIT
/*
 * row_file.c - a file of rows, streamed in place (row_file.h).
 *
 * Threads: main.
 * Tested:  tests/unit/csv_file_keeps_whole_rows_test.c,
 *          tests/unit/rows_are_whole_at_every_moment_test.c
 */
#include "row_file.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

static uint32_t rows_in(const char *bytes, uint32_t length)
{
	uint32_t rows = 0;

	for (uint32_t i = 0; i < length; i++)
		rows += bytes[i] == '\n';
	return rows;
}

/* A pipe or a device: nobody can cut it back, and it may take a while. */
static bool is_stream(const struct row_file *file)
{
	return file->whole == UINT64_MAX;
}

/* Bytes of whole rows among the first @done of those being written. */
static uint32_t whole_rows(const struct row_file *file, uint32_t done)
{
	while (done > 0 && file->bytes[done - 1] != '\n')
		done--;
	return done;
}

/* No more will be written. */
static void fail(struct row_file *file, int error)
{
	uint32_t whole = whole_rows(file, file->done);

	if (!is_stream(file)) {
		(void)!ftruncate(file->write.fd, (off_t)(file->whole + whole));
		file->whole += whole;
	}
	file->lost_rows += rows_in(file->bytes + whole, file->length - whole);
	file->error = error;
	file->length = 0;
	file->done = 0;
}

/* io_uring hands a write back undone where it may not start a thread for it, or that
 * thread was interrupted. */
static bool is_handed_back(int result)
{
	return result == -ECANCELED || result == -EAGAIN || result == -EINTR;
}

static void write_here(struct row_file *file)
{
	struct loop_write *pending = &file->write;
	ssize_t done;

	do
		done = is_stream(file) ? write(pending->fd, pending->bytes, pending->length)
				       : pwrite(pending->fd, pending->bytes, pending->length,
						(off_t)pending->offset);
	while (done < 0 && errno == EINTR);
	pending->result = done < 0 ? -errno : (int)done;
}

/* What is not written yet; a stream takes what it has room for, and is not waited for. */
static void start(struct row_file *file)
{
	file->write.bytes = file->bytes + file->done;
	file->write.length = file->length - file->done;
	file->write.offset = file->whole + file->done;
	if (is_stream(file))
		write_here(file);
	else
		loop_start_write(file->loop, &file->write);
}

/* The write that was started is over. A short one is continued, one that failed ends the
 * file. */
static void go_on(struct row_file *file)
{
	if (!is_stream(file) && is_handed_back(file->write.result))
		write_here(file);
	if (file->write.result > 0) {
		file->done += (uint32_t)file->write.result;
		file->taken_ns = clock_ns();
	} else if (file->write.result != -EAGAIN) {
		fail(file, file->write.result < 0 ? file->write.result : -EIO);
		return;
	}
	if (file->done < file->length) {
		start(file);
		return;
	}
	if (!is_stream(file))
		file->whole += file->length;
	/* row_file_cut() finds the end of the file at the end of @whole until the next
	 * write begins, whatever it finds in the rest. */
	atomic_signal_fence(memory_order_seq_cst);
	file->length = 0;
	file->done = 0;
}

/* Wait until all that was started is written, or will not be. */
static void settle(struct row_file *file)
{
	while (file->length != 0) {
		loop_finish_write(file->loop, &file->write);
		if (file->write.result == -EAGAIN && is_stream(file) &&
		    !loop_await_reader(file->loop, file->taken_ns)) {
			fail(file, -ETIMEDOUT);
			return;
		}
		go_on(file);
	}
}

int row_file_open(struct row_file *file, struct loop *loop, int fd, const char *path,
		  const char *header, struct why *why)
{
	struct stat status;
	bool seeks = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);

	*file = (struct row_file){ .loop = loop, .path = path, .write = { .fd = fd } };
	file->whole = seeks ? 0 : UINT64_MAX;
	/* io_uring would hand back whatever has to wait for the disk. */
	(void)fcntl(fd, F_SETFL, seeks ? 0 : O_NONBLOCK);
	file->buffers[0] = malloc(2 * ROW_FILE_BUFFER_BYTES);
	if (file->buffers[0] == NULL)
		return why_set(why, EXIT_RESULTS, ENOMEM, "%s: %s", path, strerror(ENOMEM));
	file->buffers[1] = file->buffers[0] + ROW_FILE_BUFFER_BYTES;
	file->filled = (uint32_t)strlen(header);
	memcpy(file->buffers[0], header, file->filled);
	return 0;
}

void row_file_push(struct row_file *file)
{
	if (file->length != 0 && !file->write.busy)
		go_on(file);
	if (file->length != 0 || file->filled == 0)
		return;
	file->bytes = file->buffers[file->filling];
	file->length = file->filled;
	file->filling ^= 1;
	file->filled = 0;
	file->taken_ns = clock_ns();
	atomic_signal_fence(memory_order_seq_cst);
	if (file->error != 0)
		fail(file, file->error);
	else
		start(file);
}

char *row_file_room(struct row_file *file)
{
	if (file->filled > ROW_FILE_BUFFER_BYTES - ROW_FILE_ROW_MAX) {
		settle(file);
		row_file_push(file);
	}
	return file->buffers[file->filling] + file->filled;
}

void row_file_add(struct row_file *file, size_t bytes)
{
	file->filled += (uint32_t)bytes;
}

void row_file_finish(struct row_file *file)
{
	settle(file);
	row_file_push(file);
	settle(file);
}

void row_file_cut(const struct row_file *file)
{
	struct stat status;
	uint64_t done;

	if (is_stream(file))
		return;
	loop_outlast_write(file->loop, &file->write);
	if (fstat(file->write.fd, &status) != 0 || (uint64_t)status.st_size <= file->whole)
		return;
	done = (uint64_t)status.st_size - file->whole;
	if (done <= file->length)
		(void)!ftruncate(file->write.fd,
				 (off_t)(file->whole + whole_rows(file, (uint32_t)done)));
}

int row_file_close(struct row_file *file, struct why *why)
{
	row_file_finish(file);
	if (close(file->write.fd) != 0 && file->error == 0)
		file->error = -errno;
	free(file->buffers[0]);
	if (file->error == 0)
		return 0;
	return why_set(why, EXIT_RESULTS, -file->error, "%s: %s; %llu rows are lost%s", file->path,
		       file->error == -ETIMEDOUT ? "nobody reads it" : strerror(-file->error),
		       (unsigned long long)file->lost_rows,
		       is_stream(file) ? "" : ", the file ends with a whole one");
}
