// SPDX-License-Identifier: MIT
/*
 * ipi_pending_2017.c - the IPI_PENDING handshake as proposed on 2017-11-13
 * (pending_2017.h says what was changed and how it loses flushes). Not safe: it
 * is here to be measured beside generation, which is the same idea made right.
 */
#include "pending_2017.h"
#include "protocol.h"

static enum g_post ipi_pending_2017_post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self;
	(void)want;
	return sd_2017_post(target) ? G_POST_COVERED : G_POST_WAIT;
}

static bool ipi_pending_2017_served(const struct sd_region *target, uint32_t want)
{
	(void)want;
	return !sd_2017_pending(target);
}

const struct g_protocol_ops g_protocol_ipi_pending_2017 = {
	.post = ipi_pending_2017_post,
	.served = ipi_pending_2017_served,
	.vector = SD_VECTOR_FLUSH_2017,
};
