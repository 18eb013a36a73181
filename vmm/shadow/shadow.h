/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - the VMM's own secondary MMU: the way from a pointer of the guest to the
 * frame that it leads to.
 *
 * Each vCPU has a reader, and each reader an address space of its own, filled on demand
 * from the guest's page tables. The VMM sees no CR3 load and no INVLPG, so a translation
 * lives for one exit of one vCPU: shadow_exit_begin() ends all of that vCPU's in one
 * step, and only their tables stay. What it does see, a flush that another vCPU has
 * asked for, ends them too (shadow_flush()), and so does every change of the guest's
 * memory by the host (shadow_invalidate_*()).
 *
 * A walk that finds its translation takes no lock and writes no line but its own. What
 * it finds it copies before it ends; no pointer to guest memory leaves this module.
 *
 *                  copy   exit_begin   flush   invalidate
 *   copy            -         -          x         x          x: may run together
 *   exit_begin                -          x         x          -: one reader's are its
 *   flush                                x         x             thread's, in turn;
 *   invalidate                                     x             two readers': x
 *
 * Tested: tests/unit/shadow_*_test.c, tests/stress/shadow_stress_test.c
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <stddef.h>
#include <stdint.h>

#include "frames.h"
#include "guest_walk.h"
#include "notifier.h"
#include "reclaim.h"

/* Tables of one reader at most; the space is emptied when they do not suffice. A leaf
 * covers 256 KiB; about 2 KiB each. */
#define SHADOW_TABLES_MAX 64

struct shadow_config {
	struct frames *frames;
	const struct reclaim_ops *reclaim;      /* reclaim_rcu, _counter or _mode */
	uint32_t readers;
	uint32_t tables_max;                    /* 0: SHADOW_TABLES_MAX; at least 5 */
	enum shadow_retry retry;
	uint32_t first_tag;                     /* odd; 0: 1. For tests of the wrap-around */
};

/* Totals since the start; readable at any time, each by itself. */
struct shadow_counts {
	uint64_t walks;                 /* pages walked to, found or not */
	uint64_t faults;                /* not found: filled from the guest's tables */
	uint64_t retries;               /* of these, dropped because a change overtook them */
	uint64_t errors;                /* requests of the guest that were refused */
	uint64_t zapped;                /* entries */
	uint64_t tables_held;           /* unlinked and not yet freed, now */
	uint64_t tables_held_most;
	uint64_t tables_freed;
	uint64_t kicks;                 /* signals to vCPUs in the guest */
};

struct shadow;
struct shadow_reader;

/**
 * shadow_create - no translation yet.
 *
 * Threads: before those that use it. With reclaim_rcu it starts liburcu's own thread.
 * Errors:  -ENOMEM; nothing is left behind. *shadow is written on success only.
 */
__attribute__((warn_unused_result))
int shadow_create(struct shadow **shadow, const struct shadow_config *config);

/* shadow_destroy - after all other threads are done with it; NULL is none. */
void shadow_destroy(struct shadow *shadow);

/* shadow_kick_with - signal vCPUs that are in the guest when something is freed (kick of
 * reclaim.h; only reclaim_mode does). Before the other threads start. */
void shadow_kick_with(struct shadow *shadow, void (*kick)(void *context, uint32_t reader),
		      void *context);

/* shadow_on_own_thread - as reclaim_on_own_thread(): @call, on the thread that frees tables
 * and nothing else; not at all unless it is reclaim_rcu's. */
void shadow_on_own_thread(struct shadow *shadow, void (*call)(void *context), void *context);

/* shadow_thread_begin, shadow_thread_end - around all other calls of a thread that
 * reads, flushes or invalidates. */
void shadow_thread_begin(struct shadow *shadow);
void shadow_thread_end(struct shadow *shadow);

/* shadow_reader - reader @index of the configured number; it exists as long as @shadow. */
struct shadow_reader *shadow_reader(struct shadow *shadow, uint32_t index);

/* shadow_mode - where that reader's vCPU is. reclaim_mode needs the walks in it; the
 * other modes are for who enters the guest (vcpu_mode.h). */
struct vcpu_mode *shadow_mode(struct shadow_reader *reader);

/**
 * shadow_exit_begin - the vCPU has run guest code since the last access: from here on
 * everything is looked up anew.
 *
 * Threads: the reader's own. Constant time; once in 2^31 times the space is emptied.
 */
void shadow_exit_begin(struct shadow_reader *reader);

/**
 * shadow_copy_from_guest - @bytes from the guest-virtual address @gva on, as @root
 * translates it.
 *
 * Shape:   @root as in guest_walk(); another one than in the last call begins a new exit.
 *          Page by page: no promise about what the guest writes meanwhile.
 * Errors:  those of guest_walk(), the guest's fault; also -EOVERFLOW where the addresses
 *          wrap around. -ENOMEM: the host's. Part of @to may have been written.
 * Threads: the reader's own, outside the guest.
 */
__attribute__((warn_unused_result))
int shadow_copy_from_guest(struct shadow_reader *reader, uint64_t root, uint64_t gva, void *to,
			   size_t bytes);

/**
 * shadow_flush - a flush that covers the vCPUs of some readers is about to return: none of
 * their accesses that begins later uses what was filled before, and none that uses it is
 * still under way.
 *
 * Shape:   a bit a reader, of the first @count; bits beyond them mean nothing.
 * Threads: any; waits for readers that are in the middle of a walk.
 */
void shadow_flush(struct shadow *shadow, const uint64_t *readers, uint32_t count);

/**
 * shadow_invalidate_range_start - the host is about to change the frames of
 * [@gpa, @gpa + @bytes): after this call nobody reads the old frames, and until
 * shadow_invalidate_range_end() nobody fills anything.
 *
 * Threads: any, outside a walk. Ranges may overlap; each start has its end.
 */
void shadow_invalidate_range_start(struct shadow *shadow, uint64_t gpa, uint64_t bytes);
void shadow_invalidate_range_end(struct shadow *shadow);

/**
 * shadow_invalidate_page - the host has changed the frame of the page of @gpa: after this
 * call nobody reads the old frame, and it may be freed.
 *
 * Threads: as above.
 */
void shadow_invalidate_page(struct shadow *shadow, uint64_t gpa);

/* shadow_count - any thread, at any time. */
struct shadow_counts shadow_count(const struct shadow *shadow);

#endif
