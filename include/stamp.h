/* SPDX-License-Identifier: MIT */
/*
 * stamp.h - pages that nobody writes, and in which each word says where it is: if they
 * are moved wrongly while somebody reads them, the reader sees it.
 *
 * Included by guest and VMM. The VMM writes the stamps before the first vCPU runs, and
 * moves the pages afterwards (--reclaim). vCPUs read them with loads of their own, and
 * have the VMM read them by the same addresses (SD_REQ_CHECK_STAMPS).
 */
#ifndef SD_STAMP_H
#define SD_STAMP_H

#include "layout.h"

#define SD_STAMP_BATCH 63               /* addresses of one request, at most */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* What SD_REQ_CHECK_STAMPS asks for. Each is the virtual address of a word of the
 * stamped pages, which are mapped 1:1. */
struct sd_stamp_batch {
	uint64_t count;                 /* 1 to SD_STAMP_BATCH */
	uint64_t address[SD_STAMP_BATCH];
};

/* sd_stamp - the word at @address; an odd factor keeps all of them apart. */
static inline uint64_t sd_stamp(uint64_t address)
{
	return address * UINT64_C(0x9e3779b97f4a7c15);
}

/* sd_stamp_is_one - is @address that of a stamped word? */
static inline _Bool sd_stamp_is_one(uint64_t address)
{
	return address % 8 == 0 && address >= SD_STAMPS_GPA &&
		address < SD_STAMPS_GPA + (uint64_t)SD_STAMP_PAGES * SD_PAGE_BYTES;
}

_Static_assert(sizeof(struct sd_stamp_batch) == 512, "an eighth of a page");
#endif

#endif
