// SPDX-License-Identifier: MIT
/*
 * skip_preempted.c - negative control: a preempted target is skipped and not
 * marked, so it comes back with old translations. The oracle has to see it.
 */
#include "protocol.h"

static enum g_post skip_preempted_post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self;
	if (sd_word_preempted(target))
		return G_POST_SKIPPED;
	*want = sd_word_request(target);
	return G_POST_WAIT;
}

const struct g_protocol_ops g_protocol_skip_preempted = {
	.post = skip_preempted_post,
};
