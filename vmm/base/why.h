/* SPDX-License-Identifier: MIT */
/*
 * why.h - the words of a failure, written where it happened, printed by main.
 *
 * Functions that can fail for a reason the user has to read take a struct why
 * and return -errno; they do not print and do not exit.
 */
#ifndef WHY_H
#define WHY_H

#include <errno.h>

/* Exit statuses of the program. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_WRONG = 1,         /* stale loads under a safe protocol, or a control not caught */
	EXIT_USAGE = 2,         /* usage, or a bad payload */
	EXIT_HOST = 3,          /* the host cannot */
	EXIT_GUEST = 4,         /* the guest failed or misbehaved */
	EXIT_RESULTS = 5,       /* results could not be written */
	EXIT_THRESHOLD = 6,     /* --fail-over */
};

struct why {
	enum exit_status status;
	int error;              /* the errno that was the cause, positive */
	char text[512];         /* what was tried, on what, why: one line, escaped (escape.h) */
	const char *more;       /* lines that belong after it, of static storage; or NULL */
};

/**
 * why_set - note a failure; the first one stays.
 *
 * Returns: -@error, so that callers can return it. @error is a positive errno.
 */
__attribute__((format(printf, 4, 5)))
int why_set(struct why *why, enum exit_status status, int error, const char *format, ...);

#endif
