// SPDX-License-Identifier: MIT
/*
 * row_file.c - a file of rows, streamed in place (row_file.h).
 *
 * Threads: main.
 * Tested:  tests/unit/csv_file_keeps_whole_rows_test.c
 */
#include "row_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t rows_in(const char *bytes, uint32_t length)
{
	uint32_t rows = 0;

	for (uint32_t i = 0; i < length; i++)
		rows += bytes[i] == '\n';
	return rows;
}

/* Cut the file back to the last whole row: @done of @length @bytes are on the
 * disk, and no more will be. */
static void cut(struct row_file *file, const char *bytes, uint32_t done, uint32_t length)
{
	uint32_t whole = done;

	while (whole > 0 && bytes[whole - 1] != '\n')
		whole--;
	if (file->offset != UINT64_MAX)
		(void)!ftruncate(file->write.fd, (off_t)(file->offset - (done - whole)));
	file->lost_rows += rows_in(bytes + whole, length - whole);
}

static void start(struct row_file *file, const char *bytes, uint32_t length)
{
	file->write.bytes = bytes;
	file->write.length = length;
	file->write.offset = file->offset;
	loop_start_write(file->loop, &file->write);
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
		done = pending->offset == UINT64_MAX
			? write(pending->fd, pending->bytes, pending->length)
			: pwrite(pending->fd, pending->bytes, pending->length,
				 (off_t)pending->offset);
	while (done < 0 && errno == EINTR);
	pending->result = done < 0 ? -errno : (int)done;
}

/* Wait for the write under way and finish it: a short one is continued, one
 * that fails ends the file. */
static void settle(struct row_file *file)
{
	const char *bytes = file->write.bytes;
	uint32_t length = file->write.length, done = 0;

	while (length != 0) {
		loop_finish_write(file->loop, &file->write);
		if (is_handed_back(file->write.result))
			write_here(file);
		if (file->write.result <= 0) {
			file->error = file->write.result < 0 ? file->write.result : -EIO;
			cut(file, bytes, done, done + length);
			break;
		}
		done += (uint32_t)file->write.result;
		length -= (uint32_t)file->write.result;
		if (file->offset != UINT64_MAX)
			file->offset += (uint32_t)file->write.result;
		if (length != 0)
			start(file, bytes + done, length);
	}
	file->write.length = 0;
}

int row_file_open(struct row_file *file, struct loop *loop, const char *path, const char *header,
		  struct why *why)
{
	struct stat status;

	*file = (struct row_file){ .loop = loop, .path = path };
	file->write.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (file->write.fd < 0)
		return why_set(why, EXIT_RESULTS, errno, "%s: %s", path, strerror(errno));
	if (fstat(file->write.fd, &status) == 0 && !S_ISREG(status.st_mode))
		file->offset = UINT64_MAX;
	file->buffers[0] = malloc(2 * ROW_FILE_BUFFER_BYTES);
	if (file->buffers[0] == NULL) {
		close(file->write.fd);
		return why_set(why, EXIT_RESULTS, ENOMEM, "%s: %s", path, strerror(ENOMEM));
	}
	file->buffers[1] = file->buffers[0] + ROW_FILE_BUFFER_BYTES;
	file->filled = (uint32_t)strlen(header);
	memcpy(file->buffers[0], header, file->filled);
	return 0;
}

void row_file_push(struct row_file *file)
{
	if (file->write.busy || file->filled == 0)
		return;
	settle(file);
	if (file->error != 0)
		file->lost_rows += rows_in(file->buffers[file->filling], file->filled);
	else
		start(file, file->buffers[file->filling], file->filled);
	file->filling ^= 1;
	file->filled = 0;
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

int row_file_close(struct row_file *file, struct why *why)
{
	row_file_finish(file);
	if (close(file->write.fd) != 0 && file->error == 0)
		file->error = -errno;
	free(file->buffers[0]);
	if (file->error == 0)
		return 0;
	return why_set(why, EXIT_RESULTS, -file->error, "%s: %s; %llu rows are lost%s", file->path,
		       strerror(-file->error), (unsigned long long)file->lost_rows,
		       file->offset != UINT64_MAX ? ", the file ends with a whole one" : "");
}
