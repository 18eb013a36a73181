// SPDX-License-Identifier: MIT
/*
 * mover.c - the host thread that moves pages (mover.h).
 *
 * Threads: the mover's own; started and stopped by main.
 * Tested:  tests/unit/shadow_mover_moves_in_its_range_test.c,
 *          tests/stress/shadow_stress_test.c
 */
#include "mover.h"

#include <signal.h>
#include <string.h>

#include "clock.h"
#include "split_mix.h"

/* --- a move ------------------------------------------------------------------- */

/* Moved, then invalidated: nobody reads the old frame after that. */
static int move_one(struct shadow *shadow, struct frames *frames, uint64_t gpa)
{
	uint32_t old;
	int moved = frames_move(frames, (uint32_t)(gpa / SD_PAGE_BYTES), 1, &old);

	if (moved < 0)
		return moved;
	shadow_invalidate_page(shadow, gpa);
	frames_release(frames, old);
	return 0;
}

/* Invalidated around the moves: nobody reads the old frames when the first one moves. */
static int move_range(struct shadow *shadow, struct frames *frames, uint64_t gpa, uint32_t count)
{
	uint32_t page = (uint32_t)(gpa / SD_PAGE_BYTES), end = page + count;
	uint32_t old[MOVER_MAX_RUN];
	int moved = 0;

	shadow_invalidate_range_start(shadow, gpa, (uint64_t)count * SD_PAGE_BYTES);
	while (page < end && moved >= 0) {
		moved = frames_move(frames, page, end - page, old);
		for (int i = 0; i < moved; i++)
			frames_release(frames, old[i]);
		page += moved > 0 ? (uint32_t)moved : 0;
	}
	shadow_invalidate_range_end(shadow);
	return moved < 0 ? moved : 0;
}

int mover_move(struct shadow *shadow, struct frames *frames, uint64_t first_gpa, uint32_t count)
{
	return count == 1 ? move_one(shadow, frames, first_gpa)
		: move_range(shadow, frames, first_gpa, count);
}

/* --- the thread ------------------------------------------------------------------ */

static uint32_t draw_below(struct mover *mover, uint32_t limit)
{
	return (uint32_t)split_mix_below(&mover->state, limit);
}

/* Returns how many pages have moved. */
static uint32_t move_some(struct mover *mover)
{
	const struct mover_config *config = &mover->config;
	uint32_t first = draw_below(mover, config->pages);
	uint32_t count = 1 + draw_below(mover, MOVER_MAX_RUN);
	uint64_t gpa = config->first_gpa + (uint64_t)first * SD_PAGE_BYTES;

	if (count > config->pages - first)
		count = config->pages - first;
	mover->error = mover_move(config->shadow, config->frames, gpa, count);
	if (mover->error != 0)
		why_set(&mover->why, EXIT_HOST, -mover->error, "moving %u pages at 0x%llx: %s",
			count, (unsigned long long)gpa, strerror(-mover->error));
	return count;
}

/* Until @due_ns or mover_stop(), which it returns. */
static bool rest(struct mover *mover, uint64_t due_ns)
{
	struct timespec due = ns_timespec(due_ns);
	bool stop;

	pthread_mutex_lock(&mover->lock);
	while (!mover->stop && clock_ns() < due_ns)
		(void)pthread_cond_timedwait(&mover->wake, &mover->lock, &due);
	stop = mover->stop;
	pthread_mutex_unlock(&mover->lock);
	return stop;
}

/* The time between two moves is at least that of a move: with one range right after the
 * other, no fault would ever get through. */
static uint64_t not_before(uint64_t due_ns, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t by_half_ns = end_ns + (end_ns - start_ns);

	return due_ns > by_half_ns ? due_ns : by_half_ns;
}

static void *mover_main(void *argument)
{
	struct mover *mover = argument;
	uint64_t due_ns = clock_ns(), rest_ns;

	if (mover->config.begin != NULL)
		mover->error = mover->config.begin(&mover->why);
	if (mover->error != 0)
		return NULL;
	shadow_thread_begin(mover->config.shadow);
	do {
		uint64_t start_ns = clock_ns();
		uint32_t count = move_some(mover);

		if (mover->error != 0)
			break;
		atomic_fetch_add(&mover->moves, count);
		/* Only the rate counts, so that a late move is made up for. */
		due_ns += count * NS_PER_S / mover->config.rate_hz;
		rest_ns = not_before(due_ns, start_ns, clock_ns());
	} while (!rest(mover, rest_ns));
	shadow_thread_end(mover->config.shadow);
	return NULL;
}

/* --- start and stop ------------------------------------------------------------- */

static int check(const struct mover_config *config, struct why *why)
{
	uint64_t bytes = (uint64_t)config->pages * SD_PAGE_BYTES;

	if (config->rate_hz == 0 || config->pages == 0 || config->pages > MOVER_MAX_PAGES ||
	    config->first_gpa % SD_PAGE_BYTES != 0 ||
	    guest_memory_at(config->frames->memory, config->first_gpa, bytes) == NULL ||
	    config->frames->spare_count < MOVER_MAX_RUN)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "moving %u pages from 0x%llx on, %u a second", config->pages,
			       (unsigned long long)config->first_gpa, config->rate_hz);
	return 0;
}

static int init_wake(struct mover *mover)
{
	pthread_condattr_t attributes;
	int error = pthread_condattr_init(&attributes);

	if (error != 0)
		return error;
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	error = pthread_cond_init(&mover->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	return error;
}

static int create_thread(struct mover *mover)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&mover->thread, NULL, mover_main, mover);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int mover_start(struct mover *mover, const struct mover_config *config, struct why *why)
{
	int error = check(config, why);

	if (error != 0)
		return error;
	memset(mover, 0, sizeof(*mover));
	mover->config = *config;
	mover->state = config->seed;
	error = pthread_mutex_init(&mover->lock, NULL);
	if (error != 0)
		goto no_thread;
	error = init_wake(mover);
	if (error != 0)
		goto destroy_lock;
	error = create_thread(mover);
	if (error == 0)
		return 0;
	pthread_cond_destroy(&mover->wake);
destroy_lock:
	pthread_mutex_destroy(&mover->lock);
no_thread:
	return why_set(why, EXIT_HOST, error, "thread that moves pages: %s", strerror(error));
}

int mover_stop(struct mover *mover, struct why *why)
{
	pthread_mutex_lock(&mover->lock);
	mover->stop = true;
	pthread_cond_signal(&mover->wake);
	pthread_mutex_unlock(&mover->lock);
	pthread_join(mover->thread, NULL);
	pthread_cond_destroy(&mover->wake);
	pthread_mutex_destroy(&mover->lock);
	if (mover->error != 0)
		return why_set(why, mover->why.status, -mover->error, "%s", mover->why.text);
	return 0;
}

uint64_t mover_moves(const struct mover *mover)
{
	return atomic_load(&mover->moves);
}
