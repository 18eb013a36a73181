/* SPDX-License-Identifier: MIT */
/*
 * costs.h - what the host's primitives cost, and whether they work.
 */
#ifndef COSTS_H
#define COSTS_H

#include <stdint.h>

/* g_costs_run - this vCPU's part of an SD_JOB_COST_ or SD_JOB_ENTRY_FLUSH. */
void g_costs_run(uint32_t self, uint32_t job);

#endif
