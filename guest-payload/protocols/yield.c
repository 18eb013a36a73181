// SPDX-License-Identifier: MIT
/*
 * yield.c - ipi plus directed yield (KVM_HC_SCHED_YIELD, 2019): the initiator
 * names a preempted target it waits for. That vCPU goes to the head of its
 * slot's queue, and where it shares the initiator's slot the initiator gives the
 * slot up to it.
 */
#include "protocol.h"

static void yield_help(uint32_t self, uint32_t target)
{
	sd_u64_store(&g_region(self)->argument, target);
	g_doorbell(SD_REQ_YIELD_TO);
}

const struct g_protocol_ops g_protocol_yield = {
	.post = g_post_to_all,
	.help = yield_help,
};
