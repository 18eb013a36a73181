// SPDX-License-Identifier: MIT
/*
 * hypercall.c - the initiator asks the VMM, which marks parked targets, kicks
 * running ones out of the guest and returns when every one is covered: what
 * Hyper-V and Xen offer their guests. One exit a flush, also when nobody is
 * preempted. The exit itself puts the PTE stores before the request.
 */
#include "protocol.h"

/* Bits of vCPU @first to @first + 63: all there are but @self. */
static uint64_t targets_from(uint32_t first, uint32_t self)
{
	uint32_t vcpus = g_control()->vcpus;
	uint64_t targets = UINT64_MAX;

	if (first >= vcpus)
		return 0;
	if (vcpus - first < 64)
		targets >>= 64 - (vcpus - first);
	if (self / 64 == first / 64)
		targets &= ~(UINT64_C(1) << self % 64);
	return targets;
}

static void hypercall_cover_all(uint32_t self, struct g_range range)
{
	struct sd_flush_request request;

	request.start = range.va;
	request.pages = range.pages;
	for (uint32_t first = 0; first < SD_MAX_VCPUS; first += 64)
		request.targets[first / 64] = targets_from(first, self);
	sd_u64_store(&g_region(self)->argument, (uint64_t)(uintptr_t)&request);
	g_doorbell(SD_REQ_FLUSH_OTHERS);
}

const struct g_protocol_ops g_protocol_hypercall = {
	.cover_all = hypercall_cover_all,
};
