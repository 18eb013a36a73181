// SPDX-License-Identifier: MIT
/*
 * notifier.c - the sequence and the range count (notifier.h).
 *
 * Threads: any, under the lock where notifier.h says so.
 * Tested:  tests/unit/shadow_notifier_overtakes_test.c
 */
#include "notifier.h"

uint64_t notifier_fault_begin(const struct notifier *notifier)
{
	return atomic_load_explicit(&notifier->sequence, memory_order_acquire);
}

/* Relaxed: the lock orders. */
bool notifier_overtook(const struct notifier *notifier, uint64_t sequence)
{
	return atomic_load_explicit(&notifier->ranges, memory_order_relaxed) != 0 ||
		atomic_load_explicit(&notifier->sequence, memory_order_relaxed) != sequence;
}

/* Relaxed: whoever relies on it looks again under the lock. */
bool notifier_goes_on(const struct notifier *notifier)
{
	return atomic_load_explicit(&notifier->ranges, memory_order_relaxed) != 0;
}

/* PAIR(notifier-sequence): release, after the move. */
static void notifier_changed(struct notifier *notifier)
{
	uint64_t sequence = atomic_load_explicit(&notifier->sequence, memory_order_relaxed);

	atomic_store_explicit(&notifier->sequence, sequence + 1, memory_order_release);
}

static void add_ranges(struct notifier *notifier, uint32_t count)
{
	uint32_t ranges = atomic_load_explicit(&notifier->ranges, memory_order_relaxed);

	/* Relaxed: the lock orders. */
	atomic_store_explicit(&notifier->ranges, ranges + count, memory_order_relaxed);
}

void notifier_range_start(struct notifier *notifier)
{
	add_ranges(notifier, 1);
}

void notifier_range_end(struct notifier *notifier)
{
	notifier_changed(notifier);
	add_ranges(notifier, UINT32_MAX);
}

void notifier_page(struct notifier *notifier)
{
	notifier_changed(notifier);
}

void notifier_will_wait(struct notifier *notifier)
{
	atomic_fetch_add(&notifier->waits, 1);
}

void notifier_waited(struct notifier *notifier)
{
	/* PAIR(notifier-waits) */
	atomic_fetch_sub(&notifier->waits, 1);
}

bool notifier_is_waiting(const struct notifier *notifier)
{
	/* PAIR(notifier-waits) */
	return atomic_load_explicit(&notifier->waits, memory_order_acquire) != 0;
}
