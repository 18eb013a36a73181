/* SPDX-License-Identifier: MIT */
/*
 * initiator.h - a vCPU that changes a mapping and flushes, and what it measures.
 */
#ifndef INITIATOR_H
#define INITIATOR_H

#include "workload.h"

/**
 * g_initiator_boot - map @self's window for the first time, in whatever job comes
 * first; before any other call for it.
 *
 * Every job begins with flushed TLBs. Watchers of the first workload then find a
 * set of frames to lose, and not the resting pages, which would hide a protocol
 * that flushes nothing.
 */
void g_initiator_boot(uint32_t self);

/* g_initiator_run - @self's flushes of a job, up to its share of them or until
 * initiators are stopped. */
void g_initiator_run(const struct g_workload *workload, uint32_t self);

#endif
