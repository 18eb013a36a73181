/* SPDX-License-Identifier: MIT */
/*
 * guest_memory.h - the guest's memory: one memfd, mapped once.
 *
 * The guest writes to all of it at any time. Whoever reads it from here copies
 * once, checks the copy, uses the copy.
 */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "control.h"
#include "region.h"
#include "why.h"

struct guest_memory {
	int fd;                 /* memfd */
	uint8_t *hva;           /* host address of guest-physical 0 */
	size_t bytes;
	uint32_t vcpus;         /* what it was sized for */
	uint32_t initiators;
	uint32_t pages;         /* of one flush */
};

/**
 * guest_memory_create - zero-filled memory for so many vCPUs and initiators.
 *
 * Errors:  EXIT_HOST; nothing is left behind.
 */
__attribute__((warn_unused_result))
int guest_memory_create(struct guest_memory *memory, uint32_t vcpus, uint32_t initiators,
			uint32_t pages, struct why *why);
void guest_memory_destroy(struct guest_memory *memory);

/**
 * guest_memory_at - host address of [@gpa, @gpa + @bytes).
 *
 * Returns: NULL when any of it lies outside; overflow-safe.
 */
void *guest_memory_at(const struct guest_memory *memory, uint64_t gpa, size_t bytes);

/* Parts at fixed places; the memory is always large enough for them. */
struct sd_control *guest_control(const struct guest_memory *memory);
struct sd_region *guest_region(const struct guest_memory *memory, uint32_t vcpu);

/* guest_memory_reset_job - zero the published epochs and the vCPUs' counts.
 * No vCPU may be running. */
void guest_memory_reset_job(struct guest_memory *memory);

#endif
