/* SPDX-License-Identifier: MIT */
/*
 * window.h - the contested mapping of one initiator, and the oracle over it.
 *
 * Every vCPU sees the window through its own leaf table. The initiator moves
 * it to the next of SD_FRAME_SETS sets of frames, whose pages hold the epoch of
 * that move; when the flush has returned it publishes the epoch and poisons
 * the set that was left. A load that finds less than what had been published
 * before it used a translation older than the flush: stale, and no false alarm
 * by construction.
 *
 * With more than SD_GROUP_VCPUS vCPUs one group at a time watches: the others'
 * entries point at a resting page that is never too old, so that a move costs
 * 64 PTE stores and not 1024.
 *
 * Between two jobs the entries of the watching group show the set now mapped, all
 * others the resting pages. In a job only the initiator's own entries may differ:
 * it may map the set for itself, or nothing.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include "guest.h"

/* g_window_prepare - write the next epoch into the next set. Not timed. @initiator's
 * vCPU, as all but g_window_watch(). */
void g_window_prepare(uint32_t initiator);

/* g_window_remap - the PTE stores of the move, and nothing else. */
void g_window_remap(uint32_t initiator);

/* g_window_range - what a flush after a move is about: its pages, or everything
 * where the session does not flush by page. */
struct g_range g_window_range(uint32_t initiator);

/**
 * g_window_open - map the set for the initiator itself, which may not be in the
 * group that watches. Needs no flush if it had mapped nothing.
 */
void g_window_open(uint32_t initiator);

/* g_window_close - the initiator's own entries become not present: part of a move,
 * and its flush is needed. */
void g_window_close(uint32_t initiator);

/* g_window_reopen - after g_window_close() and its flush, at the end of a job: the
 * initiator's own entries as its group has them. */
void g_window_reopen(uint32_t initiator);

/**
 * g_window_use - the initiator's own loads through its open window: what it sees is
 * the set now mapped, or the flush of its own TLB has failed.
 *
 * Shape:   @rounds loads of every page, after one store to it.
 * Side:    adds to checks and stale of its region.
 */
void g_window_use(uint32_t initiator, uint32_t rounds);

/* g_window_publish - the flush has returned: publish, poison what was left. */
void g_window_publish(uint32_t initiator);

/**
 * g_window_watch - the oracle: compare loads through @initiator's window with
 * its published epoch.
 *
 * Shape:   @rounds loads of every page.
 * Side:    adds to checks and stale of @self's region.
 */
void g_window_watch(uint32_t self, uint32_t initiator, uint32_t rounds);

#endif
