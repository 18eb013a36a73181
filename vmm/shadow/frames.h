/* SPDX-License-Identifier: MIT */
/*
 * frames.h - the host's side: which page of the guest's memfd holds each guest-physical
 * page, and a view of the whole memfd in its own order.
 *
 * The guest's memory keeps its host address while its pages move about in the memfd:
 * a frame is a page of the memfd, counted from its start. The view shows frames, so a
 * translation that was kept too long reads the old frame, which holds poison.
 *
 * field         writer      readers    rule
 * moved_by[]    who moves   any        release, acquire (frame-moved)
 * spare, next   who moves   who moves  -
 * all others    create      any        before the other threads start
 */
#ifndef FRAMES_H
#define FRAMES_H

#include <stdatomic.h>
#include <stdint.h>

#include "guest_memory.h"

/* In every byte of a frame that is not in use. Above any address and any epoch. */
#define FRAMES_POISON 0xf5

struct frames {
	struct guest_memory *memory;
	uint8_t *view;                  /* of the memfd, by frame */
	size_t view_bytes;
	uint32_t pages;                 /* guest-physical */
	_Atomic uint32_t *moved_by;     /* [pages]: frame less page, modulo 2^32 */
	uint8_t *spare;                 /* [frame_count]: 1: not in use */
	uint32_t spares;                /* at first */
	uint32_t spare_count;           /* now */
	uint32_t frame_count;           /* of the memfd */
	uint32_t next;                  /* where to look for spare ones: the last used comes last */
};

/**
 * frames_create - every page in the frame of its own number, @spares more frames after them.
 *
 * The memfd grows by the spare frames; @memory stays as it is and the caller's.
 * Errors:  EXIT_HOST; nothing is left behind.
 */
__attribute__((warn_unused_result))
int frames_create(struct frames *frames, struct guest_memory *memory, uint32_t spares,
		  struct why *why);

/* frames_destroy - pages that have moved stay where they are. Does nothing to frames that are
 * all zeros. */
void frames_destroy(struct frames *frames);

/* frames_at - the frame of @page now. PAIR(frame-moved): acquire here, release in
 * frames_move(): the copy is in the frame that is found. */
static inline uint32_t frames_at(const struct frames *frames, uint32_t page)
{
	return page + atomic_load_explicit(&frames->moved_by[page], memory_order_acquire);
}

/* frames_bytes - host address of what @frame holds; it exists. */
static inline uint8_t *frames_bytes(const struct frames *frames, uint32_t frame)
{
	return frames->view + (size_t)frame * SD_PAGE_BYTES;
}

/**
 * frames_move - copy @count neighbours from @page on to spare frames, and put those in
 * their place, at once for all who use the guest's memory, the guest included: as many as
 * there are spare frames side by side, because the time goes into the call, not the page.
 *
 * Nobody may write to the pages meanwhile. The frames that they have left, old[], still
 * have their contents: whoever has looked one up before may be reading it.
 * Returns: how many, from @page on; at least 1.
 * Errors:  -ENOBUFS: no frame to spare; else that of mmap(2). No page has moved.
 * Threads: one at a time.
 */
__attribute__((warn_unused_result))
int frames_move(struct frames *frames, uint32_t page, uint32_t count, uint32_t *old);

/* frames_release - nobody reads @frame any more: it is poisoned and becomes a spare one. On
 * the thread of frames_move(). */
void frames_release(struct frames *frames, uint32_t frame);

#endif
