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

const struct g_litmus g_litmus_pending_2017 = {
	.ops = &g_protocol_ipi_pending_2017,
	.begin = pending_2017_begin,
	.end = pending_2017_end,
};

/* Wrong, the slip in the text: "if (new_state & KVM_VCPU_IPI_PENDING)
 * __cpumask_clear_cpu(cpu, flushmask)" leaves out those that run, not those that are
 * marked. */
static enum g_post mask_bit_post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self;
	(void)want;
	return sd_2017_post(target) ? G_POST_WAIT : G_POST_SKIPPED;
}

static bool mask_bit_served(const struct sd_region *target, uint32_t want)
{
	(void)want;
	return !sd_2017_pending(target);
}

static const struct g_protocol_ops mask_bit_ops = {
	.post = mask_bit_post,
	.served = mask_bit_served,
	.vector = SD_VECTOR_FLUSH_2017,
};

const struct g_litmus g_litmus_mask_bit = {
	.ops = &mask_bit_ops,
	.begin = pending_2017_begin,
	.end = pending_2017_end,
};
