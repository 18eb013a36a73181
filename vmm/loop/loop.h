/* SPDX-License-Identifier: MIT */
/*
 * loop.h - what main waits for: the vCPU threads, signals, file writes, time.
 * One io_uring, used by main alone.
 */
#ifndef LOOP_H
#define LOOP_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

#include "why.h"

/* Events of loop_wait(). */
#define LOOP_WOKEN   1          /* loop_wake() was called */
#define LOOP_SIGNAL  2          /* SIGINT or SIGTERM */
#define LOOP_WRITTEN 4          /* a write has ended */

struct loop {
	struct io_uring ring;
	int event_fd;                   /* written by loop_wake() */
	int signal_fd;                  /* written by the signal handler */
	uint64_t event_count;           /* targets of the reads in flight */
	uint64_t signal_count;
	int kept;                       /* events for the next loop_wait() */
};

/* A write in flight; the caller's, together with its buffer, until it is over. */
struct loop_write {
	int fd;
	const char *bytes;
	uint32_t length;
	uint64_t offset;                /* UINT64_MAX: where the file stands */
	bool busy;
	int result;                     /* bytes written or -errno, once not busy */
};

/**
 * loop_create - receive SIGINT, SIGTERM and, unless it was ignored, SIGHUP here: the first
 * one as an event, the second one ends the process as if it had not been caught. One loop
 * at a time.
 *
 * Errors:  EXIT_HOST: io_uring not available.
 */
__attribute__((warn_unused_result))
int loop_create(struct loop *loop, struct why *why);

/* loop_destroy - the end of it. A first signal that comes now is nobody's, and a second one
 * still kills. */
void loop_destroy(struct loop *loop);

/* loop_at_kill - what the second signal does before it ends the process: @cut, in a
 * signal handler on main. NULL: nothing. */
void loop_at_kill(void (*cut)(void *context), void *context);

/* loop_block_signals - no signal that ends the run is for the calling thread. */
void loop_block_signals(void);

/* loop_wake - from any thread: the next loop_wait() returns LOOP_WOKEN. */
void loop_wake(struct loop *loop);

/**
 * loop_wait - sleep until something happens or CLOCK_MONOTONIC is @until_ns.
 *
 * Returns: LOOP_ bits, 0 when the time has come.
 */
int loop_wait(struct loop *loop, uint64_t until_ns);

/* loop_start_write - begin @write; it ends in some later loop_wait(). */
void loop_start_write(struct loop *loop, struct loop_write *write);

/* loop_finish_write - sleep until @write is over. Whatever else happens meanwhile
 * is for the next loop_wait(). */
void loop_finish_write(struct loop *loop, const struct loop_write *write);

/* loop_outlast_write - the same in a signal handler that does not return: sleeps ten
 * seconds at most, and takes nothing from the ring. */
void loop_outlast_write(const struct loop *loop, const struct loop_write *write);

/**
 * loop_await_reader - sleep for a moment: a pipe is full. Whatever else happens meanwhile
 * is for the next loop_wait().
 *
 * Units:   @taken_ns: when it last had room; CLOCK_MONOTONIC.
 * Returns: false when it is to be given up: standard_awaits_reader().
 */
bool loop_await_reader(struct loop *loop, uint64_t taken_ns);

#endif
