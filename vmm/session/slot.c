// SPDX-License-Identifier: MIT
/*
 * slot.c - passing a CPU from one vCPU thread to the next (slot.h).
 *
 * Threads: all vCPU threads of the slot, and main, which queues them.
 * Tested:  tests/unit/slot_passes_in_order_test.c
 */
#include "slot.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "vcpu_signals.h"

/* How often the first sleeper of a free slot looks whether one has to wake. */
#define IDLE_LOOK_NS (50 * NS_PER_US)

/* What a member's thread finds in its turn word. */
enum {
	TURN_WAIT,
	TURN_RUN,
	TURN_LOOK,              /* the slot is free: look after the sleepers */
	TURN_QUIT,
};

/* Until @until_ns, UINT64_MAX for ever. */
static void futex_wait(atomic_uint *word, unsigned value, uint64_t until_ns)
{
	struct timespec until = ns_timespec(until_ns);

	/* Woken, changed, timed out or interrupted: the caller looks again in any
	 * case. The bitset form takes an absolute time. */
	(void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
		      until_ns == UINT64_MAX ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void futex_wake(atomic_uint *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void slot_init(struct slot *slot, int cpu, uint64_t slice_ns, uint64_t phase_ns)
{
	*slot = (struct slot){
		.cpu = cpu,
		.slice_ns = slice_ns,
		.phase_ns = phase_ns,
		.preempt = &preempt_slice,
	};
	pthread_mutex_init(&slot->lock, NULL);
	TAILQ_INIT(&slot->queue);
	TAILQ_INIT(&slot->sleepers);
	histogram_init(&slot->switches);
}

void slot_destroy(struct slot *slot)
{
	pthread_mutex_destroy(&slot->lock);
}

void slot_member_init(struct slot_member *member, uint32_t id)
{
	*member = (struct slot_member){ .id = id, .turn = TURN_WAIT };
}

void slot_member_enter(struct slot_member *member)
{
	atomic_store(&member->thread, (int)syscall(SYS_gettid));
}

/* PAIR(slot-turn): release here, acquire in slot_wait(). Orders: everything the
 * last holder wrote to the slot before what the next one reads. Nothing replaces
 * TURN_QUIT, and TURN_RUN only follows a grant. */
static void tell(struct slot_member *member, unsigned turn)
{
	unsigned expected = atomic_load_explicit(&member->turn, memory_order_relaxed);

	while (expected == TURN_WAIT || expected == TURN_LOOK)
		if (atomic_compare_exchange_weak_explicit(&member->turn, &expected, turn,
							  memory_order_release,
							  memory_order_relaxed))
			return;
}

/* Wakes after the unlock: the thread would otherwise run into the lock at once. */
static void unlock_and_wake(struct slot *slot, struct slot_member *told)
{
	pthread_mutex_unlock(&slot->lock);
	if (told != NULL)
		futex_wake(&told->turn);
}

static void count_waiting(struct slot *slot, int change)
{
	atomic_fetch_add_explicit(&slot->waiting, (unsigned)change, memory_order_relaxed);
}

static void count_sleeping(struct slot *slot, int change)
{
	atomic_fetch_add_explicit(&slot->sleeping, (unsigned)change, memory_order_relaxed);
}

/* --- under the slot's lock -------------------------------------------------- */

/* A sleeper whose time has come waits like everybody else: many of them would otherwise
 * keep the slot to themselves. One that is woken or interrupted goes first. */
static void rouse(struct slot *slot, struct slot_member *member, bool first)
{
	TAILQ_REMOVE(&slot->sleepers, member, link);
	if (first)
		TAILQ_INSERT_HEAD(&slot->queue, member, link);
	else
		TAILQ_INSERT_TAIL(&slot->queue, member, link);
	count_sleeping(slot, -1);
	member->asleep = false;
}

static void rouse_due(struct slot *slot)
{
	struct slot_member *member = TAILQ_FIRST(&slot->sleepers), *next;
	uint64_t now = member != NULL ? clock_ns() : 0;

	for (; member != NULL; member = next) {
		next = TAILQ_NEXT(member, link);
		if (now >= member->wake_ns)
			rouse(slot, member, member->wake_ns == 0);
		else if (member->is_interrupted != NULL && member->is_interrupted(member))
			rouse(slot, member, true);
	}
}

/* Give the slot to the next one, if there is one: the caller wakes it after the unlock.
 * @last: the member that has had it and is at the queue's end again. */
static struct slot_member *give(struct slot *slot, const struct slot_member *last)
{
	struct slot_member *next = NULL;

	rouse_due(slot);
	if (!TAILQ_EMPTY(&slot->queue))
		next = slot->preempt->next(slot, last);
	slot->holder = next;
	if (next == NULL) {
		slot->released_ticks = 0;       /* no switch from one to the next */
		return NULL;
	}
	TAILQ_REMOVE(&slot->queue, next, link);
	count_waiting(slot, -1);
	tell(next, TURN_RUN);
	return next;
}

/* The same; a slot that stays free is looked after by the first sleeper. */
static struct slot_member *dispatch(struct slot *slot, const struct slot_member *last)
{
	struct slot_member *told = give(slot, last);

	if (told == NULL && !TAILQ_EMPTY(&slot->sleepers)) {
		told = TAILQ_FIRST(&slot->sleepers);
		tell(told, TURN_LOOK);
	}
	return told;
}

/* Returns the time until which @member's thread may block: for ever, unless it is the first
 * sleeper of a free slot. */
static uint64_t look_after(struct slot *slot, const struct slot_member *member)
{
	struct slot_member *told = NULL;
	uint64_t until = UINT64_MAX;

	pthread_mutex_lock(&slot->lock);
	if (slot->holder == NULL && TAILQ_FIRST(&slot->sleepers) == member) {
		told = give(slot, NULL);
		if (told == NULL)
			until = clock_ns() + IDLE_LOOK_NS;
	}
	unlock_and_wake(slot, told);
	return until;
}

/* ---------------------------------------------------------------------------- */

void slot_queue(struct slot *slot, struct slot_member *member)
{
	pthread_mutex_lock(&slot->lock);
	TAILQ_INSERT_TAIL(&slot->queue, member, link);
	count_waiting(slot, 1);
	pthread_mutex_unlock(&slot->lock);
}

void slot_open(struct slot *slot)
{
	struct slot_member *told = NULL;

	pthread_mutex_lock(&slot->lock);
	if (slot->holder == NULL)
		told = dispatch(slot, NULL);
	unlock_and_wake(slot, told);
}

bool slot_wait(struct slot *slot, struct slot_member *member)
{
	for (;;) {
		/* PAIR(slot-turn) */
		unsigned turn = atomic_load_explicit(&member->turn, memory_order_acquire);

		if (turn == TURN_QUIT)
			return false;
		/* Whatever it says is taken; a grant says TURN_RUN but once. */
		if (turn != TURN_WAIT &&
		    !atomic_compare_exchange_strong_explicit(&member->turn, &turn, TURN_WAIT,
							     memory_order_acquire,
							     memory_order_relaxed))
			continue;
		if (turn == TURN_RUN)
			return true;
		futex_wait(&member->turn, TURN_WAIT, look_after(slot, member));
	}
}

bool slot_is_wanted(struct slot *slot)
{
	bool wanted;

	if (atomic_load_explicit(&slot->sleeping, memory_order_relaxed) == 0)
		return slot_has_waiting(slot);
	pthread_mutex_lock(&slot->lock);
	rouse_due(slot);
	wanted = !TAILQ_EMPTY(&slot->queue);
	pthread_mutex_unlock(&slot->lock);
	return wanted;
}

void slot_pass(struct slot *slot, struct slot_member *holder, bool requeue)
{
	struct slot_member *told;

	pthread_mutex_lock(&slot->lock);
	if (requeue) {
		TAILQ_INSERT_TAIL(&slot->queue, holder, link);
		count_waiting(slot, 1);
	}
	told = dispatch(slot, requeue ? holder : NULL);
	unlock_and_wake(slot, told);
}

void slot_sleep(struct slot *slot, struct slot_member *holder, uint64_t until_ns)
{
	struct slot_member *told;

	pthread_mutex_lock(&slot->lock);
	TAILQ_INSERT_TAIL(&slot->sleepers, holder, link);
	count_waiting(slot, 1);
	count_sleeping(slot, 1);
	holder->asleep = true;
	holder->wake_ns = holder->woken ? 0 : until_ns;
	holder->woken = false;
	told = dispatch(slot, NULL);
	unlock_and_wake(slot, told);
}

void slot_wake(struct slot *slot, struct slot_member *member)
{
	struct slot_member *told = NULL;

	pthread_mutex_lock(&slot->lock);
	if (member->asleep)
		rouse(slot, member, true);
	else
		member->woken = true;
	if (slot->holder == NULL)
		told = dispatch(slot, NULL);
	unlock_and_wake(slot, told);
}

void slot_forget(struct slot *slot, struct slot_member *member)
{
	pthread_mutex_lock(&slot->lock);
	if (member->asleep) {
		TAILQ_REMOVE(&slot->sleepers, member, link);
		count_waiting(slot, -1);
		count_sleeping(slot, -1);
		member->asleep = false;
	}
	pthread_mutex_unlock(&slot->lock);
}

void slot_prefer(struct slot *slot, struct slot_member *member)
{
	struct slot_member *queued;

	pthread_mutex_lock(&slot->lock);
	TAILQ_FOREACH(queued, &slot->queue, link)
		if (queued == member)
			break;
	if (queued != NULL) {
		TAILQ_REMOVE(&slot->queue, queued, link);
		TAILQ_INSERT_HEAD(&slot->queue, queued, link);
	}
	pthread_mutex_unlock(&slot->lock);
}

void slot_member_quit(struct slot_member *member)
{
	atomic_store(&member->turn, TURN_QUIT);
	futex_wake(&member->turn);
	slot_kick(member);
}

void slot_kick(const struct slot_member *member)
{
	int thread = atomic_load(&member->thread);

	if (thread != 0)
		(void)syscall(SYS_tgkill, getpid(), thread, VCPU_KICK_SIGNAL);
}
