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

/* An initiator's own; lives from one job to the next. */
struct g_window {
	uint32_t initiator;
	uint32_t group;                 /* that watches */
	uint32_t set;                   /* of frames now mapped */
	uint64_t epoch;                 /* of the last move */
};

/* g_window_prepare - write the next epoch into the next set. Not timed. */
void g_window_prepare(struct g_window *window);

/* g_window_remap - the PTE stores of the move, and nothing else. */
void g_window_remap(struct g_window *window);

/* g_window_range - what a flush after a move is about: its pages, or everything
 * where the session does not flush by page. */
struct g_range g_window_range(const struct g_window *window);

/**
 * g_window_open - map the set for the initiator itself, which may not be in the
 * group that watches. Needs no flush if it had mapped nothing.
 *
 * Threads: the initiator's vCPU, as the three below.
 */
void g_window_open(const struct g_window *window);

/* g_window_close - the initiator's own entries become not present: part of a move,
 * and its flush is needed. */
void g_window_close(const struct g_window *window);

/* g_window_reopen - after g_window_close() and its flush, at the end of a job: the
 * initiator's own entries as its group has them. */
void g_window_reopen(const struct g_window *window);

/**
 * g_window_use - the initiator's own loads through its open window: what it sees is
 * the set now mapped, or the flush of its own TLB has failed.
 *
 * Shape:   @rounds loads of every page, after one store to it.
 * Side:    adds to checks and stale of its region.
 */
void g_window_use(const struct g_window *window, uint32_t rounds);

/* g_window_publish - the flush has returned: publish, poison what was left. */
void g_window_publish(struct g_window *window);

/**
 * g_window_watch - the oracle: compare loads through @initiator's window with
 * its published epoch.
 *
 * Shape:   @rounds loads of every page.
 * Side:    adds to checks and stale of @self's region.
 */
void g_window_watch(uint32_t self, uint32_t initiator, uint32_t rounds);

#endif
