/* SPDX-License-Identifier: MIT */
/*
 * terminal.h - may a line be written over?
 */
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Back to the first column, and what stands there is gone. */
#define TERMINAL_OVER "\r\033[K"

/* terminal_moves - is @fd a terminal that knows escape sequences? Without TERM, or with
 * "dumb", it is taken for one that shows them. */
static inline bool terminal_moves(int fd)
{
	const char *name = getenv("TERM");

	return name != NULL && *name != '\0' && strcmp(name, "dumb") != 0 && isatty(fd);
}

#endif
