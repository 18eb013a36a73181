/* SPDX-License-Identifier: MIT */
/*
 * pte.h - 64-bit page-table entries, and where a vCPU's tables are.
 *
 * Included by guest and VMM. Intel SDM volume 3, 4.5 (4-level paging).
 * Accessed and dirty are set from the start, so that no walker writes to an
 * entry that an initiator is changing.
 */
#ifndef SD_PTE_H
#define SD_PTE_H

#include <stdint.h>
#include "layout.h"

#define SD_PTE_PRESENT   (UINT64_C(1) << 0)
#define SD_PTE_WRITE     (UINT64_C(1) << 1)
#define SD_PTE_USER      (UINT64_C(1) << 2)
#define SD_PTE_UNCACHED  (UINT64_C(1) << 4)
#define SD_PTE_ACCESSED  (UINT64_C(1) << 5)
#define SD_PTE_DIRTY     (UINT64_C(1) << 6)
#define SD_PTE_LARGE     (UINT64_C(1) << 7)

#define SD_PTE_FLAGS (SD_PTE_PRESENT | SD_PTE_WRITE | SD_PTE_USER | \
		      SD_PTE_ACCESSED | SD_PTE_DIRTY)

static inline uint64_t sd_pte(uint64_t gpa)
{
	return gpa | SD_PTE_FLAGS;
}

static inline uint64_t sd_pte_large(uint64_t gpa)
{
	return gpa | SD_PTE_FLAGS | SD_PTE_LARGE;
}

/* Guest-physical address of table @page (SD_TABLE_) of @vcpu. */
static inline uint64_t sd_table_gpa(uint32_t vcpu, uint32_t page)
{
	return SD_TABLES_GPA + (uint64_t)vcpu * SD_TABLES_STRIDE +
		(uint64_t)page * SD_PAGE_BYTES;
}

/* Guest-physical address of @vcpu's entry for page @page of window @window. */
static inline uint64_t sd_window_pte_gpa(uint32_t vcpu, uint32_t window, uint32_t page)
{
	uint32_t leaf = SD_TABLE_WINDOW + window / SD_WINDOWS_A_LEAF;
	uint32_t entry = window % SD_WINDOWS_A_LEAF * SD_MAX_PAGES + page;

	return sd_table_gpa(vcpu, leaf) + entry * sizeof(uint64_t);
}

static inline uint64_t sd_window_va(uint32_t window, uint32_t page)
{
	return SD_WINDOW_VA + (uint64_t)window * SD_WINDOW_STRIDE +
		(uint64_t)page * SD_PAGE_BYTES;
}

/* Frame of @page in @set of @initiator's frames; sets run from 0 to
 * SD_FRAME_SETS, the last one being the resting page. */
static inline uint64_t sd_frame_gpa(uint32_t initiator, uint32_t set, uint32_t page,
				    uint32_t pages)
{
	uint64_t frame = ((uint64_t)initiator * (SD_FRAME_SETS + 1) + set) * pages + page;

	return SD_FRAMES_GPA + frame * SD_PAGE_BYTES;
}

#endif
