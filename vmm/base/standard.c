// SPDX-License-Identifier: MIT
/*
 * standard.c - standard input, output and error (standard.h).
 *
 * A pipe belongs to others as well: it is not made non-blocking. It is written to in parts
 * that it takes at once, when it says that it has room.
 *
 * Threads: main; standard_hurry() in a signal handler too.
 * Follows: pipe(7), PIPE_BUF; fopencookie(3).
 * Tested:  tests/standard_output_is_written_or_told_test.py,
 *          tests/kvm/closed_descriptors_stay_closed_test.py,
 *          tests/kvm/unread_output_is_given_up_test.py
 */
#include "standard.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#ifndef UNREAD_NS
#define UNREAD_NS (60 * NS_PER_S)
#endif
#define HURRY_NS      NS_PER_S
#define LOOK_EVERY_MS 100

struct stream {
	int fd;
	bool is_terminal;               /* somebody sits there: it is waited for until a signal comes */
	int error;                      /* why nothing is written any more; 0: it is written */
};

static struct stream out = { .fd = STDOUT_FILENO }, err = { .fd = STDERR_FILENO };
static _Atomic(uint64_t) hurried_ns;    /* 0: no hurry */

static bool waits_for_room(int fd, int timeout_ms)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	return poll(&room, 1, timeout_ms) > 0;
}

bool standard_has_room(int fd)
{
	return waits_for_room(fd, 0);
}

void standard_hurry(void)
{
	atomic_store(&hurried_ns, clock_ns());
}

bool standard_awaits_reader(uint64_t taken_ns)
{
	uint64_t hurried = atomic_load(&hurried_ns);

	if (hurried == 0)
		return clock_ns() < taken_ns + UNREAD_NS;
	return clock_ns() < (hurried > taken_ns ? hurried : taken_ns) + HURRY_NS;
}

static bool is_awaited(const struct stream *stream, uint64_t taken_ns)
{
	return (stream->is_terminal && atomic_load(&hurried_ns) == 0) ||
		standard_awaits_reader(taken_ns);
}

/* 0: no room yet, or nothing more ever. */
static size_t write_part(struct stream *stream, const char *bytes, size_t length,
			 uint64_t taken_ns)
{
	ssize_t written = -1;

	errno = EAGAIN;
	if (waits_for_room(stream->fd, LOOK_EVERY_MS))
		written = write(stream->fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
	if (written >= 0)
		return (size_t)written;
	if (errno != EAGAIN && errno != EINTR)
		stream->error = errno;
	else if (!is_awaited(stream, taken_ns))
		stream->error = ETIMEDOUT;
	return 0;
}

static ssize_t write_stream(void *cookie, const char *bytes, size_t length)
{
	struct stream *stream = cookie;
	uint64_t taken_ns = clock_ns();
	size_t done = 0;

	while (done < length && stream->error == 0) {
		size_t part = write_part(stream, bytes + done, length - done, taken_ns);

		if (part != 0)
			taken_ns = clock_ns();
		done += part;
	}
	return (ssize_t)done;
}

/* Takes the place of @file; where there is no memory, @file stays as it is. */
static FILE *open_stream(struct stream *stream, FILE *file, int buffering)
{
	FILE *own = fopencookie(stream, "w", (cookie_io_functions_t){ .write = write_stream });

	if (own == NULL)
		return file;
	stream->is_terminal = isatty(stream->fd);
	(void)setvbuf(own, NULL, buffering, BUFSIZ);
	return own;
}

void standard_open(void)
{
	/* Each takes the lowest number that is free. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			(void)!open("/", O_RDONLY);
	stdout = open_stream(&out, stdout, _IOFBF);
	stderr = open_stream(&err, stderr, _IONBF);
}

enum exit_status standard_flush(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_OK;
	fprintf(stderr, "vmm: standard output: %s\n", out.error == ETIMEDOUT ? "nobody reads it"
		: strerror(out.error != 0 ? out.error : EIO));
	return EXIT_RESULTS;
}
