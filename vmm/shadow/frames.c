// SPDX-License-Identifier: MIT
/*
 * frames.c - which frame holds which page (frames.h).
 *
 * Threads: created and destroyed by one; moved by one; read by all.
 * Tested:  tests/unit/shadow_frames_keep_their_contents_test.c
 */
#include "frames.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void fill(struct frames *frames)
{
	memset(frames->spare + frames->pages, 1, frames->spares);
	frames->spare_count = frames->spares;
	frames->next = frames->pages;
	memset(frames_bytes(frames, frames->pages), FRAMES_POISON,
	       (size_t)frames->spares * SD_PAGE_BYTES);
}

int frames_create(struct frames *frames, struct guest_memory *memory, uint32_t spares,
		  struct why *why)
{
	size_t bytes = memory->bytes + (size_t)spares * SD_PAGE_BYTES;

	*frames = (struct frames){
		.memory = memory,
		.view_bytes = bytes,
		.pages = (uint32_t)(memory->bytes / SD_PAGE_BYTES),
		.spares = spares,
		.frame_count = (uint32_t)(bytes / SD_PAGE_BYTES),
	};
	if (ftruncate(memory->fd, (off_t)bytes) != 0)
		return why_set(why, EXIT_HOST, errno, "guest memory and %u spare frames: %s",
			       spares, strerror(errno));
	frames->view = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	if (frames->view == MAP_FAILED) {
		frames->view = NULL;
		return why_set(why, EXIT_HOST, errno, "view of the guest's memory: %s",
			       strerror(errno));
	}
	/* Zeroes that nobody has to write: with 4 bytes for each page of 200 MiB, writing them
	 * would take most of the time to boot. */
	frames->moved_by = calloc(frames->pages, sizeof(*frames->moved_by));
	frames->spare = calloc(frames->frame_count, sizeof(*frames->spare));
	if (frames->moved_by == NULL || frames->spare == NULL) {
		frames_destroy(frames);
		return why_set(why, EXIT_HOST, ENOMEM, "list of %u frames: %s", frames->pages,
			       strerror(ENOMEM));
	}
	fill(frames);
	return 0;
}

void frames_destroy(struct frames *frames)
{
	if (frames->view != NULL)
		munmap(frames->view, frames->view_bytes);
	free(frames->moved_by);
	free(frames->spare);
	*frames = (struct frames){ 0 };
}

/* The caller knows that there is one. */
static uint32_t next_spare(struct frames *frames)
{
	const uint8_t *found = memchr(frames->spare + frames->next, 1,
				      frames->frame_count - frames->next);

	if (found == NULL)
		found = memchr(frames->spare, 1, frames->next);
	return (uint32_t)(found - frames->spare);
}

/* Spare frames from @first on, at most @count. */
static uint32_t side_by_side(const struct frames *frames, uint32_t first, uint32_t count)
{
	uint32_t spare = 0;

	while (spare < count && first + spare < frames->frame_count &&
	       frames->spare[first + spare])
		spare++;
	return spare;
}

int frames_move(struct frames *frames, uint32_t page, uint32_t count, uint32_t *old)
{
	uint8_t *hva = frames->memory->hva + (size_t)page * SD_PAGE_BYTES;
	uint32_t first;

	if (frames->spare_count == 0)
		return -ENOBUFS;
	first = next_spare(frames);
	count = side_by_side(frames, first, count);
	for (uint32_t i = 0; i < count; i++) {
		old[i] = frames_at(frames, page + i);
		memcpy(frames_bytes(frames, first + i), frames_bytes(frames, old[i]), SD_PAGE_BYTES);
	}
	/* MAP_FIXED: whoever touches a page waits until the new one is there, and the
	 * kernel's own notifier takes the old one from the guest. */
	if (mmap(hva, (size_t)count * SD_PAGE_BYTES, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, frames->memory->fd,
		 (off_t)first * SD_PAGE_BYTES) == MAP_FAILED)
		return -errno;
	memset(frames->spare + first, 0, count);
	frames->spare_count -= count;
	frames->next = (first + count) % frames->frame_count;
	/* PAIR(frame-moved): release; the copy comes first. */
	for (uint32_t i = 0; i < count; i++)
		atomic_store_explicit(&frames->moved_by[page + i], first - page,
				      memory_order_release);
	return (int)count;
}

void frames_release(struct frames *frames, uint32_t frame)
{
	memset(frames_bytes(frames, frame), FRAMES_POISON, SD_PAGE_BYTES);
	frames->spare[frame] = 1;
	frames->spare_count++;
}
