// SPDX-License-Identifier: MIT
/*
 * slice.c - the policy of slices: first in, first out, and slices that end on a
 * grid, so that the phase between slots stays what it was and runs can be repeated.
 *
 * Threads: vCPU threads; no state of its own.
 * Tested:  tests/unit/slot_passes_in_order_test.c
 */
#include "slot.h"

static struct slot_member *slice_next(struct slot *slot, const struct slot_member *last)
{
	(void)last;
	return TAILQ_FIRST(&slot->queue);
}

/* Half a slice to one and a half after @now_ns. */
static uint64_t slice_slice_end(const struct slot *slot, uint64_t now_ns)
{
	uint64_t end = now_ns + slot->slice_ns + slot->slice_ns / 2;

	return end - (end - slot->phase_ns) % slot->slice_ns;
}

const struct preempt_ops preempt_slice = {
	.next = slice_next,
	.slice_end = slice_slice_end,
};
