// SPDX-License-Identifier: MIT
/*
 * agent.c - the first process of an emulated machine: makes it ready, runs one command, and
 * says over the line what it prints and how it ends (frame.h).
 *
 * One thread, and above all others: it has to say that the machine lives also when a
 * vCPU thread of real-time priority has the CPU.
 * Tested: tests/hosts/
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "frame.h"
#include "host_spec.h"

#define LINE      "/dev/ttyS1"
#define PRIORITY  98

int complain(char *complaint, int error, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(complaint, AGENT_COMPLAINT_BYTES, format, values);
	va_end(values);
	return -error;
}

static int line_open(void)
{
	struct termios raw;
	int line = open(LINE, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (line < 0 || tcgetattr(line, &raw) != 0)
		return -errno;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL;
	cfsetspeed(&raw, B115200);
	return tcsetattr(line, TCSANOW, &raw) == 0 ? line : -errno;
}

static char *request_text(size_t *bytes)
{
	char *text = NULL;
	FILE *file = fopen("/" REQUEST_FILE, "re");

	*bytes = 0;
	if (file == NULL)
		return NULL;
	for (size_t room = 0, got = 1; got > 0; *bytes += got) {
		if (room - *bytes < 4096)
			text = realloc(text, room = room * 2 + 65536);
		if (text == NULL)
			break;
		got = fread(text + *bytes, 1, room - *bytes, file);
	}
	fclose(file);
	return text;
}

static int request_find(struct request *request, char *complaint)
{
	size_t bytes;
	char *text = request_text(&bytes);

	if (text == NULL || request_read(text, bytes, request) != 0)
		return complain(complaint, EINVAL, "the request is not readable");
	return 0;
}

/* ---- while the command runs ---- */

struct agent {
	int line;
	bool prints;                    /* to the parallel port; the line brings orders alone */
	int upper;                      /* the folder of what is to be sent back, or -1 */
	int children;                   /* signalfd of SIGCHLD */
	int second;                     /* timerfd */
	struct frame_reader reader;
	struct agent_command command;
	bool ended;
	int status;                     /* of the command, when it has ended */
};

static int machine_ready(struct agent *agent, struct request *request, char *complaint)
{
	if (modules_load(request, complaint) != 0 || keeper_hold(complaint) != 0 ||
	    root_make(request, &agent->upper, complaint) != 0)
		return -EINVAL;
	return 0;
}

static int say(const struct agent *agent, enum frame_kind kind, const void *data, size_t bytes)
{
	uint8_t whole[FRAME_WHOLE_BYTES];

	if (!agent->prints)
		return frame_write(agent->line, kind, data, bytes);
	printer_write(whole, frame_pack(kind, data, bytes, whole));
	return 0;
}

/* What there is; at the end of the file the descriptor is closed. False: nothing now. */
static bool output_pass(struct agent *agent, int which)
{
	uint8_t data[FRAME_MAX_BYTES];
	ssize_t got = read(agent->command.out[which], data, sizeof(data));

	if (got > 0) {
		(void)say(agent, which == 1 ? FRAME_STDOUT : FRAME_STDERR, data,
				   (size_t)got);
		return true;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close(agent->command.out[which]);
	agent->command.out[which] = -1;
	return false;
}

static void orders_take(struct agent *agent)
{
	struct frame frame;

	if (frame_read(agent->line, &agent->reader) <= 0)
		return;
	while (frame_next(&agent->reader, &frame) > 0) {
		uint32_t number = frame_number(&frame);

		if (frame.kind == FRAME_SIGNAL)
			kill(-agent->command.pid, (int)number);
		if (frame.kind == FRAME_CLOSED && (number == 1 || number == 2) &&
		    agent->command.out[number] >= 0) {
			close(agent->command.out[number]);
			agent->command.out[number] = -1;
		}
	}
}

/* Orphans come to the first process; they are nobody's any more. */
static void children_reap(struct agent *agent)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)!read(agent->children, &info, sizeof(info));
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == agent->command.pid) {
			agent->ended = true;
			agent->status = status;
		}
}

static void alive(struct agent *agent)
{
	uint64_t times;

	(void)!read(agent->second, &times, sizeof(times));
	(void)say(agent, FRAME_ALIVE, NULL, 0);
}

static void agent_step(struct agent *agent)
{
	struct pollfd look[] = {
		{ .fd = agent->line, .events = POLLIN },
		{ .fd = agent->children, .events = POLLIN },
		{ .fd = agent->second, .events = POLLIN },
		{ .fd = agent->command.out[1], .events = POLLIN },
		{ .fd = agent->command.out[2], .events = POLLIN },
	};

	(void)poll(look, sizeof(look) / sizeof(look[0]), -1);
	if (look[0].revents != 0)
		orders_take(agent);
	if (look[2].revents != 0)
		alive(agent);
	if (look[3].revents != 0)
		output_pass(agent, 1);
	if (look[4].revents != 0)
		output_pass(agent, 2);
	if (look[1].revents != 0)
		children_reap(agent);
}

/* What the command has said before it ended; not what a process that it left behind may
 * still say. */
static void outputs_drain(struct agent *agent)
{
	for (int which = 1; which <= 2; which++) {
		int fd = agent->command.out[which];

		if (fd >= 0)
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		while (agent->command.out[which] >= 0 && output_pass(agent, which))
			;
	}
}

static ssize_t files_write(void *agent, const char *data, size_t bytes)
{
	for (size_t done = 0, part; done < bytes; done += part) {
		part = bytes - done < FRAME_MAX_BYTES ? bytes - done : FRAME_MAX_BYTES;
		(void)say(agent, FRAME_FILES, data + done, part);
	}
	return (ssize_t)bytes;
}

static int files_send(struct agent *agent, char *complaint)
{
	const cookie_io_functions_t functions = { .write = files_write };
	FILE *stream = fopencookie(agent, "w", functions);
	int error = stream == NULL ? -errno : changes_send(agent->upper, stream);

	if (stream != NULL && fclose(stream) != 0 && error == 0)
		error = -errno;
	if (error == 0)
		return 0;
	return complain(complaint, -error, "what the command wrote: %s", strerror(-error));
}

static int agent_run(struct agent *agent, const struct request *request, char *complaint)
{
	const struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	uint32_t status;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	agent->children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	agent->second = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	timerfd_settime(agent->second, 0, &second, NULL);
	(void)say(agent, FRAME_BEGUN, NULL, 0);
	if (command_start(request, &agent->command, complaint) != 0)
		return -EINVAL;
	while (!agent->ended)
		agent_step(agent);
	outputs_drain(agent);
	kill(-1, SIGKILL);
	sync();
	if (agent->upper >= 0 && files_send(agent, complaint) != 0)
		return -EIO;
	status = (uint32_t)agent->status;
	return say(agent, FRAME_STATUS, &status, sizeof(status));
}

/* The command's own children must not be above it. */
static void priority_set(void)
{
	const struct sched_param priority = { .sched_priority = PRIORITY };

	(void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
}

static void filesystems_mount(void)
{
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sysfs", "/sys", "sysfs", 0, NULL);
	(void)mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	(void)mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
}

int main(void)
{
	static struct request request;
	static struct agent agent;
	char complaint[AGENT_COMPLAINT_BYTES] = "";

	filesystems_mount();
	agent.line = line_open();
	agent.upper = -1;
	priority_set();
	/* Where the files are carried, the line is Bochs's. */
	if (request_find(&request, complaint) == 0)
		agent.prints = strcmp(request.root, ROOT_CARRIED) == 0 && printer_open() == 0;
	if (*complaint != '\0' || machine_ready(&agent, &request, complaint) != 0 ||
	    agent_run(&agent, &request, complaint) != 0)
		(void)say(&agent, FRAME_CANNOT, complaint, strlen(complaint));
	/* enter switches the machine off. */
	for (;;)
		pause();
}
