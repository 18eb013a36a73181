/* SPDX-License-Identifier: MIT */
/*
 * page_tables.h - the guest's page tables and descriptor tables, as the vCPUs
 * find them at their first instruction (include/layout.h has the map).
 */
#ifndef PAGE_TABLES_H
#define PAGE_TABLES_H

#include "guest_memory.h"

/**
 * page_tables_build - GDT, one TSS and one set of tables a vCPU, all windows on
 * their resting page.
 *
 * Threads: main, before any vCPU runs.
 */
void page_tables_build(struct guest_memory *memory);

#endif
