// SPDX-License-Identifier: MIT
/*
 * reclaim_rcu.c - the scheme of RCU: liburcu, the flavour whose grace period runs the
 * fences of all readers by membarrier(2) (reclaim.h).
 *
 * A thread that frees hands the list to liburcu and goes on; a thread of liburcu frees it after
 * a grace period, whenever that is.
 *
 * Threads: walkers; any thread frees. Both have to be known to liburcu
 *          (reclaim_thread_begin()). One thread of liburcu's own, from the first
 *          reclaim_create() on to the end of the process.
 */
#include "reclaim.h"

#include <errno.h>
#include <stddef.h>

/*
 * liburcu is not built with the race detector, which therefore knows nothing of its
 * promise. These tell it of the promise. Whether it is kept, the tests' oracles watch.
 */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define promise_begins(at) __tsan_release(at)
#define promise_kept(at)   __tsan_acquire(at)
#else
#define promise_begins(at) ((void)(at))
#define promise_kept(at)   ((void)(at))
#endif

static void rcu_begin(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	(void)reclaim;
	(void)reader;
	/* PAIR(shadow-grace): no fence here; the grace period runs it for the reader. */
	urcu_memb_read_lock();
}

static void rcu_end(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	(void)reader;
	promise_begins(&reclaim->waits);
	(void)reclaim;
	urcu_memb_read_unlock();
}

/* PAIR(shadow-grace): membarrier(2), a full fence on every thread of the process. */
static void rcu_wait(struct reclaim *reclaim)
{
	urcu_memb_synchronize_rcu();
	promise_kept(&reclaim->waits);
	(void)reclaim;
}

static void free_after_grace(struct rcu_head *head)
{
	struct retired *list = (struct retired *)(void *)((char *)head -
							  offsetof(struct retired, rcu));

	promise_kept(head);
	promise_kept(&list->reclaim->waits);
	reclaim_free(list->reclaim, list);
}

static bool rcu_retire(struct reclaim *reclaim, struct retired *list)
{
	list->reclaim = reclaim;
	promise_begins(&list->rcu);
	urcu_memb_call_rcu(&list->rcu, free_after_grace);
	return false;
}

/* A call on liburcu's thread. */
struct own_call {
	struct rcu_head rcu;
	void (*call)(void *context);
	void *context;
	atomic_bool done;
};

static void make_call(struct rcu_head *head)
{
	struct own_call *own = (struct own_call *)(void *)((char *)head -
							   offsetof(struct own_call, rcu));

	promise_kept(head);
	own->call(own->context);
	/* PAIR(own-call): release; the last access. */
	atomic_store_explicit(&own->done, true, memory_order_release);
}

static void rcu_on_own_thread(void (*call)(void *context), void *context)
{
	struct own_call own = { .call = call, .context = context };

	promise_begins(&own.rcu);
	urcu_memb_call_rcu(&own.rcu, make_call);
	/* PAIR(own-call): acquire. */
	for (unsigned turns = 0; !atomic_load_explicit(&own.done, memory_order_acquire); turns++)
		reclaim_pause(turns);
}

/* Its thread is made here, and not by the first vCPU that frees. */
static int rcu_create(struct reclaim *reclaim)
{
	(void)reclaim;
	return urcu_memb_get_default_call_rcu_data() == NULL ? -ENOMEM : 0;
}

/* The last thing that a callback does is to count what it has freed. */
static void rcu_destroy(struct reclaim *reclaim)
{
	for (unsigned turns = 0; atomic_load(&reclaim->held) != 0; turns++)
		reclaim_pause(turns);
}

const struct reclaim_ops reclaim_rcu = {
	.name = "rcu",
	.begin = rcu_begin,
	.end = rcu_end,
	.wait = rcu_wait,
	.retire = rcu_retire,
	.create = rcu_create,
	.destroy = rcu_destroy,
	.on_own_thread = rcu_on_own_thread,
	.thread_begin = urcu_memb_register_thread,
	.thread_end = urcu_memb_unregister_thread,
};
