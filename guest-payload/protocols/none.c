// SPDX-License-Identifier: MIT
/*
 * none.c - negative control: no target flushes. The oracle has to see it.
 */
#include "protocol.h"

static enum g_post none_post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self;
	(void)target;
	(void)want;
	return G_POST_SKIPPED;
}

const struct g_protocol_ops g_protocol_none = {
	.post = none_post,
};
