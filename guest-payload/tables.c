// SPDX-License-Identifier: MIT
/*
 * tables.c - the pool of page tables (tables.h).
 *
 * Threads: the initiator's vCPU.
 */
#include "tables.h"

_Static_assert(SD_POOL_GPA + (uint64_t)SD_MAX_INITIATORS * SD_POOL_TABLES * SD_PAGE_BYTES
	       <= SD_RING_GPA, "the pools run into the sample rings");

/* Poisoned at once, not when the page is used again: whoever still walks it meets this. */
static void poison(uint32_t gpa)
{
	for (uint32_t i = 0; i < G_TABLE_ENTRIES; i++)
		sd_u64_store(g_entry(gpa, i), G_TABLE_POISON);
}

void g_pool_open(struct g_pool *pool, uint32_t initiator)
{
	for (uint32_t i = 0; i < SD_POOL_TABLES; i++)
		pool->gpa[i] = (uint32_t)g_pool_gpa(initiator) + i * SD_PAGE_BYTES;
	pool->count = SD_POOL_TABLES;
}

uint32_t g_pool_take(struct g_pool *pool)
{
	g_check(pool->count > 0, pool->count, SD_POOL_TABLES);
	return pool->gpa[--pool->count];
}

void g_pool_free(struct g_pool *pool, uint32_t gpa)
{
	g_check(pool->count < SD_POOL_TABLES, pool->count, gpa);
	poison(gpa);
	pool->gpa[pool->count++] = gpa;
}
