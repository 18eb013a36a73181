// SPDX-License-Identifier: MIT
/*
 * asked.c - the hypercall (protocols/hypercall.c) with the doorbell replaced by a step:
 * what the VMM does about the request is the script's to say.
 */
#include "litmus.h"

static void asked_cover_all(uint32_t self, struct g_range range)
{
	struct sd_flush_request request;

	request.start = range.va;
	request.pages = range.pages;
	for (uint32_t i = 0; i < SD_MAX_VCPUS / 64; i++)
		request.targets[i] = 0;
	request.targets[0] = UINT64_C(1) << SD_CAST_T;
	sd_u64_store(&g_region(self)->argument, (uint64_t)(uintptr_t)&request);
	g_step(SD_STEP_LOOKED);
}

static const struct g_protocol_ops asked_ops = { .cover_all = asked_cover_all };

const struct g_litmus g_litmus_asked = { .ops = &asked_ops };
