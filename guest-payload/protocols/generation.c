// SPDX-License-Identifier: MIT
/*
 * generation.c - the IPI_PENDING handshake of 2017 made right: a request is a
 * generation, not a bit, and the VMM's park, after its mark, takes over what
 * the target has not served (vmm/protocols/transfer.c). An initiator never
 * waits for a vCPU that is off its CPU.
 */
#include "protocol.h"

static enum g_post generation_post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self;
	return sd_word_post(target, want) == SD_POST_COVERED ? G_POST_COVERED : G_POST_WAIT;
}

const struct g_protocol_ops g_protocol_generation = {
	.post = generation_post,
};
