/* SPDX-License-Identifier: MIT */
/*
 * tree.h - page tables of an initiator's own, which every vCPU has in its address
 * space: one directory, shared by all, and the leaf table that is linked into it at
 * the moment.
 *
 *   PDPT of each vCPU          directory               leaf              frames
 *   [SD_TREE_PDPT + init.] --> [round % LEAVES] -----> [page] ---------> stamp
 *
 * A round builds a leaf, tears it down and frees it; every second one the directory
 * too, because what a vCPU caches of upper levels has to go as well. Between two jobs
 * nothing is linked.
 *
 * The frames are the initiator's, a set each round (pte.h). A frame's first word names
 * what it is mapped at, and since the sets are a multiple of the leaves it is the same
 * in each job: a walker that reads another has walked a table that was reused.
 */
#ifndef TREE_H
#define TREE_H

#include "tables.h"

/* From begin to end of a job. */
struct g_tree {
	uint32_t initiator;
	uint32_t directory;             /* gpa; 0: none */
	uint32_t leaf;                  /* gpa; 0: none */
	uint64_t round;
};

/* What a round takes from the pool, at most. */
#define G_TREE_TABLES 2

/* What was unlinked and has to be freed. */
struct g_unlinked {
	uint32_t count;
	uint32_t gpa[G_TREE_TABLES];
};

/* g_tree_stamp - what the frame says that @initiator's tree maps at @page of leaf
 * @index. */
static inline uint64_t g_tree_stamp(uint32_t initiator, uint32_t index, uint32_t page)
{
	return UINT64_C(0x7ee) << 48 | (uint64_t)initiator << 32 | index << 16 | page;
}

/* g_tree_build - a leaf of stamped frames, and a directory if there is none; touch its
 * pages. The pool holds G_TREE_TABLES. The initiator's vCPU, as all below. */
void g_tree_build(struct g_tree *tree, struct g_pool *pool);

/* g_tree_unlink - the PTE stores that take this round's tables out of every address
 * space, and nothing else. */
void g_tree_unlink(struct g_tree *tree);

/* g_tree_unlink_all - the same at the end of a job, between two rounds. */
void g_tree_unlink_all(struct g_tree *tree);

/* g_tree_next - the flush has returned: the tables of either unlink, for freeing. */
struct g_unlinked g_tree_next(struct g_tree *tree);

#endif
