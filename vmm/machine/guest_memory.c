// SPDX-License-Identifier: MIT
/*
 * guest_memory.c - the guest's memory (guest_memory.h).
 *
 * Threads: created and destroyed by main; shared by all.
 * Tested:  tests/unit/guest_memory_stays_inside_test.c
 */
#include "guest_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pte.h"

int guest_memory_create(struct guest_memory *memory, uint32_t vcpus, uint32_t initiators,
			uint32_t pages, struct why *why)
{
	uint64_t frames = (uint64_t)initiators * (SD_FRAME_SETS + 1) * pages;

	*memory = (struct guest_memory){
		.fd = -1,
		.bytes = SD_FRAMES_GPA + frames * SD_PAGE_BYTES,
		.vcpus = vcpus,
		.initiators = initiators,
		.pages = pages,
	};
	if (frames > SD_MAX_FRAMES)
		return why_set(why, EXIT_USAGE, EINVAL, "%u initiators of %u pages: more than %u frames",
			       initiators, pages, SD_MAX_FRAMES);
	memory->fd = memfd_create("guest-memory", MFD_CLOEXEC);
	if (memory->fd < 0)
		return why_set(why, EXIT_HOST, errno, "memfd_create: %s", strerror(errno));
	if (ftruncate(memory->fd, (off_t)memory->bytes) != 0) {
		why_set(why, EXIT_HOST, errno, "guest memory of %zu bytes: %s", memory->bytes,
			strerror(errno));
		goto close_fd;
	}
	memory->hva = mmap(NULL, memory->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);
	if (memory->hva != MAP_FAILED)
		return 0;
	why_set(why, EXIT_HOST, errno, "guest memory of %zu bytes: %s", memory->bytes,
		strerror(errno));
close_fd:
	close(memory->fd);
	memory->fd = -1;
	memory->hva = NULL;
	return -ENOMEM;
}

void guest_memory_destroy(struct guest_memory *memory)
{
	if (memory->fd < 0)
		return;
	munmap(memory->hva, memory->bytes);
	close(memory->fd);
	memory->fd = -1;
}

void *guest_memory_at(const struct guest_memory *memory, uint64_t gpa, size_t bytes)
{
	if (gpa > memory->bytes || bytes > memory->bytes - gpa)
		return NULL;
	return memory->hva + gpa;
}

struct sd_control *guest_control(const struct guest_memory *memory)
{
	return (struct sd_control *)(void *)(memory->hva + SD_CONTROL_GPA);
}

struct sd_region *guest_region(const struct guest_memory *memory, uint32_t vcpu)
{
	return (struct sd_region *)(void *)(memory->hva + SD_REGION_GPA +
					    (size_t)vcpu * SD_REGION_STRIDE);
}

void guest_memory_reset_job(struct guest_memory *memory)
{
	memset(memory->hva + SD_PUBLISHED_GPA, 0,
	       (size_t)memory->initiators * SD_MAX_GROUPS * sizeof(struct sd_published));
	for (uint32_t vcpu = 0; vcpu < memory->vcpus; vcpu++) {
		uint8_t *region = (uint8_t *)guest_region(memory, vcpu);
		size_t first = offsetof(struct sd_region, dropped);

		memset(region + first, 0, SD_REGION_LINES_END - first);
	}
}
