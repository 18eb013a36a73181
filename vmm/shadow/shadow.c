// SPDX-License-Identifier: MIT
/*
 * shadow.c - the secondary MMU: copy, fault, flush, invalidate (shadow.h).
 *
 * field                writer                     readers        rule
 * reader.section       its thread                 who frees      reclaim.h
 * reader.generation    its thread, who flushes    its thread     atomic (shadow-flush)
 * reader.counts        its thread                 any            relaxed, one writer
 * reader.root          its thread                 its thread     -
 * reader.space         who has the lock           its thread     space.h
 * notifier             who has the lock           its thread     notifier.h
 * rmaps                who has the lock           the same       lock
 * zapped               who has the lock           any            relaxed
 *
 * No reader takes the lock between reclaim_begin() and reclaim_end(), and nobody waits
 * for readers under it.
 */
#include "shadow.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "notifier.h"
#include "space.h"

struct reader_counts {
	_Atomic uint64_t faults, retries, errors;
};

struct shadow_reader {
	/* The walk's own line. Tags are odd, so that none is 0. */
	_Alignas(SD_CACHE_LINE) _Atomic uint32_t generation;
	struct reclaim_reader *section;
	struct shadow *shadow;
	uint64_t root;
	struct reader_counts counts;

	_Alignas(SD_CACHE_LINE) struct space space;
};

struct shadow {
	struct reclaim reclaim;
	struct notifier notifier;
	pthread_mutex_t lock;
	struct frames *frames;
	struct rmap **rmaps;            /* [pages of the guest's memory] */
	struct shadow_reader *readers;  /* [reader_count] */
	uint32_t reader_count;
	enum shadow_retry retry;
	_Atomic uint64_t zapped;        /* entries */
};

/* Relaxed, and no locked add: one writer at a time. */
static void add(_Atomic uint64_t *counter, uint64_t count)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + count, memory_order_relaxed);
}

/* Behind notifier_will_wait() and the lock. */
static void wait_for_readers(struct shadow *shadow, struct retired *unlinked)
{
	if (!reclaim_retire(&shadow->reclaim, unlinked))
		reclaim_wait(&shadow->reclaim);
	notifier_waited(&shadow->notifier);
}

/* --- generations -------------------------------------------------------------- */

#define TAG_STEP 2

/* The tag comes round to its first value: entries of then must not come alive. */
static void wrap_around(struct shadow_reader *reader, uint32_t old)
{
	struct shadow *shadow = reader->shadow;
	struct retired *unlinked = NULL;

	pthread_mutex_lock(&shadow->lock);
	if (atomic_load(&reader->generation) == old) {
		add(&shadow->zapped, space_zap(&reader->space, &unlinked));
		atomic_store(&reader->generation, old + TAG_STEP);
	}
	notifier_will_wait(&shadow->notifier);
	pthread_mutex_unlock(&shadow->lock);
	wait_for_readers(shadow, unlinked);
}

/* Ends all of the reader's translations. The locked instruction is a full fence. */
static void next_generation(struct shadow_reader *reader)
{
	uint32_t old = atomic_load(&reader->generation);

	while (old != UINT32_MAX)
		if (atomic_compare_exchange_weak(&reader->generation, &old, old + TAG_STEP))
			return;
	wrap_around(reader, old);
}

void shadow_exit_begin(struct shadow_reader *reader)
{
	next_generation(reader);
}

void shadow_flush(struct shadow_reader *reader)
{
	/* PAIR(shadow-flush): the locked instruction, then the look at who walks; the walker
	 * reads the generation inside its walk, the fault before its lookup. */
	next_generation(reader);
	reclaim_wait(&reader->shadow->reclaim);
}

void shadow_flush_many(struct shadow *shadow, const uint64_t *readers)
{
	for (uint32_t i = 0; i < shadow->reader_count; i++)
		if (readers[i / 64] >> i % 64 & 1)
			next_generation(&shadow->readers[i]);
	/* PAIR(shadow-flush): as above. */
	reclaim_wait(&shadow->reclaim);
}

/* --- fault -------------------------------------------------------------------- */

/* Under the lock. The space's walker is this thread, which is in no walk. */
static int map(struct shadow_reader *reader, uint64_t gva, uint32_t page, uint32_t frame,
	       uint32_t tag, struct retired **unlinked)
{
	struct shadow *shadow = reader->shadow;

	if (space_is_full(&reader->space))
		add(&shadow->zapped, space_zap(&reader->space, unlinked));
	return space_map(&reader->space, shadow->rmaps, gva, page, frame, tag, unlinked);
}

/* Under the lock: has the host moved something since @sequence, or has a flush come since
 * @tag? */
static bool is_overtaken(const struct shadow_reader *reader, uint64_t sequence, uint32_t tag)
{
	return notifier_overtook(&reader->shadow->notifier, sequence) ||
		atomic_load(&reader->generation) != tag;
}

/* -EAGAIN: dropped. */
static int try_fault(struct shadow_reader *reader, uint64_t gva)
{
	struct shadow *shadow = reader->shadow;
	uint64_t sequence = notifier_fault_begin(&shadow->notifier);
	/* PAIR(shadow-flush): acquire, before the guest's tables are read. */
	uint32_t tag = atomic_load_explicit(&reader->generation, memory_order_acquire);
	struct retired *unlinked = NULL;
	uint32_t page, frame;
	uint64_t gpa;
	int error = guest_walk(shadow->frames->memory, reader->root, gva, &gpa);

	if (error != 0)
		return error;
	page = (uint32_t)(gpa / SD_PAGE_BYTES);
	frame = frames_at(shadow->frames, page);
	pthread_mutex_lock(&shadow->lock);
	error = is_overtaken(reader, sequence, tag) ? -EAGAIN
		: map(reader, gva, page, frame, tag, &unlinked);
	pthread_mutex_unlock(&shadow->lock);
	reclaim_retire(&shadow->reclaim, unlinked);
	return error;
}

/* Once, or until it has not been overtaken. */
static int fault(struct shadow_reader *reader, uint64_t gva)
{
	struct shadow *shadow = reader->shadow;
	int error;

	add(&reader->counts.faults, 1);
	for (;;) {
		error = try_fault(reader, gva);
		if (error != -EAGAIN)
			return error;
		add(&reader->counts.retries, 1);
		if (shadow->retry == SHADOW_REPLAY)
			return error;
		for (unsigned turns = 0; notifier_goes_on(&shadow->notifier); turns++)
			reclaim_pause(turns);
	}
}

/* --- walk --------------------------------------------------------------------- */

#define MOST_WORDS_BYTES 256

/* Most requests are a few words, and behind a locked instruction libc's memcpy() takes
 * 38 ns for a walk with 8 bytes where this takes 16 ns; from 512 bytes on it is as fast. */
static void copy_bytes(uint8_t *to, const uint8_t *from, size_t bytes)
{
	if (bytes > MOST_WORDS_BYTES) {
		memcpy(to, from, bytes);
		return;
	}
	for (; bytes >= sizeof(uint64_t); bytes -= sizeof(uint64_t)) {
		memcpy(to, from, sizeof(uint64_t));
		to += sizeof(uint64_t);
		from += sizeof(uint64_t);
	}
	while (bytes-- > 0)
		*to++ = *from++;
}

/* False: no translation. No lock, and no line written but the reader's own. */
static bool walk_and_copy(struct shadow_reader *reader, uint64_t gva, void *to, size_t bytes)
{
	struct shadow *shadow = reader->shadow;
	uint32_t frame, tag;
	bool found;

	reclaim_begin(&shadow->reclaim, reader->section);
	/* PAIR(shadow-flush): inside the walk: who flushes has not looked yet, and waits for
	 * this walk, or its generation is seen. */
	tag = atomic_load_explicit(&reader->generation, memory_order_acquire);
	found = space_find(&reader->space, gva, tag, &frame);
	if (found)
		copy_bytes(to, frames_bytes(shadow->frames, frame) + gva % SD_PAGE_BYTES, bytes);
	reclaim_end(&shadow->reclaim, reader->section);
	return found;
}

/* Within one page. */
static int copy_part(struct shadow_reader *reader, uint64_t gva, void *to, size_t bytes)
{
	if (!guest_walk_is_canonical(gva))
		return -EINVAL;
	while (!walk_and_copy(reader, gva, to, bytes)) {
		int error = fault(reader, gva);

		if (error == -EAGAIN)
			sched_yield();
		else if (error != 0)
			return error;
	}
	return 0;
}

static int copy_parts(struct shadow_reader *reader, uint64_t gva, uint8_t *to, size_t bytes)
{
	while (bytes > 0) {
		size_t left = SD_PAGE_BYTES - gva % SD_PAGE_BYTES;
		size_t part = bytes < left ? bytes : left;
		int error = copy_part(reader, gva, to, part);

		if (error != 0)
			return error;
		gva += part;
		to += part;
		bytes -= part;
	}
	return 0;
}

int shadow_copy_from_guest(struct shadow_reader *reader, uint64_t root, uint64_t gva, void *to,
			   size_t bytes)
{
	int error = -EOVERFLOW;

	if (root != reader->root) {
		reader->root = root;
		next_generation(reader);
	}
	if (bytes == 0 || gva + (bytes - 1) >= gva)
		error = copy_parts(reader, gva, to, bytes);
	if (error != 0)
		add(&reader->counts.errors, 1);
	return error;
}

/* --- invalidate ------------------------------------------------------------------ */

/* What of it lies in memory. */
static uint32_t zap_pages(struct shadow *shadow, uint64_t gpa, uint64_t bytes,
			  struct retired **unlinked)
{
	uint64_t memory_bytes = (uint64_t)shadow->frames->pages * SD_PAGE_BYTES;
	uint32_t zapped = 0;
	uint64_t last;

	if (bytes == 0 || gpa >= memory_bytes)
		return 0;
	last = gpa + (bytes < memory_bytes - gpa ? bytes : memory_bytes - gpa) - 1;
	for (uint64_t page = gpa / SD_PAGE_BYTES; page <= last / SD_PAGE_BYTES; page++)
		zapped += space_zap_page(&shadow->rmaps[page], unlinked);
	return zapped;
}

/* Under the lock. Returns whether somebody may still be reading one of the pages: by an
 * entry emptied here, or by one that another thread has emptied and waits for yet. */
static bool zap(struct shadow *shadow, uint64_t gpa, uint64_t bytes, struct retired **unlinked)
{
	uint32_t zapped = zap_pages(shadow, gpa, bytes, unlinked);

	add(&shadow->zapped, zapped);
	if (zapped == 0 && !notifier_is_waiting(&shadow->notifier))
		return false;
	notifier_will_wait(&shadow->notifier);
	return true;
}

void shadow_invalidate_range_start(struct shadow *shadow, uint64_t gpa, uint64_t bytes)
{
	struct retired *unlinked = NULL;
	bool wait;

	pthread_mutex_lock(&shadow->lock);
	notifier_range_start(&shadow->notifier);
	wait = zap(shadow, gpa, bytes, &unlinked);
	pthread_mutex_unlock(&shadow->lock);
	if (wait)
		wait_for_readers(shadow, unlinked);
}

void shadow_invalidate_range_end(struct shadow *shadow)
{
	pthread_mutex_lock(&shadow->lock);
	notifier_range_end(&shadow->notifier);
	pthread_mutex_unlock(&shadow->lock);
}

void shadow_invalidate_page(struct shadow *shadow, uint64_t gpa)
{
	struct retired *unlinked = NULL;
	bool wait;

	pthread_mutex_lock(&shadow->lock);
	notifier_page(&shadow->notifier);
	wait = zap(shadow, gpa, 1, &unlinked);
	pthread_mutex_unlock(&shadow->lock);
	if (wait)
		wait_for_readers(shadow, unlinked);
}

/* --- life ------------------------------------------------------------------------- */

static void *zeroed(size_t bytes)
{
	void *memory = aligned_alloc(SD_CACHE_LINE, bytes);

	return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

static void fill(struct shadow *shadow, const struct shadow_config *config)
{
	shadow->frames = config->frames;
	shadow->reader_count = config->readers;
	shadow->retry = config->retry;
	for (uint32_t i = 0; i < config->readers; i++) {
		struct shadow_reader *reader = &shadow->readers[i];

		reader->shadow = shadow;
		reader->section = &shadow->reclaim.readers[i];
		reader->root = UINT64_MAX;
		atomic_init(&reader->generation, config->first_tag != 0 ? config->first_tag : 1);
		space_init(&reader->space, config->tables_max != 0 ? config->tables_max
			   : SHADOW_TABLES_MAX);
	}
}

int shadow_create(struct shadow **out, const struct shadow_config *config)
{
	struct shadow *shadow = zeroed(sizeof(*shadow));
	int error = -ENOMEM;

	if (shadow == NULL)
		return -ENOMEM;
	shadow->readers = zeroed(config->readers * sizeof(*shadow->readers));
	shadow->rmaps = calloc(config->frames->pages, sizeof(*shadow->rmaps));
	if (shadow->readers == NULL || shadow->rmaps == NULL)
		goto free_parts;
	error = -pthread_mutex_init(&shadow->lock, NULL);
	if (error != 0)
		goto free_parts;
	error = reclaim_create(&shadow->reclaim, config->reclaim, config->readers);
	if (error != 0)
		goto destroy_lock;
	fill(shadow, config);
	*out = shadow;
	return 0;
destroy_lock:
	pthread_mutex_destroy(&shadow->lock);
free_parts:
	free(shadow->rmaps);
	free(shadow->readers);
	free(shadow);
	return error;
}

void shadow_destroy(struct shadow *shadow)
{
	struct retired *unlinked = NULL;

	if (shadow == NULL)
		return;
	for (uint32_t i = 0; i < shadow->reader_count; i++)
		space_zap(&shadow->readers[i].space, &unlinked);
	(void)reclaim_drop(unlinked);
	reclaim_destroy(&shadow->reclaim);
	pthread_mutex_destroy(&shadow->lock);
	free(shadow->rmaps);
	free(shadow->readers);
	free(shadow);
}

void shadow_kick_with(struct shadow *shadow, void (*kick)(void *context, uint32_t reader),
		      void *context)
{
	shadow->reclaim.kick = kick;
	shadow->reclaim.kick_context = context;
}

void shadow_thread_begin(struct shadow *shadow)
{
	reclaim_thread_begin(&shadow->reclaim);
}

void shadow_thread_end(struct shadow *shadow)
{
	reclaim_thread_end(&shadow->reclaim);
}

struct shadow_reader *shadow_reader(struct shadow *shadow, uint32_t index)
{
	return &shadow->readers[index];
}

struct vcpu_mode *shadow_mode(struct shadow_reader *reader)
{
	return &reader->section->mode;
}

/* --- counts ------------------------------------------------------------------------ */

static void add_reader(struct shadow_counts *into, const struct shadow_reader *reader)
{
	const struct reader_counts *from = &reader->counts;

	into->walks += atomic_load_explicit(&reader->section->walks, memory_order_relaxed);
	into->faults += atomic_load_explicit(&from->faults, memory_order_relaxed);
	into->retries += atomic_load_explicit(&from->retries, memory_order_relaxed);
	into->errors += atomic_load_explicit(&from->errors, memory_order_relaxed);
}

struct shadow_counts shadow_count(const struct shadow *shadow)
{
	struct shadow_counts counts = {
		.zapped = atomic_load_explicit(&shadow->zapped, memory_order_relaxed),
		.tables_held = atomic_load(&shadow->reclaim.held),
		.tables_held_most = atomic_load(&shadow->reclaim.held_most),
		.tables_freed = atomic_load(&shadow->reclaim.freed),
		.kicks = atomic_load(&shadow->reclaim.kicks),
	};

	for (uint32_t i = 0; i < shadow->reader_count; i++)
		add_reader(&counts, &shadow->readers[i]);
	return counts;
}
