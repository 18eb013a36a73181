// SPDX-License-Identifier: MIT
/*
 * shadow.c - the secondary MMU: copy, fault, flush, invalidate (shadow.h).
 *
 * No reader takes the lock between reclaim_begin() and reclaim_end(), and nobody waits
 * for readers under it.
 *
 * Threads: any, as shadow.h says of each function.
 * Tested:  tests/unit/shadow_*_test.c, tests/stress/shadow_stress_test.c
 */
#include "shadow.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "shadow_parts.h"

/* Relaxed, and no locked add: one writer at a time. */
static void add(_Atomic uint64_t *counter, uint64_t count)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + count, memory_order_relaxed);
}

/* After notifier_will_wait() and the unlock. */
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

void shadow_flush(struct shadow *shadow, const uint64_t *readers, uint32_t count)
{
	/* PAIR(shadow-flush): the locked instruction, then the look at who walks; the walker
	 * reads the generation inside its walk, the fault before its lookup. */
	for (uint32_t i = 0; i < count; i++)
		if (readers[i / 64] >> i % 64 & 1)
			next_generation(&shadow->readers[i]);
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

/* Most requests are a few words, and after a locked instruction libc's memcpy() takes
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
	/* PAIR(shadow-flush): inside the walk: the thread that flushes has not looked yet, and waits for
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
