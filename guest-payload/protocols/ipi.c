// SPDX-License-Identifier: MIT
/*
 * ipi.c - interrupt every target and wait for every one: what Linux does
 * without paravirtual help. A preempted target holds the initiator up until it
 * has had its turn.
 */
#include "protocol.h"

static enum g_post ipi_post(struct sd_region *target, uint32_t *want)
{
	*want = sd_word_request(target);
	return G_POST_WAIT;
}

const struct g_protocol_ops g_protocol_ipi = {
	.post = ipi_post,
};
