// SPDX-License-Identifier: MIT
/* relay.c - words out, signals in, signs of life (relay.h). */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* The agent gives a sign of life once a second. */
#define LOOK_MS 1000

struct relay {
	struct emulator *machine;
	const struct emulator_ops *ops;
	struct relay_result *result;
	int signals;
	struct frame_reader reader;
	struct frame frame;             /* the one in hand */
	size_t written;                 /* of its bytes */
	bool pending;                   /* not all of it is written */
	bool closed[3];                 /* nobody reads our descriptor 1, 2 any more */
	unsigned ends;                  /* SIGINT and SIGTERM so far */
	uint64_t silent_ms;             /* that we have looked and seen nothing */
	uint64_t looked_ms;             /* when we last looked */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void relay_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGHUP);
	sigaddset(signals, SIGQUIT);
}

static bool end(struct relay *relay, enum relay_end how, uint32_t status)
{
	relay->result->end = how;
	relay->result->status = status;
	return true;
}

static int output_of(const struct relay *relay)
{
	return relay->frame.kind == FRAME_STDOUT ? STDOUT_FILENO : STDERR_FILENO;
}

/* Nobody reads it: the command is to know, by its own SIGPIPE or EPIPE. */
static void output_close(struct relay *relay, int fd)
{
	uint32_t which = (uint32_t)fd;

	relay->pending = false;
	if (relay->closed[fd])
		return;
	relay->closed[fd] = true;
	(void)!frame_write(relay->machine->orders, FRAME_CLOSED, &which, sizeof(which));
}

static void output_write(struct relay *relay)
{
	int fd = output_of(relay);
	ssize_t done;

	if (relay->closed[fd]) {
		relay->pending = false;
		return;
	}
	done = write(fd, relay->frame.data + relay->written, relay->frame.bytes - relay->written);
	if (done < 0 && errno != EAGAIN && errno != EINTR) {
		output_close(relay, fd);
		return;
	}
	if (done > 0)
		relay->written += (size_t)done;
	relay->pending = relay->written < relay->frame.bytes;
}

static void files_take(struct relay *relay, const void *data, size_t bytes)
{
	int error = relay->ops->take_files == NULL ? -EPROTO :
		    relay->ops->take_files(relay->machine, data, bytes);

	if (error != 0 && relay->result->files_error == 0)
		relay->result->files_error = error;
}

/* True when it was the last one. */
static bool frame_take(struct relay *relay)
{
	struct frame *frame = &relay->frame;

	switch (frame->kind) {
	case FRAME_BEGUN:
		relay->result->begun = true;
		return false;
	case FRAME_STDOUT:
	case FRAME_STDERR:
		relay->written = 0;
		relay->pending = frame->bytes > 0;
		return false;
	case FRAME_FILES:
		files_take(relay, frame->data, frame->bytes);
		return false;
	case FRAME_STATUS:
		if (relay->ops->take_files != NULL)
			files_take(relay, NULL, 0);
		return end(relay, RELAY_STATUS, frame_number(frame));
	case FRAME_CANNOT:
		memcpy(relay->result->words, frame->data, frame->bytes + 1);
		return end(relay, RELAY_CANNOT, 0);
	default:
		return false;
	}
}

static bool line_take(struct relay *relay)
{
	int got = 1;

	while (!relay->pending && (got = frame_next(&relay->reader, &relay->frame)) > 0)
		if (frame_take(relay))
			return true;
	if (got < 0)
		return end(relay, RELAY_GONE, 0);
	return false;
}

static bool line_read(struct relay *relay)
{
	int got = frame_read(relay->machine->line, &relay->reader);

	relay->silent_ms = 0;
	if (got == -EINTR || got == -EAGAIN)
		return false;
	if (got <= 0)
		return end(relay, RELAY_GONE, 0);
	return line_take(relay);
}

static bool signal_take(struct relay *relay)
{
	struct signalfd_siginfo info;
	uint32_t number;

	if (read(relay->signals, &info, sizeof(info)) != sizeof(info))
		return false;
	number = info.ssi_signo;
	if (number == SIGINT || number == SIGTERM)
		relay->ends++;
	if (!relay->result->begun || relay->ends > 1)
		return end(relay, RELAY_SIGNALLED, number);
	(void)!frame_write(relay->machine->orders, FRAME_SIGNAL, &number, sizeof(number));
	return false;
}

/* Only time in which we looked counts: where this process itself had no CPU, the machine had
 * none either. */
static bool silence_count(struct relay *relay)
{
	uint64_t now = now_ms();
	uint64_t passed = now - relay->looked_ms;
	uint32_t limit_s = relay->result->begun ? relay->ops->silence_s :
						  relay->ops->boot_silence_s;

	relay->looked_ms = now;
	relay->silent_ms += passed < LOOK_MS ? passed : LOOK_MS;
	if (relay->silent_ms < UINT64_C(1000) * limit_s)
		return false;
	return end(relay, RELAY_SILENT, limit_s);
}

static bool relay_step(struct relay *relay)
{
	struct pollfd look[] = {
		{ .fd = relay->signals, .events = POLLIN },
		{ .fd = relay->machine->line, .events = POLLIN },
	};

	if (relay->pending)
		look[1] = (struct pollfd){ .fd = output_of(relay), .events = POLLOUT };
	(void)poll(look, 2, LOOK_MS);
	if ((look[0].revents & POLLIN) != 0 && signal_take(relay))
		return true;
	if (relay->pending) {
		relay->looked_ms = now_ms();
		if (look[1].revents != 0)
			output_write(relay);
		return line_take(relay);
	}
	if (look[1].revents != 0)
		return line_read(relay);
	return silence_count(relay);
}

void relay_run(struct emulator *machine, const struct emulator_ops *ops, int signals,
	       struct relay_result *result)
{
	struct relay relay = {
		.machine = machine,
		.ops = ops,
		.result = result,
		.signals = signals,
		.looked_ms = now_ms(),
	};

	*result = (struct relay_result){ 0 };
	while (!relay_step(&relay))
		;
}
