// SPDX-License-Identifier: MIT
/* child.c - the programs that make an emulated machine (child.h). */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return -errno;
	done = write(fd, text, strlen(text));
	close(fd);
	return done == (ssize_t)strlen(text) ? 0 : -EIO;
}

/*
 * setgroups() is refused in a namespace that a user makes, and virtiofsd ends where it cannot
 * drop its groups. They are the user's own: it is told that they are gone.
 */
static int setgroups_satisfy(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = -ENOMEM;

	if (filter == NULL)
		return error;
	error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(setgroups), 0);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

/* Follows: user_namespaces(7). */
static int become_root(void)
{
	uid_t user = geteuid();
	gid_t group = getegid();
	char map[64];

	if (user == 0)
		return 0;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return -errno;
	if (file_write("/proc/self/setgroups", "deny") != 0)
		return -EPERM;
	snprintf(map, sizeof(map), "0 %u 1", user);
	if (file_write("/proc/self/uid_map", map) != 0)
		return -EPERM;
	snprintf(map, sizeof(map), "0 %u 1", group);
	if (file_write("/proc/self/gid_map", map) != 0)
		return -EPERM;
	return setgroups_satisfy();
}

static void descriptors_keep(const int *keep)
{
	for (; *keep >= 0; keep++)
		fcntl(*keep, F_SETFD, 0);
}

__attribute__((noreturn))
static void child_run(const struct child *child, const char *const *command, const int *keep,
		      bool as_root, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;
	int error;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	dup2(null, STDIN_FILENO);
	dup2(child->words, STDOUT_FILENO);
	dup2(child->words, STDERR_FILENO);
	if (as_root && (error = become_root()) != 0) {
		dprintf(STDERR_FILENO, "no user namespace for %s: %s\n", command[0],
			strerror(-error));
		_exit(127);
	}
	/* After the change of credentials, which takes it back. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	descriptors_keep(keep);
	execvp(command[0], (char *const *)command);
	dprintf(STDERR_FILENO, "%s: %s\n", command[0], strerror(errno));
	_exit(127);
}

int child_start(struct child *child, const char *const *command, const int *keep, bool as_root)
{
	pid_t parent = getpid();

	child->words = memfd_create("words", MFD_CLOEXEC);
	if (child->words < 0)
		return -errno;
	child->pid = fork();
	if (child->pid < 0) {
		child->pid = 0;
		return -errno;
	}
	if (child->pid == 0)
		child_run(child, command, keep, as_root, parent);
	return 0;
}

void child_stop(struct child *child)
{
	if (child->pid == 0)
		return;
	kill(-child->pid, SIGKILL);
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

void child_words(int fd, const char *wanted, char *line, size_t bytes)
{
	char tail[16384];
	struct stat status;
	off_t from;
	ssize_t got;

	*line = '\0';
	if (fd < 0 || fstat(fd, &status) != 0)
		return;
	from = status.st_size < (off_t)sizeof(tail) - 1 ? 0 :
	       status.st_size - (off_t)sizeof(tail) + 1;
	got = pread(fd, tail, sizeof(tail) - 1, from);
	if (got <= 0)
		return;
	tail[got] = '\0';
	for (char *next, *last = tail; last != NULL; last = next) {
		next = strpbrk(last, "\r\n");
		if (next != NULL)
			*next++ = '\0';
		if (*last != '\0')
			snprintf(line, bytes, "%s", last);
		if (strstr(last, wanted) != NULL)
			return;
	}
}
