// SPDX-License-Identifier: MIT
/*
 * space.c - the tables of one address space (space.h).
 *
 * Threads: any, under the lock of who owns the space.
 * Tested:  tests/unit/shadow_tables_are_freed_when_empty_test.c
 */
#include "space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(struct space_table, retired) == 0, "what is retired is the table");
_Static_assert(sizeof(struct space_upper) % SD_CACHE_LINE == 0, "aligned_alloc() wants that");
_Static_assert(sizeof(struct space_leaf) % SD_CACHE_LINE == 0, "aligned_alloc() wants that");

static struct space_upper *upper_of(struct space_table *table)
{
	return (struct space_upper *)(void *)table;
}

static struct space_leaf *leaf_of(struct space_table *table)
{
	return (struct space_leaf *)(void *)table;
}

static struct space_leaf *leaf_of_rmap(struct rmap *rmap)
{
	return (struct space_leaf *)(void *)((uint8_t *)(rmap - rmap->index) -
					     offsetof(struct space_leaf, rmap));
}

void space_init(struct space *space, uint32_t tables_max)
{
	memset(space, 0, sizeof(*space));
	space->root.head.space = space;
	space->tables_max = tables_max;
}

bool space_is_full(const struct space *space)
{
	return space->tables + SPACE_LEVELS - 1 > space->tables_max;
}

/* --- tables ----------------------------------------------------------------- */

static void link_table(struct space_upper *parent, uint32_t index, struct space_table *table)
{
	table->space = parent->head.space;
	table->parent = parent;
	table->index = index;
	table->space->tables++;
	parent->head.live++;
	/* PAIR(shadow-link): release; the walker finds it as it is now. */
	atomic_store_explicit(&parent->child[index], table, memory_order_release);
}

/* Relaxed: whoever frees it puts a full fence after this (PAIR(shadow-reading) and the
 * other schemes' own). */
static void unlink_table(struct space_table *table, struct retired **unlinked)
{
	atomic_store_explicit(&table->parent->child[table->index], NULL, memory_order_relaxed);
	table->parent->head.live--;
	table->space->tables--;
	table->retired.next = *unlinked;
	*unlinked = &table->retired;
}

/* And those above that are empty without it. */
static void unlink_if_empty(struct space_table *table, struct retired **unlinked)
{
	while (table->live == 0 && table->parent != NULL) {
		struct space_upper *parent = table->parent;

		unlink_table(table, unlinked);
		table = &parent->head;
	}
}

/* Level 0 is a leaf. */
static struct space_table *new_table(unsigned level)
{
	size_t bytes = level == 0 ? sizeof(struct space_leaf) : sizeof(struct space_upper);
	struct space_table *table = aligned_alloc(SD_CACHE_LINE, bytes);

	if (table != NULL)
		memset(table, 0, bytes);
	return table;
}

static struct space_table *child_of(struct space_upper *upper, uint32_t index)
{
	return atomic_load_explicit(&upper->child[index], memory_order_relaxed);
}

/* Makes what is missing on the way. NULL: no memory, and nothing new is linked. */
static struct space_leaf *leaf_for(struct space *space, uint64_t gva, struct retired **unlinked)
{
	struct space_table *table = &space->root.head;

	for (unsigned level = SPACE_LEVELS - 1; level > 0; level--) {
		uint32_t index = space_index(gva, level);
		struct space_table *below = child_of(upper_of(table), index);

		if (below == NULL) {
			below = new_table(level - 1);
			if (below == NULL) {
				unlink_if_empty(table, unlinked);
				return NULL;
			}
			link_table(upper_of(table), index, below);
		}
		table = below;
	}
	return leaf_of(table);
}

/* --- entries ---------------------------------------------------------------- */

static void unhook(struct rmap *rmap)
{
	*rmap->back = rmap->next;
	if (rmap->next != NULL)
		rmap->next->back = rmap->back;
	rmap->back = NULL;
}

static void hook(struct rmap *rmap, struct rmap **head)
{
	rmap->next = *head;
	rmap->back = head;
	if (rmap->next != NULL)
		rmap->next->back = &rmap->next;
	*head = rmap;
}

/* Relaxed, as in unlink_table(). Its table stays linked. */
static void clear_entry(struct space_leaf *leaf, uint32_t index)
{
	atomic_store_explicit(&leaf->entry[index], 0, memory_order_relaxed);
	unhook(&leaf->rmap[index]);
	leaf->head.live--;
}

int space_map(struct space *space, struct rmap **rmaps, uint64_t gva, uint32_t page,
	      uint32_t frame, uint32_t tag, struct retired **unlinked)
{
	struct space_leaf *leaf = leaf_for(space, gva, unlinked);
	uint32_t index = space_index(gva, 0);
	struct rmap *rmap;

	if (leaf == NULL)
		return -ENOMEM;
	rmap = &leaf->rmap[index];
	if (rmap->back != NULL && rmap->page != page)
		clear_entry(leaf, index);
	if (rmap->back == NULL) {
		rmap->page = page;
		rmap->index = index;
		hook(rmap, &rmaps[page]);
		leaf->head.live++;
	}
	/* PAIR(shadow-link): release, as for a table; this thread has seen the copy that
	 * frames_move() made. */
	atomic_store_explicit(&leaf->entry[index], space_entry(frame, tag),
			      memory_order_release);
	return 0;
}

uint32_t space_zap_page(struct rmap **rmap, struct retired **unlinked)
{
	uint32_t zapped = 0;

	while (*rmap != NULL) {
		struct rmap *first = *rmap;
		struct space_leaf *leaf = leaf_of_rmap(first);

		clear_entry(leaf, first->index);
		unlink_if_empty(&leaf->head, unlinked);
		zapped++;
	}
	return zapped;
}

static uint32_t clear_leaf(struct space_leaf *leaf)
{
	uint32_t live = leaf->head.live;

	for (uint32_t i = 0; i < SPACE_ENTRIES; i++)
		if (leaf->rmap[i].back != NULL)
			clear_entry(leaf, i);
	return live;
}

/* Bottom up, so that a table is unlinked when it is empty. */
static uint32_t clear_below(struct space_upper *upper, unsigned level, struct retired **unlinked)
{
	uint32_t zapped = 0;

	for (uint32_t i = 0; i < SPACE_ENTRIES; i++) {
		struct space_table *below = child_of(upper, i);

		if (below == NULL)
			continue;
		zapped += level == 1 ? clear_leaf(leaf_of(below))
			: clear_below(upper_of(below), level - 1, unlinked);
		unlink_table(below, unlinked);
	}
	return zapped;
}

uint32_t space_zap(struct space *space, struct retired **unlinked)
{
	return clear_below(&space->root, SPACE_LEVELS - 1, unlinked);
}
