/* SPDX-License-Identifier: MIT */
/*
 * guest_log.h - lines that the guest has for the user (SD_REQ_LOG).
 *
 * vCPU threads put them here, main prints them. Both have a limit: a guest that floods the
 * log loses lines, and the user is told how many.
 *
 * field     writer         reader   rule
 * all       any thread     main     lock
 */
#ifndef GUEST_LOG_H
#define GUEST_LOG_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

#define GUEST_LOG_BYTES 96              /* of a line, with its end */
#define GUEST_LOG_LINES 64              /* between two prints */
#define GUEST_LOG_MOST  1000            /* lines in all */

struct guest_log_line {
	uint32_t vcpu;
	char text[GUEST_LOG_BYTES];
};

struct guest_log {
	pthread_mutex_t lock;
	struct guest_log_line lines[GUEST_LOG_LINES];
	uint32_t count;
	uint64_t taken;                 /* so far, printed or not */
	uint64_t dropped;
};

/* guest_log_init - an empty one; guest_log_destroy - whatever is in it goes unprinted. */
void guest_log_init(struct guest_log *log);
void guest_log_destroy(struct guest_log *log);

/* guest_log_add - any thread; dropped and counted where there is no room. */
void guest_log_add(struct guest_log *log, const struct guest_log_line *line);

/* guest_log_print - what has come since the last time, a line each: "vCPU 3: text".
 * Main. */
void guest_log_print(struct guest_log *log, FILE *out);

/* guest_log_print_dropped - a line with the number of lines that are missing, if any
 * are. Main, at the end. */
void guest_log_print_dropped(struct guest_log *log, FILE *out);

#endif
