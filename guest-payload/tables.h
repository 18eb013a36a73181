/* SPDX-License-Identifier: MIT */
/*
 * tables.h - the pool an initiator takes page tables from and frees them to.
 *
 * Last in, first out: a page that was freed is the next one used, so that whoever
 * still walks it meets something else soon. A page that was freed is all poison, one
 * that was never taken all zeros: neither has an entry that is present.
 */
#ifndef TABLES_H
#define TABLES_H

#include "guest.h"
#include "pte.h"

/* An entry that is not present and that nobody makes but g_pool_free(). */
#define G_TABLE_POISON UINT64_C(0x6b6b6b6b6b6b6b6a)
#define G_TABLE_ENTRIES 512

_Static_assert(!(G_TABLE_POISON & SD_PTE_PRESENT), "poison may not be walked");

/* The free pages; from begin to end of a job. */
struct g_pool {
	uint32_t count;
	uint32_t gpa[SD_POOL_TABLES];   /* the last is the next one used */
};

static inline uint64_t g_pool_gpa(uint32_t initiator)
{
	return SD_POOL_GPA + (uint64_t)initiator * SD_POOL_TABLES * SD_PAGE_BYTES;
}

/* g_entry - entry @index of the table at @gpa, through the identity mapping. */
static inline struct sd_u64 *g_entry(uint64_t gpa, uint32_t index)
{
	return (struct sd_u64 *)(uintptr_t)gpa + index;
}

/* g_pool_open - all pages of @initiator's pool are free. The initiator's vCPU, as
 * below. */
void g_pool_open(struct g_pool *pool, uint32_t initiator);

/* g_pool_take - a page without a present entry. The pool is not empty. */
uint32_t g_pool_take(struct g_pool *pool);

/* g_pool_free - poison the page and put it back. */
void g_pool_free(struct g_pool *pool, uint32_t gpa);

#endif
