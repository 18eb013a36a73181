/* SPDX-License-Identifier: MIT */
/*
 * standard.h - standard input, output and error, as the program finds them.
 */
#ifndef STANDARD_H
#define STANDARD_H

#include "why.h"

/**
 * standard_open - take the numbers 0 to 2 where the caller has closed them, or the next
 * file that is opened gets one, and the table is written into it.
 *
 * Nothing can be written there: what was meant for it fails and is told.
 * Threads: main, before anything else is opened.
 */
void standard_open(void);

/**
 * standard_flush - what has been printed is written now.
 *
 * Returns: EXIT_RESULTS when some of it could not be, at any time; a line on stderr
 *          says why.
 */
__attribute__((warn_unused_result))
enum exit_status standard_flush(void);

#endif
