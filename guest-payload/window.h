/* SPDX-License-Identifier: MIT */
/*
 * window.h - the contested mapping of one initiator, and the oracle over it.
 *
 * Every vCPU sees the window through its own leaf table. The initiator moves
 * it to the next of SD_FRAME_SETS sets of frames, whose pages hold the epoch of
 * that move; when the flush has returned it publishes the epoch and poisons
 * the set that was left. A load that finds less than what had been published
 * before it has used a translation older than the flush: it is stale. By
 * construction there are no false alarms.
 *
 * With more than SD_GROUP_VCPUS vCPUs a move is one group's, of each in turn: where a PTE
 * store faults, those for 1024 vCPUs would take longer than a slice. The others keep the sets of their own last moves: each
 * vCPU has a translation to lose in every one of its group's flushes, and each group its
 * own published epoch.
 *
 * Between two jobs the entries of every group show the set of its last move. In a job only
 * the initiator's own entries may differ: it may map the last set for itself, or nothing.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include "guest.h"

/* g_window_boot - the first move, of all groups: nobody has seen the window yet. */
void g_window_boot(uint32_t initiator);

/* g_window_prepare - write the next epoch into the next set. Not timed. @initiator's
 * vCPU, as all but g_window_begin() and g_window_watch(). */
void g_window_prepare(uint32_t initiator);

/* g_window_remap - the PTE stores of the move, and nothing else. */
void g_window_remap(uint32_t initiator);

/* g_window_range - what a flush after a move is about: its pages, or everything
 * where the session does not flush by page. */
struct g_range g_window_range(uint32_t initiator);

/* g_window_open - map the last set for the initiator itself, which need not be of the
 * group that has moved. Needs no flush if it had mapped nothing. */
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

/* g_window_begin - a job begins: @self has not looked through any window. */
void g_window_begin(uint32_t self);

/**
 * g_window_watch - the oracle: compare loads through @initiator's window with
 * its published epoch.
 *
 * Shape:   @rounds loads of every page.
 * Side:    adds to checks and stale of @self's region, and to watched if another epoch
 *          has been published since it looked last.
 */
void g_window_watch(uint32_t self, uint32_t initiator, uint32_t rounds);

#endif
