// SPDX-License-Identifier: MIT
/*
 * frames.c - which frame stands behind which page (frames.h).
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
	/* The lowest is taken first. */
	for (uint32_t i = 0; i < frames->spares; i++)
		frames->spare[i] = frames->pages + frames->spares - 1 - i;
	frames->spare_count = frames->spares;
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
	/* Zeroes that nobody has to write: at 4 bytes a page of 200 MiB that would be most of
	 * what it takes to boot. */
	frames->moved_by = calloc(frames->pages, sizeof(*frames->moved_by));
	frames->spare = malloc((spares + 1) * sizeof(*frames->spare));
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

int frames_move(struct frames *frames, uint32_t page, uint32_t *old)
{
	uint8_t *hva = frames->memory->hva + (size_t)page * SD_PAGE_BYTES;
	uint32_t frame;

	if (frames->spare_count == 0)
		return -ENOBUFS;
	frame = frames->spare[frames->spare_count - 1];
	*old = frames_at(frames, page);
	memcpy(frames_bytes(frames, frame), frames_bytes(frames, *old), SD_PAGE_BYTES);
	/* MAP_FIXED: whoever touches the page waits until the new one is there, and the
	 * kernel's own notifier takes the old one from the guest. */
	if (mmap(hva, SD_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 frames->memory->fd, (off_t)frame * SD_PAGE_BYTES) == MAP_FAILED)
		return -errno;
	frames->spare_count--;
	/* PAIR(frame-moved): release; the copy comes first. */
	atomic_store_explicit(&frames->moved_by[page], frame - page, memory_order_release);
	return 0;
}

void frames_release(struct frames *frames, uint32_t frame)
{
	memset(frames_bytes(frames, frame), FRAMES_POISON, SD_PAGE_BYTES);
	frames->spare[frames->spare_count++] = frame;
}
