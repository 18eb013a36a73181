// SPDX-License-Identifier: MIT
/*
 * device.c - an instruction that leaves the guest half-way, through a mapping that an
 * initiator changes: A maps a register outside memory for the target, takes it away again,
 * and so on. The target adds to whatever is there.
 *
 * Owns:    A's count of moves, for a job: odd while the register is mapped. The probe page.
 * Threads: look on the target's vCPU, all others on A's.
 */
#include "litmus.h"
#include "pte.h"

static uint64_t moves;

static void device_begin(uint32_t self)
{
	if (self == SD_CAST_A)
		moves = 0;
}

static void device_before(uint32_t self)
{
	(void)self;
	moves++;
}

static void device_move(uint32_t self)
{
	struct sd_u64 *pte = (struct sd_u64 *)(uintptr_t)
		(sd_table_gpa(SD_CAST_T, SD_TABLE_OWN) +
		 (SD_PROBE_VA - SD_OWN_REGION_VA) / SD_PAGE_BYTES * sizeof(uint64_t));

	(void)self;
	sd_u64_store(pte, sd_pte(moves % 2 != 0 ? SD_DEVICE_GPA : SD_PROBE_FRAMES_GPA));
}

/* PAIR(published-epoch): the VMM looks at it when the target writes the register
 * (vmm/litmus/device.c), long after. */
static void device_returned(uint32_t self)
{
	sd_u64_store_release(&g_published(self, 0)->epoch, moves);
}

/* Reads and then writes; one instruction. */
static void device_look(uint32_t self)
{
	(void)self;
	__asm__ volatile("addl $1, %0" : "+m"(*(uint32_t *)(uintptr_t)SD_PROBE_VA) : : "cc");
}

static const struct g_workload device = {
	.begin = device_begin,
	.before = device_before,
	.move = device_move,
	.returned = device_returned,
	.observe = device_look,
};

const struct g_litmus g_litmus_device = {
	.ops = &g_protocol_generation,
	.begin = g_litmus_serve_begin,
	.end = g_litmus_serve_end,
	.workload = &device,
};
