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

enum {
	TURN_WAIT,
	TURN_RUN,
	TURN_QUIT,
};

static void futex_wait(atomic_uint *word, unsigned value)
{
	/* Woken, changed or interrupted: the caller looks again in any case. */
	(void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(atomic_uint *word)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void slot_init(struct slot *slot, int cpu, uint64_t phase_ns)
{
	*slot = (struct slot){ .cpu = cpu, .phase_ns = phase_ns };
	pthread_mutex_init(&slot->lock, NULL);
	TAILQ_INIT(&slot->queue);
	histogram_init(&slot->switches);
}

void slot_destroy(struct slot *slot)
{
	pthread_mutex_destroy(&slot->lock);
}

uint64_t slot_slice_end(const struct slot *slot, uint64_t now_ns, uint64_t slice_ns)
{
	uint64_t end = now_ns + slice_ns + slice_ns / 2;

	return end - (end - slot->phase_ns) % slice_ns;
}

void slot_member_init(struct slot_member *member)
{
	atomic_init(&member->turn, TURN_WAIT);
	atomic_init(&member->thread, 0);
}

void slot_member_enter(struct slot_member *member)
{
	atomic_store(&member->thread, (int)syscall(SYS_gettid));
}

/* PAIR(slot-turn): release here, acquire in slot_wait(). Orders: everything the
 * last holder wrote to the slot before what the next one reads. */
static void grant(struct slot_member *member)
{
	unsigned expected = TURN_WAIT;

	if (atomic_compare_exchange_strong_explicit(&member->turn, &expected, TURN_RUN,
						    memory_order_release, memory_order_relaxed))
		futex_wake(&member->turn);
}

void slot_add(struct slot *slot, struct slot_member *member)
{
	struct slot_member *holder;

	pthread_mutex_lock(&slot->lock);
	holder = slot->holder;
	if (holder == NULL) {
		slot->holder = member;
	} else {
		TAILQ_INSERT_TAIL(&slot->queue, member, link);
		/* Under the lock: the holder cannot pass the slot on and end. One that
		 * was not alone counts its slice already. */
		if (atomic_fetch_add_explicit(&slot->waiting, 1, memory_order_relaxed) == 0)
			slot_kick(holder);
	}
	pthread_mutex_unlock(&slot->lock);
	if (holder == NULL)
		grant(member);
}

bool slot_wait(struct slot_member *member)
{
	unsigned turn = TURN_RUN;

	/* PAIR(slot-turn) */
	while (!atomic_compare_exchange_strong_explicit(&member->turn, &turn, TURN_WAIT,
							memory_order_acquire,
							memory_order_relaxed)) {
		if (turn == TURN_QUIT)
			return false;
		futex_wait(&member->turn, TURN_WAIT);
		turn = TURN_RUN;
	}
	return true;
}

void slot_pass(struct slot *slot, struct slot_member *holder, bool requeue)
{
	struct slot_member *next;

	pthread_mutex_lock(&slot->lock);
	if (requeue) {
		TAILQ_INSERT_TAIL(&slot->queue, holder, link);
		atomic_fetch_add_explicit(&slot->waiting, 1, memory_order_relaxed);
	}
	next = TAILQ_FIRST(&slot->queue);
	if (next != NULL) {
		TAILQ_REMOVE(&slot->queue, next, link);
		atomic_fetch_sub_explicit(&slot->waiting, 1, memory_order_relaxed);
	}
	slot->holder = next;
	pthread_mutex_unlock(&slot->lock);
	if (next != NULL)
		grant(next);
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
		(void)syscall(SYS_tgkill, getpid(), thread, SLOT_KICK_SIGNAL);
}
