/* SPDX-License-Identifier: MIT */
/*
 * range.h - which pages a request is about.
 *
 * Included by guest, unit tests and, for the shifts, by the payload's assembly.
 * The request word carries no range. A range travels in one 64-bit slot of the
 * target's region, tagged with the generation of its request, so that slot and
 * tag are written and read as one. The handler goes by page only if exactly one
 * request is outstanding and the tag is that request's; in every other case it
 * flushes all. A deferral is always a full flush.
 *
 * This is right because served never claims too much: all requests up to it have
 * been flushed. With request == served + 1 the missing one is the one that the
 * tag names. Served may claim too little (word.h): then more than one request
 * looks outstanding, and the flush is full.
 */
#ifndef SD_RANGE_H
#define SD_RANGE_H

#include "region.h"

/* Generation (bits 32 to 63, flags clear), page number, number of pages. */
#define SD_RANGE_TAG_SHIFT   32
#define SD_RANGE_PAGE_SHIFT  6
#define SD_RANGE_PAGES_MASK  63
#define SD_RANGE_MAX_PAGES   63

#ifndef __ASSEMBLER__
#include "word.h"

/**
 * sd_range_of - the slot's word for @pages pages from @va on.
 *
 * Units:   @want as sd_word_post() gave it out; @va below 2^38, page aligned.
 */
static inline uint64_t sd_range_of(uint32_t want, uint64_t va, uint32_t pages)
{
	return (uint64_t)want << SD_RANGE_TAG_SHIFT |
		va / SD_PAGE_BYTES << SD_RANGE_PAGE_SHIFT | pages;
}

/* sd_range_tell - after the request, before its IPI: a handler that comes too early
 * finds another tag and flushes all. PAIR(range-tag): the tag in the same word. */
static inline void sd_range_tell(struct sd_region *region, uint64_t range)
{
	sd_u64_store(&region->range, range);
}

/**
 * sd_range_holds - may the handler that has read @request go by page?
 *
 * The assembly handler (guest-payload/entry.S) does the same. PAIR(range-tag)
 */
static inline bool sd_range_holds(uint32_t request, uint32_t served, uint64_t range)
{
	return request - served == SD_WORD_GENERATION &&
		(uint32_t)(range >> SD_RANGE_TAG_SHIFT) == request;
}
#endif

#endif
