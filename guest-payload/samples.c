// SPDX-License-Identifier: MIT
/*
 * samples.c - an initiator's sample ring (samples.h).
 *
 * Threads: the initiator's vCPU.
 */
#include "samples.h"

#include <stddef.h>

void g_ring_open(struct g_ring *ring, uint32_t self)
{
	uintptr_t base = SD_RING_GPA + (uintptr_t)self * SD_RING_STRIDE;

	ring->region = g_region(self);
	/* Whoever sees ring_head go up finds it there (ring-head). */
	sd_u64_store(&ring->region->ring, base);
	ring->samples = (struct sd_sample *)base;
	ring->head = sd_u64_load(&ring->region->ring_head);
	ring->tail = sd_u64_load_acquire(&ring->region->ring_tail);
	if (ring->head != 0)
		return;
	for (size_t page = 0; page < SD_RING_STRIDE; page += SD_PAGE_BYTES)
		((volatile struct sd_sample *)(base + page))->seq = 0;
}
