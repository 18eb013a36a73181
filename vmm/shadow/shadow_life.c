// SPDX-License-Identifier: MIT
/*
 * shadow_life.c - the secondary MMU's beginning and end, its readers and its counts
 * (shadow.h).
 *
 * Threads: created and destroyed by one; counts by any.
 * Tested:  with shadow.c
 */
#include "shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shadow_parts.h"

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

void shadow_on_own_thread(struct shadow *shadow, void (*call)(void *context), void *context)
{
	reclaim_on_own_thread(&shadow->reclaim, call, context);
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
