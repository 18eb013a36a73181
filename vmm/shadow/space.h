/* SPDX-License-Identifier: MIT */
/*
 * space.h - one vCPU's address space: tables from guest virtual page to frame.
 *
 * Six levels of 64 entries for 36 bits of page number, so that a table is small and is
 * soon empty: an empty one is freed. Upper entries point to the table below, a leaf
 * entry is a frame and the tag of the generation in which it was filled; a walk with
 * another tag finds nothing. All mapped entries of a page hang together by their rmap
 * links, whatever space and generation they are of, so that a page is zapped at once.
 *
 * field                   writer             readers        rule
 * child[], entry[]        who has the lock   one walker     release, acquire (shadow-link)
 * all others, rmaps       who has the lock   the same       lock
 *
 * Invariants, whenever the lock is free: a table that is linked has at least one entry,
 * the root apart; a leaf entry is not 0 if and only if its link is in a list.
 * Tested: tests/unit/shadow_tables_are_freed_when_empty_test.c
 */
#ifndef SPACE_H
#define SPACE_H

#include "reclaim.h"

#define SPACE_BITS    6
#define SPACE_ENTRIES (1u << SPACE_BITS)
#define SPACE_LEVELS  6                 /* 36 bits of page number above 12 of offset */

struct space;
struct space_upper;

/* A mapped leaf entry, in the list of its page. */
struct rmap {
	struct rmap *next;
	struct rmap **back;             /* to what points here; NULL: in no list */
	uint32_t page;                  /* guest-physical */
	uint32_t index;                 /* in its leaf */
};

/* What both kinds of table begin with. */
struct space_table {
	struct retired retired;         /* first: it is what is freed */
	struct space *space;
	struct space_upper *parent;     /* NULL: the root */
	uint32_t index;                 /* in the parent */
	uint32_t live;                  /* entries that are not empty */
};

struct space_upper {
	struct space_table head;
	_Alignas(SD_CACHE_LINE) _Atomic(struct space_table *) child[SPACE_ENTRIES];
};

struct space_leaf {
	struct space_table head;
	_Alignas(SD_CACHE_LINE) _Atomic uint64_t entry[SPACE_ENTRIES]; /* frame << 32 | tag */
	struct rmap rmap[SPACE_ENTRIES];
};

struct space {
	struct space_upper root;        /* lives as long as the space */
	uint32_t tables;                /* linked, without the root */
	uint32_t tables_max;            /* at least SPACE_LEVELS - 1 */
};

/* A tag is never 0, an empty entry is. */
static inline uint64_t space_entry(uint32_t frame, uint32_t tag)
{
	return (uint64_t)frame << 32 | tag;
}

static inline uint32_t space_index(uint64_t gva, unsigned level)
{
	return (uint32_t)(gva >> (12 + SPACE_BITS * level)) & (SPACE_ENTRIES - 1);
}

/**
 * space_find - the frame of @gva, if it was filled under @tag.
 *
 * Shape:   @gva is canonical: bits 63 to 48 are not looked at.
 * Returns: false when there is none.
 * Threads: the space's one walker, between reclaim_begin() and reclaim_end(); no lock.
 *
 * PAIR(shadow-link): acquire here, release in link_table(): a table that is found is
 * seen as it was made.
 */
static inline bool space_find(const struct space *space, uint64_t gva, uint32_t tag,
			      uint32_t *frame)
{
	const struct space_upper *upper = &space->root;
	const struct space_table *table;
	uint64_t entry;

	for (unsigned level = SPACE_LEVELS - 1;; level--) {
		table = atomic_load_explicit(&upper->child[space_index(gva, level)],
					     memory_order_acquire);
		if (table == NULL)
			return false;
		if (level == 1)
			break;
		upper = (const struct space_upper *)(const void *)table;
	}
	entry = atomic_load_explicit(&((const struct space_leaf *)(const void *)table)
				     ->entry[space_index(gva, 0)], memory_order_acquire);
	*frame = (uint32_t)(entry >> 32);
	return (uint32_t)entry == tag;
}

/* All below: the caller holds the lock, and retires what was unlinked. */

/* space_init - empty. @tables_max of tables at most, the root apart. */
void space_init(struct space *space, uint32_t tables_max);

/* space_is_full - would one more page perhaps need more tables than there may be? */
bool space_is_full(const struct space *space);

/**
 * space_map - @gva leads to @frame under @tag; found again by @page through @rmaps.
 *
 * Shape:   @rmaps[guest-physical page] is the head of that page's list.
 * Errors:  -ENOMEM: not mapped; there was nothing before either.
 */
__attribute__((warn_unused_result))
int space_map(struct space *space, struct rmap **rmaps, uint64_t gva, uint32_t page,
	      uint32_t frame, uint32_t tag, struct retired **unlinked);

/**
 * space_zap_page - empty every entry that leads to the page whose list is *@rmap.
 *
 * Returns: how many there were.
 */
uint32_t space_zap_page(struct rmap **rmap, struct retired **unlinked);

/* space_zap - all of them, and all tables but the root. Returns how many entries. */
uint32_t space_zap(struct space *space, struct retired **unlinked);

#endif
