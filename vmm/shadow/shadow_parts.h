/* SPDX-License-Identifier: MIT */
/*
 * shadow_parts.h - what shadow.h keeps to itself: a reader, and the secondary MMU.
 *
 * field                writer                     readers        rule
 * reader.section       its thread                 who frees      reclaim.h
 * reader.generation    its thread, who flushes    its thread     atomic (shadow-flush)
 * reader.counts        its thread                 any            relaxed, one writer
 * reader.root          its thread                 its thread     -
 * reader.space         who has the lock           its thread     space.h
 * notifier             who has the lock           its thread     notifier.h
 * rmaps                who has the lock           the same       lock
 * zapped               who has the lock           any            relaxed
 * all others           shadow_life.c              any            before the threads start
 */
#ifndef SHADOW_PARTS_H
#define SHADOW_PARTS_H

#include "frames.h"
#include "notifier.h"
#include "reclaim.h"
#include "space.h"

struct reader_counts {
	_Atomic uint64_t faults, retries, errors;
};

struct shadow_reader {
	/* The walk's own line. Tags are odd, so that none is 0. */
	_Alignas(SD_CACHE_LINE) _Atomic uint32_t generation;
	struct reclaim_reader *section;
	struct shadow *shadow;
	uint64_t root;
	struct reader_counts counts;

	_Alignas(SD_CACHE_LINE) struct space space;
};

struct shadow {
	struct reclaim reclaim;
	struct notifier notifier;
	pthread_mutex_t lock;
	struct frames *frames;
	struct rmap **rmaps;            /* [pages of the guest's memory] */
	struct shadow_reader *readers;  /* [reader_count] */
	uint32_t reader_count;
	enum shadow_retry retry;
	_Atomic uint64_t zapped;        /* entries */
};

#endif
