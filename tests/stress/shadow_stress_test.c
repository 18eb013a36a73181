// SPDX-License-Identifier: MIT
/*
 * shadow_stress_test.c - host threads in place of vCPUs follow guest pointers through
 * the secondary MMU while frames move, tables are zapped and freed, other vCPUs flush,
 * and the guest's own tables change under the walk: no wrong word, no wild access, no
 * data race.
 *
 * Usage:   shadow [--long] [--seed N] [SCHEME]
 * Threads: walkers, one a vCPU; the mover; a host thread that invalidates what it does
 *          not move; a guest that flushes others; a guest that scribbles over tables.
 *
 * Every word of guest memory says its own guest-physical address, so each word read is
 * a check. What a walker reads, and what it has to find there:
 *
 *   shared pages     the mover moves some of them: the address's own word, always
 *   own window       its own guest code changes the mapping between exits: the page
 *                    mapped last
 *   flushed window   another vCPU maps a new page, flushes, publishes its version and
 *                    poisons the old page: no version older than the one published
 *   scribbled window an error, or one whole page of the two that are mapped in turn
 *
 * Race:    all words are read and written plainly. Nothing but the code under test
 *          orders a copy with the poison that is written into a frame let go of.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "shadow_under_test.h"

#include "page_tables.h"
#include "pte.h"

#define WALKERS        4
#define WINDOW_PAGES   64               /* of each walker, mapped by private leaves */
#define OWN_FIRST      0
#define FLUSHED_FIRST  16
#define SCRIBBLE_FIRST 32
#define EACH           16               /* pages of each kind */

#define SHARED_PAGES   1024             /* more than a space has tables for */
#define HOT_PAGES      32               /* of these, that move; most accesses are to them */
#define VERSIONS       4                /* frames that rotate through a flushed page */
#define VERSIONS_PAGE  SHARED_PAGES     /* [walker][page][version], not moved */
#define SPARES         (4 * MOVER_MAX_RUN)
#define MAX_COPY_WORDS 24
#define MOVES_HZ       20000

struct stress_counts {
	uint64_t checks;                /* words compared */
	uint64_t copies;
	uint64_t refused;               /* bad pointers, by the copy's result */
};

struct walker {
	/* Version, of its flushed pages. */
	_Alignas(SD_CACHE_LINE) _Atomic uint64_t published[EACH];
	pthread_t thread;
	uint32_t vcpu;
	uint64_t own[EACH];             /* guest-physical address mapped there */
	struct stress_counts counts;
};

static struct guest_memory memory;
static struct frames frames;
static struct shadow *shadow;
static struct walker walkers[WALKERS];
static _Atomic uint64_t kicks;
static _Atomic uint64_t exits;          /* of all walkers */
static _Atomic bool stop, failed;
static uint64_t exits_each = 2500;
static uint64_t seed = 1;

static void fail(const char *what, uint64_t is, uint64_t wanted)
{
	if (!atomic_exchange(&failed, true))
		fprintf(stderr, "FAIL %s: %s: 0x%" PRIx64 " and not 0x%" PRIx64 "\n",
			shadow->reclaim.ops->name, what, is, wanted);
}

/* --- the guest's memory ----------------------------------------------------------- */

static uint64_t shared_gpa(uint32_t page)
{
	return SD_FRAMES_GPA + (uint64_t)page * SD_PAGE_BYTES;
}

static uint64_t version_gpa(uint32_t vcpu, uint32_t page, uint64_t version)
{
	return shared_gpa(VERSIONS_PAGE + (vcpu * EACH + page) * VERSIONS +
			  (uint32_t)(version % VERSIONS));
}

/* By frame, as the copy reads it: one address for the race detector. These do not move. */
static uint64_t *version_words(uint32_t vcpu, uint32_t page, uint64_t version)
{
	uint64_t gpa = version_gpa(vcpu, page, version);

	return (uint64_t *)(void *)frames_bytes(&frames, (uint32_t)(gpa / SD_PAGE_BYTES));
}

static uint64_t window_va(uint32_t page)
{
	return sd_window_va(0, page);
}

static void set_pte(uint32_t vcpu, uint32_t page, uint64_t entry)
{
	uint64_t gpa = sd_window_pte_gpa(vcpu, 0, page);

	sd_u64_store_release((struct sd_u64 *)(void *)(memory.hva + gpa), entry);
}

static void write_addresses(void)
{
	for (uint64_t at = 0; at < SHARED_PAGES * SD_PAGE_BYTES; at += sizeof(uint64_t)) {
		uint64_t gpa = SD_FRAMES_GPA + at;

		memcpy(frames.view + gpa, &gpa, sizeof(gpa));
	}
}

/* Most of the time one that moves. */
static uint32_t draw_page(void)
{
	return chance_below(chance_below(4) ? HOT_PAGES : SHARED_PAGES);
}

/* --- walkers ------------------------------------------------------------------------ */

static int copy(struct walker *self, uint64_t gva, uint64_t *words, uint32_t count)
{
	self->counts.copies++;
	return shadow_copy_from_guest(shadow_reader(shadow, self->vcpu),
				      sd_table_gpa(self->vcpu, SD_TABLE_PML4), gva, words,
				      count * sizeof(*words));
}

static void check_words(struct walker *self, const char *what, const uint64_t *words,
			uint32_t count, uint64_t gpa)
{
	for (uint32_t i = 0; i < count; i++) {
		if (words[i] != gpa + i * sizeof(*words))
			fail(what, words[i], gpa + i * sizeof(*words));
		self->counts.checks++;
	}
}

/* Where a copy of *count words may start without leaving @pages pages. */
static uint64_t draw_offset(uint32_t pages, uint32_t *count)
{
	*count = 1 + chance_below(MAX_COPY_WORDS);
	return chance_below(pages * (SD_PAGE_BYTES / 8) - *count + 1) * UINT64_C(8);
}

static void read_shared(struct walker *self)
{
	uint64_t words[MAX_COPY_WORDS];
	uint32_t count;
	uint64_t offset = draw_offset(2, &count);
	uint32_t page = draw_page();
	uint64_t gpa = shared_gpa(page < SHARED_PAGES - 1 ? page : 0) + offset;
	int error = copy(self, gpa, words, count);

	if (error != 0)
		fail("a good pointer was refused", (uint64_t)-error, gpa);
	else
		check_words(self, "wrong word in a shared page", words, count, gpa);
}

static void read_own(struct walker *self)
{
	uint64_t words[MAX_COPY_WORDS];
	uint32_t page = chance_below(EACH);
	uint32_t count;
	uint64_t offset = draw_offset(1, &count);

	if (copy(self, window_va(OWN_FIRST + page) + offset, words, count) != 0)
		fail("the own window was refused", page, 0);
	else
		check_words(self, "older than the exit", words, count, self->own[page] + offset);
}

/* Published is read first, as any oracle must. */
static void read_flushed(struct walker *self)
{
	uint64_t words[8];
	uint32_t page = chance_below(EACH);
	uint64_t published = atomic_load_explicit(&self->published[page], memory_order_acquire);

	if (copy(self, window_va(FLUSHED_FIRST + page), words, 8) != 0) {
		fail("the flushed window was refused", page, 0);
		return;
	}
	for (int i = 0; i < 8; i++) {
		if (words[i] < published || words[i] != words[0])
			fail("older than the flush", words[i], published);
		self->counts.checks++;
	}
}

static void read_scribbled(struct walker *self)
{
	uint64_t words[MAX_COPY_WORDS];
	uint32_t page = chance_below(EACH);
	uint32_t count;
	uint64_t offset = draw_offset(1, &count);
	int error = copy(self, window_va(SCRIBBLE_FIRST + page) + offset, words, count);

	if (error == -EFAULT || error == -ERANGE) {
		self->counts.refused++;
		return;
	}
	if (error != 0)
		fail("refused for a reason it has not", (uint64_t)-error, page);
	else if (words[0] - offset != shared_gpa(page))
		check_words(self, "none of the two pages", words, count,
			    shared_gpa(EACH + page) + offset);
	else
		check_words(self, "not all of one page", words, count, shared_gpa(page) + offset);
}

static void read_nowhere(struct walker *self)
{
	static const uint64_t pointers[] = {
		0x0000800000000000, 0x8000000000000000, 0xffff7ffffffffff8, 0xfffffffffffffff8,
		SD_APIC_VA, 0x100000000,
	};
	uint64_t words[2];
	uint64_t gva = pointers[chance_below(sizeof(pointers) / sizeof(pointers[0]))];

	if (copy(self, gva, words, 2) == 0)
		fail("a bad pointer was followed", gva, 0);
	self->counts.refused++;
}

/* What the vCPU's guest code does between two exits. */
static void run_guest(struct walker *self)
{
	struct vcpu_mode *mode = shadow_mode(shadow_reader(shadow, self->vcpu));
	uint32_t page = chance_below(EACH);

	vcpu_mode_enter_guest(mode);
	self->own[page] = shared_gpa(draw_page());
	set_pte(self->vcpu, OWN_FIRST + page, sd_pte(self->own[page]));
	chance_dwell(16);
	vcpu_mode_leave_guest(mode);
}

static void read_something(struct walker *self)
{
	static void (*const reads[])(struct walker *self) = {
		read_shared, read_shared, read_shared, read_own, read_flushed, read_scribbled,
		read_nowhere,
	};

	reads[chance_below(sizeof(reads) / sizeof(reads[0]))](self);
}

static void *walker_main(void *argument)
{
	struct walker *self = argument;

	chance_seed(seed, self->vcpu);
	shadow_thread_begin(shadow);
	for (uint64_t i = 0; i < exits_each && !atomic_load(&failed); i++) {
		atomic_fetch_add(&exits, 1);
		run_guest(self);
		if (MUTANT != MUTANT_EXIT_KEEPS_TRANSLATIONS)
			shadow_exit_begin(shadow_reader(shadow, self->vcpu));
		for (uint32_t reads = chance_below(12); reads > 0; reads--)
			read_something(self);
	}
	shadow_thread_end(shadow);
	return NULL;
}

/* --- all others ------------------------------------------------------------------------ */

/* The walkers would get nowhere if the others did not wait for them. */
static void await_exit(uint64_t *seen)
{
	while (atomic_load(&exits) == *seen && !atomic_load(&stop))
		sched_yield();
	*seen = atomic_load(&exits);
}

/* Changes nothing, and so may overlap with the mover's. */
static void *invalidator_main(void *argument)
{
	uint64_t seen = 0;

	(void)argument;
	chance_seed(seed, WALKERS);
	shadow_thread_begin(shadow);
	while (!atomic_load(&stop)) {
		uint64_t gpa = shared_gpa(draw_page());

		if (chance_below(2)) {
			shadow_invalidate_page(shadow, gpa);
		} else {
			shadow_invalidate_range_start(shadow, gpa,
						      chance_below(HOT_PAGES) * SD_PAGE_BYTES);
			chance_dwell(8);
			shadow_invalidate_range_end(shadow);
		}
		await_exit(&seen);
	}
	shadow_thread_end(shadow);
	return NULL;
}

static void flush_one(uint32_t vcpu, uint32_t page, uint64_t version)
{
	uint64_t *words = version_words(vcpu, page, version);
	const uint64_t readers = UINT64_C(1) << vcpu;

	for (int i = 0; i < 8; i++)
		words[i] = version;
	set_pte(vcpu, FLUSHED_FIRST + page, sd_pte(version_gpa(vcpu, page, version)));
	shadow_flush(shadow, &readers, WALKERS);
	atomic_store_explicit(&walkers[vcpu].published[page], version, memory_order_release);
	words = version_words(vcpu, page, version - 1);
	for (int i = 0; i < 8; i++)
		words[i] = 0;
}

static void *flusher_main(void *argument)
{
	uint64_t versions[WALKERS][EACH];
	uint64_t *flushes = argument;
	uint64_t seen = 0;

	for (uint32_t vcpu = 0; vcpu < WALKERS; vcpu++)
		for (uint32_t page = 0; page < EACH; page++)
			versions[vcpu][page] = 1;
	chance_seed(seed, WALKERS + 1);
	shadow_thread_begin(shadow);
	for (; !atomic_load(&stop); (*flushes)++) {
		uint32_t vcpu = chance_below(WALKERS), page = chance_below(EACH);

		flush_one(vcpu, page, ++versions[vcpu][page]);
		await_exit(&seen);
	}
	shadow_thread_end(shadow);
	return NULL;
}

static void *scribbler_main(void *argument)
{
	static const uint64_t bad[] = {
		0, 0x1234, UINT64_MAX, 0x000ffffffffff007, SD_APIC_GPA | 7,
	};
	const uint32_t bads = sizeof(bad) / sizeof(bad[0]);

	(void)argument;
	chance_seed(seed, WALKERS + 2);
	while (!atomic_load(&stop)) {
		uint32_t vcpu = chance_below(WALKERS), page = chance_below(EACH);
		uint32_t which = chance_below(2 * bads);

		set_pte(vcpu, SCRIBBLE_FIRST + page, which < bads ? bad[which]
			: sd_pte(shared_gpa(which % 2 * EACH + page)));
		chance_dwell(2);
	}
	return NULL;
}

static void note_kick(void *context, uint32_t reader)
{
	(void)context;
	(void)reader;
	atomic_fetch_add(&kicks, 1);
}

/* --- a round --------------------------------------------------------------------------- */

static void start(pthread_t *thread, void *(*function)(void *), void *argument)
{
	if (pthread_create(thread, NULL, function, argument) != 0)
		exit(99);
}

/* All as it is at the start of a guest, each page where it belongs. */
static void set_up(const struct reclaim_ops *scheme, enum shadow_retry retry)
{
	struct shadow_config config = {
		.frames = &frames, .reclaim = scheme, .readers = WALKERS, .retry = retry,
		/* Wraps around after a thousand exits. */
		.first_tag = UINT32_MAX - 2 * 1000,
	};
	struct why why = { 0 };

	if (guest_memory_create(&memory, WALKERS, 1, WINDOW_PAGES, &why) != 0 ||
	    frames_create(&frames, &memory, SPARES, &why) != 0 ||
	    shadow_create(&shadow, &config) != 0)
		exit(99);
	shadow_kick_with(shadow, note_kick, NULL);
	page_tables_build(&memory);
	write_addresses();
	for (uint32_t vcpu = 0; vcpu < WALKERS; vcpu++) {
		struct walker *walker = &walkers[vcpu];

		*walker = (struct walker){ .vcpu = vcpu };
		for (uint32_t page = 0; page < EACH; page++) {
			uint64_t *words = version_words(vcpu, page, 1);

			walker->own[page] = shared_gpa(page);
			set_pte(vcpu, OWN_FIRST + page, sd_pte(shared_gpa(page)));
			for (int i = 0; i < 8; i++)
				words[i] = 1;
			set_pte(vcpu, FLUSHED_FIRST + page, sd_pte(version_gpa(vcpu, page, 1)));
			atomic_store(&walker->published[page], 1);
			set_pte(vcpu, SCRIBBLE_FIRST + page, sd_pte(shared_gpa(page)));
		}
	}
}

static void tear_down(void)
{
	shadow_destroy(shadow);
	frames_destroy(&frames);
	guest_memory_destroy(&memory);
}

/* A path that was not taken was not tested. Not a 1: no mutant is caught by that. */
static void check_exercised(const struct stress_counts *sum, const struct shadow_counts *counts,
			    uint64_t moves, uint64_t flushes)
{
	if (sum->checks != 0 && sum->refused != 0 && moves != 0 && flushes != 0 &&
	    counts->retries != 0 && counts->zapped != 0 && counts->walks > counts->faults &&
	    (shadow->reclaim.ops != &reclaim_mode || counts->kicks != 0))
		return;
	fprintf(stderr, "BROKEN %s: nothing was tried\n", shadow->reclaim.ops->name);
	exit(99);
}

static void check_counts(const struct stress_counts *sum, const struct shadow_counts *counts)
{
	if (counts->errors != sum->refused)
		fail("errors were miscounted", counts->errors, sum->refused);
	if (counts->kicks != atomic_load(&kicks))
		fail("signals were miscounted", counts->kicks, atomic_load(&kicks));
}

static void report(uint64_t moves, uint64_t flushes)
{
	struct shadow_counts counts = shadow_count(shadow);
	struct stress_counts sum = { 0 };

	for (uint32_t i = 0; i < WALKERS; i++) {
		sum.checks += walkers[i].counts.checks;
		sum.copies += walkers[i].counts.copies;
		sum.refused += walkers[i].counts.refused;
	}
	printf("%-8s %s seed %" PRIu64 ": %s wrong in %" PRIu64 " checks, %" PRIu64
	       " copies (%" PRIu64 " refused), %" PRIu64 " walks, %" PRIu64 " faults, %" PRIu64
	       " retries, %" PRIu64 " moves, %" PRIu64 " flushes, %" PRIu64
	       " entries zapped, at most %" PRIu64 " tables held back, %" PRIu64 " kicks\n", shadow->reclaim.ops->name,
	       shadow->retry == SHADOW_LOOP ? "loop  " : "replay", seed,
	       atomic_load(&failed) ? "some" : "0", sum.checks, sum.copies, sum.refused,
	       counts.walks, counts.faults, counts.retries, moves, flushes, counts.zapped,
	       counts.tables_held_most, counts.kicks);
	fflush(stdout);
	if (atomic_load(&failed))
		return;
	check_exercised(&sum, &counts, moves, flushes);
	check_counts(&sum, &counts);
}

static uint64_t run_threads(uint64_t *flushes)
{
	struct mover_config moving = {
		.shadow = shadow, .frames = &frames, .first_gpa = SD_FRAMES_GPA,
		.pages = HOT_PAGES, .rate_hz = MOVES_HZ, .seed = seed,
	};
	pthread_t invalidator, flusher, scribbler;
	struct mover mover;
	struct why why = { 0 };

	if (mover_start(&mover, &moving, &why) != 0)
		exit(99);
	start(&invalidator, invalidator_main, NULL);
	start(&flusher, flusher_main, flushes);
	start(&scribbler, scribbler_main, NULL);
	for (uint32_t i = 0; i < WALKERS; i++)
		start(&walkers[i].thread, walker_main, &walkers[i]);
	for (uint32_t i = 0; i < WALKERS; i++)
		pthread_join(walkers[i].thread, NULL);
	atomic_store(&stop, true);
	pthread_join(invalidator, NULL);
	pthread_join(flusher, NULL);
	pthread_join(scribbler, NULL);
	if (mover_stop(&mover, &why) != 0) {
		fprintf(stderr, "%s\n", why.text);
		exit(99);
	}
	return mover_moves(&mover);
}

static void run_round(const struct reclaim_ops *scheme, enum shadow_retry retry)
{
	uint64_t flushes = 0;
	uint64_t moves;

	atomic_store(&stop, false);
	atomic_store(&kicks, 0);
	set_up(scheme, retry);
	moves = run_threads(&flushes);
	report(moves, flushes);
	tear_down();
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	bool ran = false;

	for (int a = 1; a < argc; a++) {
		if (!strcmp(argv[a], "--long"))
			exits_each *= 48;
		else if (!strcmp(argv[a], "--seed") && a + 1 < argc)
			seed = strtoull(argv[++a], NULL, 0);
		else
			only = argv[a];
	}
	for (int s = 0; s < RECLAIM_SCHEMES && !atomic_load(&failed); s++) {
		if (only != NULL && strcmp(only, reclaim_schemes[s]->name) != 0)
			continue;
		run_round(reclaim_schemes[s], SHADOW_REPLAY);
		if (!atomic_load(&failed))
			run_round(reclaim_schemes[s], SHADOW_LOOP);
		ran = true;
	}
	/* 1 is what a mutant has to end with: a name that is none must not. */
	return !ran ? 99 : atomic_load(&failed);
}
