/* SPDX-License-Identifier: MIT */
/*
 * reference_walk.h - a walk through page tables that has nothing in common with the
 * VMM's own (guest_walk.h): recursive, with addresses in 128 bits.
 *
 * Follows: Intel SDM volume 3, 4.5 (4-level paging); guest_walk.h for what each error says.
 */
#ifndef REFERENCE_WALK_H
#define REFERENCE_WALK_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "layout.h"

/* What a reference passes through is no sign of a new input, and looking costs most of its
 * time. Around what follows, to REFERENCE_END. */
#ifdef __clang__
#define REFERENCE_BEGIN \
	_Pragma("clang attribute push(__attribute__((no_sanitize(\"coverage\"))), apply_to = function)")
#define REFERENCE_END _Pragma("clang attribute pop")
#else
#define REFERENCE_BEGIN
#define REFERENCE_END
#endif

typedef unsigned __int128 u128;

struct reference_walk {
	const uint8_t *memory;          /* the guest's, from address 0 on */
	size_t memory_bytes;
	uint64_t gva;
	uint64_t passed[4];             /* tables, the first one at [3] */
	uint64_t gpa;                   /* the result, written on success only */
};

REFERENCE_BEGIN

/* reference_address - bits 51 to 12. */
static inline uint64_t reference_address(uint64_t entry)
{
	return entry << 12 >> 24 << 12;
}

/* reference_ends_at - a page is whole, or it is outside. */
static inline int reference_ends_at(struct reference_walk *walk, u128 gpa)
{
	if ((gpa / SD_PAGE_BYTES + 1) * SD_PAGE_BYTES > walk->memory_bytes)
		return -ERANGE;
	walk->gpa = (uint64_t)gpa;
	return 0;
}

/* reference_descend - @level is 3 for the root's table, 0 for a leaf table. */
static inline int reference_descend(struct reference_walk *walk, uint64_t table, int level)
{
	unsigned index = (unsigned)(walk->gva >> (12 + 9 * level)) % 512;
	u128 place = (u128)table + index * 8u;
	uint64_t entry;

	for (int above = 3; above > level; above--)
		if (walk->passed[above] == table)
			return -ELOOP;
	walk->passed[level] = table;
	if (place + 8 > walk->memory_bytes)
		return -ERANGE;
	memcpy(&entry, walk->memory + (size_t)place, sizeof(entry));
	if (entry % 2 == 0)
		return -EFAULT;
	if (level == 0)
		return reference_ends_at(walk, (u128)reference_address(entry) + walk->gva % 0x1000);
	if (!(entry >> 7 & 1))
		return reference_descend(walk, reference_address(entry), level - 1);
	/* A page of 2 MiB: bits 20 to 13 are reserved, bit 12 is PAT. */
	if (level != 1 || (entry >> 13 & 0xff) != 0)
		return -EBADMSG;
	return reference_ends_at(walk, (u128)(reference_address(entry) & ~UINT64_C(0x1000)) +
				 walk->gva % 0x200000);
}

/**
 * reference_walk - from @root to @walk's gva.
 *
 * Returns: 0 with @walk's gpa filled, or the error of guest_walk().
 */
static inline int reference_walk(struct reference_walk *walk, uint64_t root)
{
	uint64_t top = walk->gva >> 47;

	if (top != 0 && top != 0x1ffff)
		return -EINVAL;
	if (reference_address(root) != root)
		return -ERANGE;
	return reference_descend(walk, root, 3);
}

REFERENCE_END

#endif
