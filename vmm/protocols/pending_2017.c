// SPDX-License-Identifier: MIT
/*
 * pending_2017.c - "at VMEXIT time", for the handshake of 2017 (pending_2017.h).
 */
#include "pending_2017.h"
#include "protocol_ops.h"

static bool pending_2017_park(struct sd_region *region)
{
	sd_word_mark(region);
	return sd_2017_park(region);
}

static bool pending_2017_is_served(const struct sd_region *region)
{
	return !sd_2017_pending(region);
}

/* Nothing pending, nothing marked, preempted: as after a park. */
static void pending_2017_start(struct sd_region *region)
{
	sd_u32_store(&region->state_2017, SD_2017_PREEMPTED);
}

const struct protocol_ops protocol_pending_2017 = {
	.park = pending_2017_park,
	.unpark = sd_2017_unpark,
	.is_served = pending_2017_is_served,
	.vector = SD_VECTOR_FLUSH_2017,
	.start = pending_2017_start,
};
