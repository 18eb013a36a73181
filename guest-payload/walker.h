/* SPDX-License-Identifier: MIT */
/*
 * walker.h - a lockless walk of page tables, as get_user_pages_fast() does it.
 *
 * A section holds interrupts off and walks SD_TREE tables of the own vCPU in software,
 * entry by entry. Nothing else keeps a table from being freed: a flush that interrupts
 * every target waits for the section, and for any other there is include/grace.h.
 * An address is followed only if it lies where it has to: a bad table is counted, and
 * never crashes the payload.
 */
#ifndef WALKER_H
#define WALKER_H

#include <stdint.h>

/* As many vCPUs as an xAPIC can tell apart: interrupts are held off through its page. */
#define G_WALKERS 256

/* g_walk_begin - the job begins; this vCPU, whatever it is. */
void g_walk_begin(uint32_t self);

/**
 * g_walk_section - walks of all initiators' trees but the own, a bit further each time.
 *
 * Side:    adds to walks, walks_poisoned, walks_reused and checks of @self's region;
 *          counts as a pass, also where there is nothing to walk. Now and then rings
 *          SD_STEP_WALK between two levels of a walk.
 */
void g_walk_section(uint32_t self);

#endif
