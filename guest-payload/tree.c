// SPDX-License-Identifier: MIT
/*
 * tree.c - an initiator's page tables (tree.h).
 *
 * Threads: the initiator's vCPU. The tables are read by the walkers of all vCPUs and
 *          by the processor.
 * Follows: Intel SDM volume 3, 4.5 (4-level paging), 4.10.2 (paging-structure caches).
 */
#include "tree.h"

_Static_assert(SD_FRAME_SETS % SD_TREE_LEAVES == 0, "a frame would change its stamp");
_Static_assert(SD_TREE_PDPT + SD_MAX_INITIATORS <= G_TABLE_ENTRIES, "trees beyond the PDPT");
_Static_assert(SD_MAX_PAGES <= G_TABLE_ENTRIES, "a leaf is one table");

/* A directory lives for so many rounds. */
#define DIRECTORY_ROUNDS 2

static uint32_t index_of(const struct g_tree *tree)
{
	return (uint32_t)(tree->round % SD_TREE_LEAVES);
}

static bool ends_directory(const struct g_tree *tree)
{
	return tree->round % DIRECTORY_ROUNDS == DIRECTORY_ROUNDS - 1;
}

/* The initiator's entry in the PDPT of every vCPU. PAIR(tree-link): release, so that
 * a walker that finds the directory finds it filled. */
static void link_directory(uint32_t initiator, uint64_t entry)
{
	uint32_t vcpus = g_control()->vcpus;

	for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
		sd_u64_store_release(g_entry(sd_table_gpa(vcpu, SD_TABLE_PDPT),
					     SD_TREE_PDPT + initiator), entry);
}

/* The entries after the last leaf stay not present. */
static void build_directory(struct g_tree *tree, struct g_pool *pool)
{
	tree->directory = g_pool_take(pool);
	for (uint32_t index = 0; index < SD_TREE_LEAVES; index++)
		sd_u64_store(g_entry(tree->directory, index), 0);
	link_directory(tree->initiator, sd_pte(tree->directory));
}

static void fill_leaf(const struct g_tree *tree)
{
	uint32_t set = (uint32_t)(tree->round % SD_FRAME_SETS), pages = g_control()->pages;

	for (uint32_t page = 0; page < pages; page++) {
		uint64_t frame = sd_frame_gpa(tree->initiator, set, page, pages);

		sd_u64_store(g_entry(frame, 0),
			     g_tree_stamp(tree->initiator, index_of(tree), page));
		sd_u64_store(g_entry(tree->leaf, page), sd_pte(frame));
	}
}

/* The initiator reads through it what it has just put there. */
static void touch(const struct g_tree *tree)
{
	uint64_t va = SD_TREE_VA + (uint64_t)tree->initiator * SD_TREE_STRIDE +
		(uint64_t)index_of(tree) * G_TABLE_ENTRIES * SD_PAGE_BYTES;

	for (uint32_t page = 0; page < g_control()->pages; page++) {
		uint64_t saw = sd_u64_load(g_entry(va + (uint64_t)page * SD_PAGE_BYTES, 0));

		g_check(saw == g_tree_stamp(tree->initiator, index_of(tree), page), saw, page);
	}
}

void g_tree_build(struct g_tree *tree, struct g_pool *pool)
{
	tree->leaf = g_pool_take(pool);
	fill_leaf(tree);
	if (tree->directory == 0)
		build_directory(tree, pool);
	/* PAIR(tree-link): release here and above, acquire in walker.c. Orders: the
	 * leaf and the stamps before the entry that leads there. */
	sd_u64_store_release(g_entry(tree->directory, index_of(tree)), sd_pte(tree->leaf));
	touch(tree);
}

/* PAIR(unlink-off): the flush asks after these stores, by locked operations, and by
 * IPI; a walker that still found the table takes that IPI after its section. */
void g_tree_unlink(struct g_tree *tree)
{
	sd_u64_store(g_entry(tree->directory, index_of(tree)), 0);
	if (ends_directory(tree))
		link_directory(tree->initiator, 0);
}

void g_tree_unlink_all(struct g_tree *tree)
{
	if (tree->directory != 0)
		link_directory(tree->initiator, 0);
}

static void add(struct g_unlinked *unlinked, uint32_t *gpa)
{
	if (*gpa != 0)
		unlinked->gpa[unlinked->count++] = *gpa;
	*gpa = 0;
}

struct g_unlinked g_tree_next(struct g_tree *tree)
{
	struct g_unlinked unlinked = { 0 };
	bool between = tree->leaf == 0;

	add(&unlinked, &tree->leaf);
	if (between || ends_directory(tree))
		add(&unlinked, &tree->directory);
	tree->round++;
	return unlinked;
}
