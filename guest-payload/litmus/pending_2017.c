// SPDX-License-Identifier: MIT
/*
 * pending_2017.c - the handshake of 2017 (include/pending_2017.h), with its handler in C.
 */
#include "pending_2017.h"

#include "litmus.h"

static bool pending_2017_begin(struct sd_region *own, uint32_t *seen)
{
	*seen = 0;
	return sd_2017_pending(own);
}

static void pending_2017_end(struct sd_region *own, uint32_t seen)
{
	(void)seen;
	sd_2017_handler_done(own);
}

extern const struct g_protocol_ops g_protocol_ipi_pending_2017;

const struct g_litmus g_litmus_pending_2017 = {
	.ops = &g_protocol_ipi_pending_2017,
	.begin = pending_2017_begin,
	.end = pending_2017_end,
};
