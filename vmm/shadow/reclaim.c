// SPDX-License-Identifier: MIT
/*
 * reclaim.c - what the three schemes have in common (reclaim.h).
 *
 * Threads: any; created and destroyed by one.
 * Tested:  tests/unit/shadow_reclaim_waits_for_readers_test.c,
 *          tests/stress/reclaim_stress_test.c
 */
#include "reclaim.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define TURNS_BEFORE_YIELD 64

const struct reclaim_ops *const reclaim_schemes[RECLAIM_SCHEMES] = {
	&reclaim_rcu, &reclaim_counter, &reclaim_mode,
};

int reclaim_create(struct reclaim *reclaim, const struct reclaim_ops *ops, uint32_t readers)
{
	size_t bytes = readers * sizeof(struct reclaim_reader);
	int error = 0;

	memset(reclaim, 0, sizeof(*reclaim));
	reclaim->ops = ops;
	reclaim->reader_count = readers;
	reclaim->readers = aligned_alloc(SD_CACHE_LINE, bytes);
	if (reclaim->readers == NULL)
		return -ENOMEM;
	memset(reclaim->readers, 0, bytes);
	if (ops->create != NULL)
		error = ops->create(reclaim);
	if (error != 0)
		free(reclaim->readers);
	return error;
}

void reclaim_destroy(struct reclaim *reclaim)
{
	if (reclaim->ops->destroy != NULL)
		reclaim->ops->destroy(reclaim);
	free(reclaim->readers);
	reclaim->readers = NULL;
}

void reclaim_thread_begin(const struct reclaim *reclaim)
{
	if (reclaim->ops->thread_begin != NULL)
		reclaim->ops->thread_begin();
}

void reclaim_thread_end(const struct reclaim *reclaim)
{
	if (reclaim->ops->thread_end != NULL)
		reclaim->ops->thread_end();
}

void reclaim_on_own_thread(const struct reclaim *reclaim, void (*call)(void *context),
			   void *context)
{
	if (reclaim->ops->on_own_thread != NULL)
		reclaim->ops->on_own_thread(call, context);
}

/* The maximum covers every moment, because whoever raises held raises it too. */
static void count_held(struct reclaim *reclaim, uint64_t count)
{
	uint64_t held = atomic_fetch_add(&reclaim->held, count) + count;
	uint64_t most = atomic_load(&reclaim->held_most);

	while (held > most &&
	       !atomic_compare_exchange_weak(&reclaim->held_most, &most, held))
		;
}

void reclaim_wait(struct reclaim *reclaim)
{
	reclaim->ops->wait(reclaim);
}

bool reclaim_retire(struct reclaim *reclaim, struct retired *list)
{
	uint64_t count = 0;

	if (list == NULL)
		return false;
	for (const struct retired *each = list; each != NULL; each = each->next)
		count++;
	count_held(reclaim, count);
	return reclaim->ops->retire(reclaim, list);
}

uint64_t reclaim_drop(struct retired *list)
{
	uint64_t count = 0;

	while (list != NULL) {
		struct retired *next = list->next;

		free(list);
		list = next;
		count++;
	}
	return count;
}

void reclaim_free(struct reclaim *reclaim, struct retired *list)
{
	uint64_t count = reclaim_drop(list);

	atomic_fetch_add(&reclaim->freed, count);
	/* The last access: reclaim_destroy() may be waiting for it. */
	atomic_fetch_sub(&reclaim->held, count);
}

void reclaim_pause(unsigned turns)
{
	if (turns < TURNS_BEFORE_YIELD)
		__builtin_ia32_pause();
	else
		sched_yield();
}
