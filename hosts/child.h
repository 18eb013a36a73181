/* SPDX-License-Identifier: MIT */
/*
 * child.h - the programs of other people that make an emulated machine.
 *
 * Each has a process group of its own, so that a terminal's Ctrl-C does not reach it, and
 * dies with enter, however enter ends.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;              /* 0: none */
	int words;              /* a memory file with all that it says */
};

/**
 * child_start - run @command with descriptors @keep and no others.
 *
 * Shape:   @command and @keep end with NULL and -1. @keep keep their numbers. @as_root: in a
 *          user namespace where this user is root, as programs want that chroot();
 *          nothing changes for root.
 * Errors:  -errno. That the program could not be executed shows as its end, status 127,
 *          with a line among its words.
 */
__attribute__((warn_unused_result))
int child_start(struct child *child, const char *const *command, const int *keep, bool as_root);

/* child_stop - kill it and wait; nothing where it was not started. Its words stay. */
void child_stop(struct child *child);

/* child_words - of the end of @fd, a memory file: the first line that has @wanted in it, or
 * else the last one that has something; at most @bytes less one, "" when there is none. */
void child_words(int fd, const char *wanted, char *line, size_t bytes);

#endif
