/* SPDX-License-Identifier: MIT */
/*
 * standard.h - standard input, output and error, as the program finds them.
 */
#ifndef STANDARD_H
#define STANDARD_H

#include <stdbool.h>
#include <stdint.h>

#include "why.h"

/**
 * standard_open - take the numbers 0 to 2 where the caller has closed them, or the next
 * file that is opened gets one, and the table is written into it. From here on printing
 * to stdout and stderr waits for a reader no longer than standard_awaits_reader() says;
 * what comes after that is lost.
 *
 * Nothing can be written where the caller has closed it: that fails and is told.
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

/* standard_has_room - can something short be written to @fd now, without a wait? */
bool standard_has_room(int fd);

/* standard_hurry - the process is to end: nobody is waited for much longer. From a signal
 * handler too. */
void standard_hurry(void);

/**
 * standard_awaits_reader - is there hope yet for what a pipe has no room for?
 *
 * Units:   @taken_ns: when it last had room, CLOCK_MONOTONIC.
 * Returns: false when nobody has read for a minute, or for a second in a hurry.
 */
bool standard_awaits_reader(uint64_t taken_ns);

#endif
