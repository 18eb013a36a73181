// SPDX-License-Identifier: MIT
/*
 * command.c - the command, as if it had been started outside (agent.h).
 *
 * An output that is a terminal outside is one here, each its own, so that stdout and
 * stderr stay apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"

/* The outer terminal treats what comes out, this one is not to. */
static int terminal_open(const struct request *request, int *ours, int *theirs)
{
	struct termios raw;

	if (openpty(ours, theirs, NULL, NULL, &request->size) != 0 ||
	    tcgetattr(*theirs, &raw) != 0)
		return -errno;
	raw.c_oflag &= ~(tcflag_t)OPOST;
	return tcsetattr(*theirs, TCSANOW, &raw) == 0 ? 0 : -errno;
}

static int output_open(const struct request *request, int which, int *ours, int *theirs)
{
	int ends[2];

	if (request->terminal[which])
		return terminal_open(request, ours, theirs);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	*ours = ends[0];
	*theirs = ends[1];
	return 0;
}

static void limits_set(const struct request *request)
{
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		(void)setrlimit((__rlimit_resource_t)i, &request->limits[i]);
}

__attribute__((noreturn))
static void command_run(const struct request *request, const int theirs[3])
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	setsid();
	dup2(null, STDIN_FILENO);
	dup2(theirs[1], STDOUT_FILENO);
	dup2(theirs[2], STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(request->mask);
	limits_set(request);
	if (chdir(request->folder) != 0)
		dprintf(STDERR_FILENO, "%s: %s\n", request->folder, strerror(errno));
	environ = request->environment;
	setenv("SHOOTDOWN_HOST", request->host, 1);
	execvp(request->command[0], request->command);
	dprintf(STDERR_FILENO, "%s: %s\n", request->command[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

int command_start(const struct request *request, struct agent_command *command, char *complaint)
{
	int theirs[3] = { -1, -1, -1 };

	command->out[0] = -1;
	for (int which = 1; which <= 2; which++) {
		int error = output_open(request, which, &command->out[which], &theirs[which]);

		if (error != 0)
			return complain(complaint, -error, "no output for the command: %s",
					strerror(-error));
		fcntl(command->out[which], F_SETFD, FD_CLOEXEC);
		fcntl(theirs[which], F_SETFD, FD_CLOEXEC);
	}
	command->pid = fork();
	if (command->pid < 0)
		return complain(complaint, errno, "fork: %s", strerror(errno));
	if (command->pid == 0)
		command_run(request, theirs);
	close(theirs[1]);
	close(theirs[2]);
	return 0;
}
