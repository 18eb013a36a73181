// SPDX-License-Identifier: MIT
/*
 * reclaim_counter.c - the old scheme: an atomic count of those who read, on a line
 * that all of them share (reclaim.h).
 *
 * Where nobody reads, tables are freed at once; else they stay with the pending ones
 * until somebody has waited. With one count that wait would have no end as long as
 * walks overlap, so there are two. The count that new walks do not use comes down to 0;
 * then new walks use it, and the other count comes down to 0.
 *
 *   walker                              who frees
 *   ------                              ---------
 *   p = phase                           unlink; full fence
 *   lock walks[p] += 1                  walks[not phase] == 0
 *   load entries, copy data             lock phase = not phase
 *   lock walks[p] -= 1                  walks[the one before] == 0; free
 *
 * It does not matter in which of the two a walk is counted: both are waited for. A walk
 * that is counted too late for that finds the table unlinked.
 *
 * Threads: walkers; any thread frees.
 */
#include "reclaim.h"

#include <stddef.h>

static void counter_begin(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	struct reclaim_counter *counter = &reclaim->counter;

	/* Relaxed: a turn that is missed only delays who waits. */
	reader->phase = atomic_load_explicit(&counter->phase, memory_order_relaxed);
	/* PAIR(shadow-count): a locked add is the full fence between being counted and the
	 * walk's loads; the other one stands before the look at the count. */
	(void)atomic_fetch_add(&counter->in_phase[reader->phase].walks, 1);
}

static void counter_end(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	/* PAIR(shadow-counted-out): release, by the locked instruction; acquire in
	 * nobody_in(). Orders: the walk's loads before the memory is used again. */
	(void)atomic_fetch_sub(&reclaim->counter.in_phase[reader->phase].walks, 1);
}

static bool nobody_in(struct reclaim_counter *counter, unsigned phase)
{
	/* PAIR(shadow-counted-out) */
	return atomic_load_explicit(&counter->in_phase[phase].walks, memory_order_acquire) == 0;
}

static struct retired *take_pending(struct reclaim_counter *counter)
{
	struct retired *list;

	pthread_mutex_lock(&counter->lock);
	list = counter->pending;
	counter->pending = NULL;
	pthread_mutex_unlock(&counter->lock);
	return list;
}

static void add_pending(struct reclaim_counter *counter, struct retired *list)
{
	struct retired *last = list;

	while (last->next != NULL)
		last = last->next;
	pthread_mutex_lock(&counter->lock);
	last->next = counter->pending;
	counter->pending = list;
	pthread_mutex_unlock(&counter->lock);
}

static void await_nobody_in(struct reclaim_counter *counter, unsigned phase)
{
	for (unsigned turns = 0; !nobody_in(counter, phase); turns++)
		reclaim_pause(turns);
}

/* No walk can reach after the wait what was pending before it. */
static void counter_wait(struct reclaim *reclaim)
{
	struct reclaim_counter *counter = &reclaim->counter;
	struct retired *list = take_pending(counter);
	unsigned phase;

	pthread_mutex_lock(&counter->flips);
	/* PAIR(shadow-count): a locked add of nothing is the full fence. */
	phase = atomic_fetch_add(&counter->phase, 0);
	await_nobody_in(counter, phase ^ 1);
	atomic_store(&counter->phase, phase ^ 1);
	await_nobody_in(counter, phase);
	pthread_mutex_unlock(&counter->flips);
	reclaim_free(reclaim, list);
}

static bool counter_retire(struct reclaim *reclaim, struct retired *list)
{
	struct reclaim_counter *counter = &reclaim->counter;

	/* Before the look, so that pending ones may go with it. */
	add_pending(counter, list);
	list = take_pending(counter);
	/* PAIR(shadow-count): a locked add of nothing is the full fence. */
	(void)atomic_fetch_add(&counter->phase, 0);
	if (nobody_in(counter, 0) && nobody_in(counter, 1)) {
		reclaim_free(reclaim, list);
		return true;
	}
	if (list != NULL)
		add_pending(counter, list);
	return false;
}

static int counter_create(struct reclaim *reclaim)
{
	int error = pthread_mutex_init(&reclaim->counter.lock, NULL);

	if (error != 0)
		return -error;
	error = pthread_mutex_init(&reclaim->counter.flips, NULL);
	if (error != 0)
		pthread_mutex_destroy(&reclaim->counter.lock);
	return -error;
}

static void counter_destroy(struct reclaim *reclaim)
{
	reclaim_free(reclaim, take_pending(&reclaim->counter));
	pthread_mutex_destroy(&reclaim->counter.flips);
	pthread_mutex_destroy(&reclaim->counter.lock);
}

const struct reclaim_ops reclaim_counter = {
	.name = "counter",
	.begin = counter_begin,
	.end = counter_end,
	.wait = counter_wait,
	.retire = counter_retire,
	.create = counter_create,
	.destroy = counter_destroy,
};
