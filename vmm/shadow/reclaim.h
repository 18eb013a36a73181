/* SPDX-License-Identifier: MIT */
/*
 * reclaim.h - how freed tables are held back from those who still walk them: three
 * schemes behind one table of functions.
 *
 *   name     walker's cost                       who frees
 *   -------  ----------------------------------  -----------------------------------
 *   rcu      liburcu's read lock                 goes on; a thread of liburcu frees
 *                                                after a grace period
 *   counter  two locked operations on a line     frees at once where nobody reads,
 *            that all walkers share              else leaves it to the next one
 *   mode     one exchange on its own line        waits for those who read just now,
 *            (vcpu_mode.h)                       then frees
 *
 * field            writer                     readers          rule
 * readers[].mode   its own thread             all              vcpu_mode.h
 * readers[].walks  its own thread             any              relaxed, one writer
 * readers[].phase  its own thread             its own thread   -
 * held, freed      any thread                 any              atomic
 * counter.pending  any thread                 any              counter.lock
 */
#ifndef RECLAIM_H
#define RECLAIM_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <urcu/urcu-memb.h>

#include "layout.h"
#include "vcpu_mode.h"

/* At the head of each thing that is freed; a list of them is retired at once. Its
 * memory came from malloc() and its like. */
struct retired {
	struct retired *next;
	struct rcu_head rcu;
	struct reclaim *reclaim;        /* rcu: where it is held back */
};

/* One walker: a line that nobody else writes, but for a kick. */
struct reclaim_reader {
	_Alignas(SD_CACHE_LINE) struct vcpu_mode mode;
	_Atomic uint64_t walks;         /* begun so far */
	unsigned phase;                 /* counter: which count this walk stands in */
};

struct reclaim;

struct reclaim_ops {
	const char *name;
	void (*begin)(struct reclaim *reclaim, struct reclaim_reader *reader);
	void (*end)(struct reclaim *reclaim, struct reclaim_reader *reader);

	/* Every walk that had begun before is over. Not inside a walk. */
	void (*wait)(struct reclaim *reclaim);

	/* Frees the list once no walk can know it. True: every walk that had begun before
	 * is over, a wait() would add nothing. Not inside a walk. */
	bool (*retire)(struct reclaim *reclaim, struct retired *list);

	/* Optional. */
	int (*create)(struct reclaim *reclaim);
	void (*destroy)(struct reclaim *reclaim);
	void (*thread_begin)(void);
	void (*thread_end)(void);

	/* Optional: has the scheme's own thread make this call, and waits for that. */
	void (*on_own_thread)(void (*call)(void *context), void *context);
};

extern const struct reclaim_ops reclaim_rcu;
extern const struct reclaim_ops reclaim_counter;
extern const struct reclaim_ops reclaim_mode;

/* All three, in the order of their names; for options and tables. */
#define RECLAIM_SCHEMES 3
extern const struct reclaim_ops *const reclaim_schemes[RECLAIM_SCHEMES];

/* Of the counter scheme. */
struct reclaim_counter {
	struct { _Alignas(SD_CACHE_LINE) _Atomic uint64_t walks; } in_phase[2];
	_Alignas(SD_CACHE_LINE) _Atomic unsigned phase; /* that a new walk stands in */
	pthread_mutex_t lock;           /* of pending */
	pthread_mutex_t flips;          /* one wait() at a time */
	struct retired *pending;        /* unlinked while somebody read */
};

struct reclaim {
	const struct reclaim_ops *ops;
	struct reclaim_reader *readers; /* [reader_count] */
	uint32_t reader_count;
	struct reclaim_counter counter;
	_Alignas(SD_CACHE_LINE) _Atomic uint64_t waits; /* mode: its locked add is the fence */
	_Atomic uint64_t held;          /* retired and not yet freed */
	_Atomic uint64_t held_most;
	_Atomic uint64_t freed;
	_Atomic uint64_t kicks;

	/* Optional: a vCPU whose mode the freeing thread has just taken from IN_GUEST_MODE
	 * to EXITING_GUEST_MODE is signalled. NULL: none is; a vCPU in the guest knows no
	 * table of ours. */
	void (*kick)(void *context, uint32_t reader);
	void *kick_context;
};

/**
 * reclaim_create - for walkers 0 to @readers - 1.
 *
 * Errors:  -ENOMEM; nothing is left behind.
 */
__attribute__((warn_unused_result))
int reclaim_create(struct reclaim *reclaim, const struct reclaim_ops *ops, uint32_t readers);

/* reclaim_destroy - frees what is still held back. No walk goes on, none begins. */
void reclaim_destroy(struct reclaim *reclaim);

/* reclaim_thread_begin, reclaim_thread_end - around all that a thread does with
 * @reclaim, walking or freeing. */
void reclaim_thread_begin(const struct reclaim *reclaim);
void reclaim_thread_end(const struct reclaim *reclaim);

/* reclaim_on_own_thread - call @call on the scheme's own thread; not at all where it has none.
 * Outside a walk. */
void reclaim_on_own_thread(const struct reclaim *reclaim, void (*call)(void *context),
			   void *context);

/* reclaim_begin, reclaim_end - a walk by @reader, on its own thread; not nested. */
static inline void reclaim_begin(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	uint64_t walks = atomic_load_explicit(&reader->walks, memory_order_relaxed);

	atomic_store_explicit(&reader->walks, walks + 1, memory_order_relaxed);
	reclaim->ops->begin(reclaim, reader);
}

static inline void reclaim_end(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	reclaim->ops->end(reclaim, reader);
}

/* reclaim_wait, reclaim_retire - as in the table of functions, and counted. An empty
 * list is retired without a wait: false. */
void reclaim_wait(struct reclaim *reclaim);
bool reclaim_retire(struct reclaim *reclaim, struct retired *list);

/* reclaim_free - for the schemes: @list was retired and is out of every walk's reach. */
void reclaim_free(struct reclaim *reclaim, struct retired *list);

/* reclaim_drop - a list that was never retired, when nobody walks any more. Returns how
 * many there were. */
uint64_t reclaim_drop(struct retired *list);

/* reclaim_pause - one turn of a loop that waits for another thread, the @turns-th: the
 * CPU is given away once it is clear that the other one needs it. */
void reclaim_pause(unsigned turns);

#endif
