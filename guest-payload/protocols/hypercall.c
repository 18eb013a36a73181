// SPDX-License-Identifier: MIT
/*
 * hypercall.c - the initiator asks the VMM, which marks parked targets, kicks
 * running ones out of the guest and returns when every one is covered: what
 * Hyper-V and Xen offer their guests. One exit a flush, also when nobody is
 * preempted. The exit itself puts the PTE stores before the request.
 */
#include "protocol.h"

static void hypercall_cover_all(uint32_t self)
{
	(void)self;
	g_doorbell(SD_REQ_FLUSH_OTHERS);
}

const struct g_protocol_ops g_protocol_hypercall = {
	.cover_all = hypercall_cover_all,
};
