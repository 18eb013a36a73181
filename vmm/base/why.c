// SPDX-License-Identifier: MIT
/*
 * why.c - the words of a failure (why.h).
 *
 * Threads: a struct why belongs to one thread; the session copies a vCPU
 *          thread's under its lock.
 */
#include "why.h"

#include <stdarg.h>

#include "escape.h"

int why_set(struct why *why, enum exit_status status, int error, const char *format, ...)
{
	va_list args;

	if (why->text[0] != '\0')
		return -error;
	why->status = status;
	why->error = error;
	va_start(args, format);
	escape_format(why->text, sizeof(why->text), format, args);
	va_end(args);
	return -error;
}
