// SPDX-License-Identifier: MIT
/*
 * reclaim_stress_test.c - host threads walk to items that others unlink and free under
 * each of the three schemes: no item is freed, or written to again, under its reader.
 *
 * Usage:   reclaim [--long] [--seed N] [SCHEME]: rcu, counter, mode; stragglers:
 *          counter, with walks that are slow to be counted; in_parts: mode, by the
 *          functions that the mutants are made of, none of them wrong
 * Threads: readers, who look into cells; freers, one owner a cell, who put a new item
 *          there and let go of the old one: some are retired, some are waited for by
 *          hand and written to.
 * Race:    the item's words are plain. Nothing but the scheme orders a reader's loads
 *          with the freer's poison or free(), so the sanitizers see what lacks.
 *
 * field               writer          readers        rule
 * cells[]             its owner       all            release, acquire
 * item.word           before linking  readers        the scheme under test
 * all others          own thread      main           after join
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reclaim.h"

#define READERS 3
#define FREERS  2
#define CELLS   8
#define WORDS   6
#define POISON  UINT64_MAX

struct item {
	struct retired retired;         /* first: what is freed */
	uint64_t word[WORDS];           /* all the same */
};

#include "reclaim_under_test.h"

struct counts {
	uint64_t checks;                /* words compared */
	uint64_t retired;
	uint64_t waited;
};

struct stress_thread {
	pthread_t thread;
	uint32_t index;
	struct counts counts;
};

static _Atomic(struct item *) cells[CELLS];
static struct reclaim reclaim;
static uint64_t walks_each;
static uint64_t seed = 1;
static _Atomic uint32_t readers_done;
static _Atomic bool failed;

static void fail(const char *what, uint64_t value)
{
	if (!atomic_exchange(&failed, true))
		fprintf(stderr, "FAIL %s: %s: 0x%" PRIx64 "\n", reclaim.ops->name, what, value);
}

static struct item *new_item(uint64_t value)
{
	struct item *item = malloc(sizeof(*item));

	if (item == NULL)
		exit(99);
	for (int i = 0; i < WORDS; i++)
		item->word[i] = value;
	return item;
}

/* --- readers ------------------------------------------------------------------------ */

static void check_item(struct stress_thread *self, const struct item *item)
{
	uint64_t first = item->word[0];

	for (int i = 0; i < WORDS; i++) {
		chance_dwell(64);
		if (item->word[i] != first || first == POISON)
			fail("an item was freed under its reader", item->word[i]);
		self->counts.checks++;
	}
}

static void *reader_main(void *argument)
{
	struct stress_thread *self = argument;
	struct reclaim_reader *reader = &reclaim.readers[self->index];

	chance_seed(seed, self->index);
	reclaim_thread_begin(&reclaim);
	for (uint64_t i = 0; i < walks_each && !atomic_load(&failed); i++) {
		struct item *item;

		reclaim_begin(&reclaim, reader);
		item = atomic_load_explicit(&cells[chance_below(CELLS)], memory_order_acquire);
		chance_dwell(16);
		if (MUTANT != MUTANT_USED_AFTER_THE_END)
			check_item(self, item);
		reclaim_end(&reclaim, reader);
		if (MUTANT == MUTANT_USED_AFTER_THE_END)
			check_item(self, item);
		chance_dwell(64);
	}
	reclaim_thread_end(&reclaim);
	atomic_fetch_add(&readers_done, 1);
	return NULL;
}

/* --- freers ----------------------------------------------------------------------- */

/* By hand: after the wait the item is the freer's alone. */
static void wait_and_reuse(struct stress_thread *self, struct item *old)
{
	reclaim_wait(&reclaim);
	for (int i = 0; i < WORDS; i++)
		old->word[i] = POISON;
	free(old);
	self->counts.waited++;
}

static void retire(struct stress_thread *self, struct item *old)
{
	old->retired.next = NULL;
	(void)reclaim_retire(&reclaim, &old->retired);
	self->counts.retired++;
}

static void replace(struct stress_thread *self, uint32_t cell, uint64_t value)
{
	struct item *old = atomic_load_explicit(&cells[cell], memory_order_relaxed);

	unlink_later(&cells[cell], new_item(value));
	/* A scheme begins with a locked instruction; the mutants drain themselves. */
	if (MUTANT != MUTANT_FREER_HAS_NO_FENCE)
		drain();
	if (chance_below(2))
		retire(self, old);
	else
		wait_and_reuse(self, old);
}

static void *freer_main(void *argument)
{
	struct stress_thread *self = argument;

	chance_seed(seed, READERS + self->index);
	reclaim_thread_begin(&reclaim);
	for (uint64_t value = 1; atomic_load(&readers_done) < READERS; value++) {
		replace(self, chance_below(CELLS / FREERS) * FREERS + self->index, value);
		chance_dwell(4);
	}
	reclaim_thread_end(&reclaim);
	return NULL;
}

/* --- rounds ------------------------------------------------------------------------- */

static void start(struct stress_thread *thread, uint32_t index, void *(*function)(void *))
{
	*thread = (struct stress_thread){ .index = index };
	if (pthread_create(&thread->thread, NULL, function, thread) != 0)
		exit(99);
}

static void join(struct stress_thread *threads, uint32_t count, struct counts *counts)
{
	for (uint32_t i = 0; i < count; i++) {
		pthread_join(threads[i].thread, NULL);
		counts->checks += threads[i].counts.checks;
		counts->retired += threads[i].counts.retired;
		counts->waited += threads[i].counts.waited;
	}
}

/* A path that was not taken was not tested. Not a 1: no mutant is caught by that. */
static void report(const struct counts *counts)
{
	printf("%-8s seed %" PRIu64 ": %" PRIu64 " checks, %" PRIu64 " retired, at most %" PRIu64
	       " held back, %" PRIu64 " waited for by hand\n", reclaim.ops->name, seed,
	       counts->checks, counts->retired, atomic_load(&reclaim.held_most), counts->waited);
	fflush(stdout);
	if (atomic_load(&failed) ||
	    (counts->checks != 0 && counts->retired != 0 && counts->waited != 0))
		return;
	fprintf(stderr, "BROKEN %s: nothing was tried\n", reclaim.ops->name);
	exit(99);
}

static void run_scheme(const char *name, const struct reclaim_ops *scheme)
{
	struct stress_thread readers[READERS], freers[FREERS];
	struct counts counts = { 0 };

	if (reclaim_create(&reclaim, under_test(name, scheme), READERS) != 0)
		exit(99);
	atomic_store(&readers_done, 0);
	for (uint32_t i = 0; i < CELLS; i++)
		atomic_store(&cells[i], new_item(0));
	for (uint32_t i = 0; i < FREERS; i++)
		start(&freers[i], i, freer_main);
	for (uint32_t i = 0; i < READERS; i++)
		start(&readers[i], i, reader_main);
	join(readers, READERS, &counts);
	join(freers, FREERS, &counts);
	report(&counts);
	for (uint32_t i = 0; i < CELLS; i++)
		free(atomic_load(&cells[i]));
	reclaim_destroy(&reclaim);
	if (atomic_load(&reclaim.held) != 0 || atomic_load(&reclaim.freed) != counts.retired)
		fail("retired and never freed", atomic_load(&reclaim.held));
}

static const struct {
	const char *name;
	const struct reclaim_ops *scheme;
} runs[] = {
	{ "rcu", &reclaim_rcu },
	{ "counter", &reclaim_counter },
	{ "mode", &reclaim_mode },
	{ "stragglers", &reclaim_counter },
	{ "in_parts", &reclaim_mode },
};

int main(int argc, char **argv)
{
	const char *only = NULL;
	bool ran = false;

	walks_each = 20000;
	for (int a = 1; a < argc; a++) {
		if (!strcmp(argv[a], "--long"))
			walks_each = 400000;
		else if (!strcmp(argv[a], "--seed") && a + 1 < argc)
			seed = strtoull(argv[++a], NULL, 0);
		else
			only = argv[a];
	}
	for (size_t r = 0; r < sizeof(runs) / sizeof(runs[0]) && !atomic_load(&failed); r++) {
		if (only != NULL && strcmp(only, runs[r].name) != 0)
			continue;
		run_scheme(runs[r].name, runs[r].scheme);
		ran = true;
	}
	/* 1 is what a mutant has to end with: a name that is none must not. */
	return !ran ? 99 : atomic_load(&failed);
}
