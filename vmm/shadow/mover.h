/* SPDX-License-Identifier: MIT */
/*
 * mover.h - the host thread that moves the guest's pages about while the guest runs, as
 * reclaim and compaction in a host do.
 *
 * It draws 1 to 16 neighbours at a time. A page alone is moved and then invalidated by
 * itself; several are in a range that is invalidated around the move. The frames that they
 * have left are poisoned, so that reading one after all is noticed.
 *
 * Only pages that the guest does not write may lie in its range: a write between the
 * copy and the new mapping would be lost. Never regions, rings or page tables.
 */
#ifndef MOVER_H
#define MOVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "shadow.h"

#define MOVER_MAX_RUN 16

/* Each page may become a mapping of its own, and a process has 65530 by default. */
#define MOVER_MAX_PAGES 16384

struct mover_config {
	struct shadow *shadow;
	struct frames *frames;          /* at least MOVER_MAX_RUN to spare; nobody else moves */
	uint64_t first_gpa;             /* of the range, page aligned, inside memory */
	uint32_t pages;                 /* in it, 1 to MOVER_MAX_PAGES */
	uint32_t rate_hz;               /* pages a second, above 0; less where the host is slow */
	uint64_t seed;
	int (*begin)(struct why *why);  /* first on its thread; not 0: it ends. NULL: nothing */
};

struct mover {
	struct mover_config config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;                      /* under the lock */
	uint64_t state;                 /* of the generator; the mover's own */
	_Atomic uint64_t moves;         /* pages moved so far */
	struct why why;                 /* of a mover that ended by itself */
	int error;
};

/**
 * mover_start - the thread, with all signals blocked but SIGSYS, which a seccomp filter
 * sends.
 *
 * Errors:  EXIT_HOST: no thread; EXIT_USAGE: a range that it may not have. Nothing is
 *          left behind.
 */
__attribute__((warn_unused_result))
int mover_start(struct mover *mover, const struct mover_config *config, struct why *why);

/**
 * mover_stop - after the move in hand; the pages stay where they are.
 *
 * Errors:  EXIT_HOST: the mover had ended by itself, when begin() or a move failed.
 */
__attribute__((warn_unused_result))
int mover_stop(struct mover *mover, struct why *why);

/* mover_moves - pages moved so far; any thread. */
uint64_t mover_moves(const struct mover *mover);

/**
 * mover_move - what the thread does each time: @count pages from @first_gpa on.
 *
 * Shape:   1 <= @count <= MOVER_MAX_RUN; not beside a mover that runs.
 * Errors:  as frames_move(); those before the one that failed have moved.
 */
__attribute__((warn_unused_result))
int mover_move(struct shadow *shadow, struct frames *frames, uint64_t first_gpa,
	       uint32_t count);

#endif
