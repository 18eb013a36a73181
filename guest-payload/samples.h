/* SPDX-License-Identifier: MIT */
/*
 * samples.h - an initiator's sample ring, written in place.
 *
 * The head and the drop count are the guest's, the tail is the VMM's. A full
 * ring drops the new sample and counts it: nothing is ever overwritten.
 */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stddef.h>

#include "guest.h"
#include "sample.h"

struct g_ring {
	struct sd_region *region;       /* head, dropped, tail */
	struct sd_sample *samples;      /* [SD_RING_SAMPLES] */
	uint64_t head;                  /* next to write */
	uint64_t tail;                  /* last tail seen: may lag behind */
};

/* g_ring_open - ring of initiator @self, where the last job left it. The pages
 * are written to once, so that no sample pays for a first touch. */
void g_ring_open(struct g_ring *ring, uint32_t self);

/**
 * g_ring_next - the slot for the next sample, or NULL when the ring is full
 * (then it has been counted). Fill it and call g_ring_push().
 *
 * PAIR(ring-tail): acquire here, release in the VMM (session/samples.c).
 * Orders: the VMM's reading of the old record before it is written over.
 */
static inline struct sd_sample *g_ring_next(struct g_ring *ring)
{
	if (ring->head - ring->tail == SD_RING_SAMPLES) {
		ring->tail = sd_u64_load_acquire(&ring->region->ring_tail);
		if (ring->head - ring->tail >= SD_RING_SAMPLES) {
			sd_u64_store(&ring->region->dropped,
				     sd_u64_load(&ring->region->dropped) + 1);
			return NULL;
		}
	}
	return &ring->samples[ring->head & (SD_RING_SAMPLES - 1)];
}

/**
 * g_ring_next_spare - the same for records that may be missing: NULL when half of the ring is
 * full, so that flushes still find room (then it has been counted apart).
 */
static inline struct sd_sample *g_ring_next_spare(struct g_ring *ring)
{
	if (ring->head - ring->tail >= SD_RING_SAMPLES / 2) {
		/* PAIR(ring-tail) */
		ring->tail = sd_u64_load_acquire(&ring->region->ring_tail);
		if (ring->head - ring->tail >= SD_RING_SAMPLES / 2) {
			sd_u64_store(&ring->region->trace_dropped,
				     sd_u64_load(&ring->region->trace_dropped) + 1);
			return NULL;
		}
	}
	return &ring->samples[ring->head & (SD_RING_SAMPLES - 1)];
}

/* PAIR(ring-head): release here, acquire in the VMM. Orders: the record. */
static inline void g_ring_push(struct g_ring *ring)
{
	sd_u64_store_release(&ring->region->ring_head, ++ring->head);
}

#endif
