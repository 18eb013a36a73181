// SPDX-License-Identifier: MIT
/*
 * page_tables.c - the guest's page tables and descriptor tables (page_tables.h).
 *
 * Every vCPU has a root, a private second GiB and private leaf tables: with one
 * leaf for all, a shadow-paging host syncs it for every vCPU as soon as any of
 * them flushes, and a broken protocol would go unnoticed.
 *
 * Follows: Intel SDM volume 3, 4.5 (4-level paging), 3.4.5 (descriptors),
 *          8.7 (64-bit TSS).
 * Tested:  tests/unit/page_tables_map_what_layout_says_test.c
 */
#include "page_tables.h"

#include "pte.h"

#define LARGE_PAGE_BYTES 0x200000

#define TSS_RSP0        4
#define TSS_IO_MAP_BASE 102
#define TSS_IO_MAP      104

_Static_assert(TSS_IO_MAP + SD_PORT_REQUEST / 8 + 1 < SD_TSS_BYTES,
	       "the bitmap covers the doorbell and a byte of ones after it");

static uint64_t *table(struct guest_memory *memory, uint64_t gpa)
{
	return (uint64_t *)(void *)(memory->hva + gpa);
}

static void build_gdt(struct guest_memory *memory)
{
	uint64_t *gdt = table(memory, SD_GDT_GPA);

	gdt[SD_KERNEL_CS / 8] = UINT64_C(0x00af9b000000ffff);
	gdt[SD_KERNEL_DS / 8] = UINT64_C(0x00cf93000000ffff);
	gdt[SD_USER_CS / 8] = UINT64_C(0x00affb000000ffff);
	gdt[SD_USER_DS / 8] = UINT64_C(0x00cff3000000ffff);
}

/* 2 MiB pages over all of memory, one page directory for all vCPUs. */
static void build_identity(struct guest_memory *memory)
{
	uint64_t *pd = table(memory, SD_IDENTITY_PD_GPA);

	for (uint64_t gpa = 0; gpa < memory->bytes; gpa += LARGE_PAGE_BYTES)
		pd[gpa / LARGE_PAGE_BYTES] = sd_pte_large(gpa);
}

/* RSP0, at byte 4 of the TSS: interrupts from ring 3 land on the vCPU's last
 * stack page. The I/O bitmap after it opens the doorbell's four ports to ring 3.
 * IOPL 3 does the same, and both are needed: kvm-pvm looks only at the bitmap,
 * and an emulated CPU (QEMU) finds none in a TSS that is busy. */
static void build_tss(struct guest_memory *memory, uint32_t vcpu)
{
	uint8_t *tss = memory->hva + SD_TSS_GPA + (size_t)vcpu * SD_TSS_STRIDE;
	uint64_t rsp0 = SD_STACK_GPA + (uint64_t)(vcpu + 1) * SD_STACK_STRIDE;
	uint16_t io_map = TSS_IO_MAP;

	__builtin_memcpy(tss + TSS_RSP0, &rsp0, sizeof(rsp0));
	__builtin_memcpy(tss + TSS_IO_MAP_BASE, &io_map, sizeof(io_map));
	__builtin_memset(tss + TSS_IO_MAP, 0xff, SD_TSS_BYTES - TSS_IO_MAP);
	tss[TSS_IO_MAP + SD_PORT_REQUEST / 8] =
		(uint8_t)~(0xfu << SD_PORT_REQUEST % 8);
}

static void build_windows(struct guest_memory *memory, uint32_t vcpu)
{
	for (uint32_t window = 0; window < memory->initiators; window++)
		for (uint32_t page = 0; page < memory->pages; page++)
			*table(memory, sd_window_pte_gpa(vcpu, window, page)) =
				sd_pte(sd_frame_gpa(window, SD_FRAME_SETS, page, memory->pages));
}

static void build_vcpu(struct guest_memory *memory, uint32_t vcpu)
{
	uint64_t *pd = table(memory, sd_table_gpa(vcpu, SD_TABLE_PD));
	uint64_t *own = table(memory, sd_table_gpa(vcpu, SD_TABLE_OWN));
	uint64_t *pdpt = table(memory, sd_table_gpa(vcpu, SD_TABLE_PDPT));
	uint32_t leaves = (memory->initiators + SD_WINDOWS_A_LEAF - 1) / SD_WINDOWS_A_LEAF;

	*table(memory, sd_table_gpa(vcpu, SD_TABLE_PML4)) =
		sd_pte(sd_table_gpa(vcpu, SD_TABLE_PDPT));
	pdpt[0] = sd_pte(SD_IDENTITY_PD_GPA);
	pdpt[1] = sd_pte(sd_table_gpa(vcpu, SD_TABLE_PD));
	pd[0] = sd_pte(sd_table_gpa(vcpu, SD_TABLE_OWN));
	for (uint32_t leaf = 0; leaf < leaves; leaf++)
		pd[1 + leaf] = sd_pte(sd_table_gpa(vcpu, SD_TABLE_WINDOW + leaf));
	own[0] = sd_pte(SD_REGION_GPA + (uint64_t)vcpu * SD_REGION_STRIDE);
	own[1] = sd_pte(SD_APIC_GPA) | SD_PTE_UNCACHED;
	own[2] = sd_pte(SD_PROBE_FRAMES_GPA);
	build_windows(memory, vcpu);
}

static void build_resting_frames(struct guest_memory *memory)
{
	for (uint32_t window = 0; window < memory->initiators; window++)
		for (uint32_t page = 0; page < memory->pages; page++)
			*table(memory, sd_frame_gpa(window, SD_FRAME_SETS, page, memory->pages)) =
				SD_EPOCH_RESTING;
}

void page_tables_build(struct guest_memory *memory)
{
	build_gdt(memory);
	build_identity(memory);
	build_resting_frames(memory);
	for (uint32_t vcpu = 0; vcpu < memory->vcpus; vcpu++) {
		build_tss(memory, vcpu);
		build_vcpu(memory, vcpu);
	}
}
