// SPDX-License-Identifier: MIT
/*
 * transfer.c - park takes over what the vCPU has not served: "VMEXIT
 * transferring IPI_PENDING to SHOULD_FLUSH" of 2017, after the mark.
 */
#include "protocol_ops.h"

static bool transfer_is_served(const struct sd_region *region)
{
	uint32_t request = sd_u32_load(&region->request) & ~(uint32_t)SD_WORD_FLAGS;

	return sd_word_reached(sd_u32_load(&region->served), request);
}

const struct protocol_ops protocol_transfer = {
	.park = sd_word_park,
	.is_served = transfer_is_served,
	.vector = SD_VECTOR_FLUSH,
};
