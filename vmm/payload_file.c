// SPDX-License-Identifier: MIT
/*
 * payload_file.c - the payload (payload_file.h).
 *
 * Owns:    the bytes read, to the end of the process.
 * Threads: main.
 * Tested:  tests/unit/payload_is_read_once_test.c,
 *          tests/kvm/bad_payloads_are_one_line_test.py
 */
#include "payload_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_loader.h"
#include "files.h"
#include "payload_image.h"

#define PAYLOAD_MAX_BYTES (64 << 20)

static int fail(const char *path, int error, struct why *why)
{
	return why_set(why, EXIT_USAGE, error, "%s: %s", path, strerror(error));
}

/* A FIFO would be waited for, and a device may do anything when it is opened. */
static int check(const char *path, const struct stat *status, struct why *why)
{
	if (!S_ISREG(status->st_mode))
		return why_set(why, EXIT_USAGE, EINVAL, "%s: %s, and not a file", path,
			       files_kind(status->st_mode));
	if (status->st_size > PAYLOAD_MAX_BYTES)
		return why_set(why, EXIT_USAGE, EFBIG, "%s: not a file of at most %d bytes", path,
			       PAYLOAD_MAX_BYTES);
	return 0;
}

static int open_file(const char *path, struct stat *status, struct why *why)
{
	int fd, error = stat(path, status) != 0 ? fail(path, errno, why) : check(path, status, why);

	if (error != 0)
		return error;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(path, errno, why);
	/* The name may mean another file by now. */
	error = fstat(fd, status) != 0 ? fail(path, errno, why) : check(path, status, why);
	if (error != 0)
		close(fd);
	return error != 0 ? error : fd;
}

/* As many bytes as there are, if the file has become shorter. */
static int read_file(int fd, const char *path, uint8_t *bytes, size_t room, size_t *length,
		     struct why *why)
{
	ssize_t got;

	for (*length = 0; *length < room; *length += (size_t)got) {
		got = read(fd, bytes + *length, room - *length);
		if (got < 0)
			return fail(path, errno, why);
		if (got == 0)
			break;
	}
	return 0;
}

int payload_read(const char *path, struct machine_payload *payload, struct why *why)
{
	struct stat status;
	uint64_t entry;
	uint8_t *bytes;
	int fd, error;

	if (path == NULL) {
		payload->name = "built-in payload";
		payload->image = payload_image;
		payload->bytes = (size_t)(payload_image_end - payload_image);
		return 0;
	}
	fd = open_file(path, &status, why);
	if (fd < 0)
		return fd;
	bytes = malloc((size_t)status.st_size + 1);
	error = bytes == NULL ? fail(path, ENOMEM, why)
			      : read_file(fd, path, bytes, (size_t)status.st_size, &payload->bytes, why);
	close(fd);
	payload->name = path;
	payload->is_foreign = true;
	payload->image = bytes;
	/* Checked now: a bad file must not cost anybody the results of the last run. */
	if (error == 0)
		error = elf_load(path, bytes, payload->bytes, NULL, 0, &entry, why);
	if (error != 0)
		free(bytes);
	return error;
}

void payload_free(struct machine_payload *payload)
{
	if (payload->is_foreign)
		free((void *)payload->image);
	*payload = (struct machine_payload){ 0 };
}
