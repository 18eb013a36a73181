/* SPDX-License-Identifier: MIT */
/*
 * guest_walk.h - the guest's own page tables, followed by the VMM.
 *
 * The guest may write anything into them at any time. Each entry is copied once, then
 * checked, then used, and every address that comes out of one is looked up in the
 * guest's memory: whatever the tables say, nothing else is touched.
 */
#ifndef GUEST_WALK_H
#define GUEST_WALK_H

#include <stdbool.h>

#include "guest_memory.h"

/**
 * guest_walk - the guest-physical address of @gva.
 *
 * Shape:   @root is the guest-physical address of a PML4: a CR3 without its low bits.
 *          The page of *gpa lies inside memory. Four levels, pages of 4 KiB and 2 MiB;
 *          present is all that is asked of an entry, no right to write or to be user.
 * Errors:  -EINVAL   @gva is not canonical
 *          -EFAULT   not mapped
 *          -ERANGE   @root, a table or the page is outside memory
 *          -ELOOP    a table comes up twice on the way
 *          -EBADMSG  reserved bits: a large page where there is none, or not aligned
 *          *gpa is written on success only.
 * Follows: Intel SDM volume 3, 4.5 (4-level paging); reserved bits as for the CPUID of
 *          machine.c, which has no 1 GiB pages.
 * Threads: any.
 */
__attribute__((warn_unused_result))
int guest_walk(const struct guest_memory *memory, uint64_t root, uint64_t gva, uint64_t *gpa);

/* guest_walk_is_canonical - bits 63 to 48 are copies of bit 47. */
static inline bool guest_walk_is_canonical(uint64_t gva)
{
	return (uint64_t)((int64_t)(gva << 16) >> 16) == gva;
}

/* guest_walk_text - what a pointer with that error does: "is not mapped". For messages;
 * -EOVERFLOW and -ENOMEM are shadow_copy_from_guest()'s. */
const char *guest_walk_text(int error);

#endif
