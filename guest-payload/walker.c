// SPDX-License-Identifier: MIT
/*
 * walker.c - lockless walks (walker.h).
 *
 * Threads: any vCPU, ring 3; its own region, tables and APIC.
 * Follows: Intel SDM volume 3, 11.8.3.1 (task and processor priorities), 4.5 (4-level
 *          paging).
 *
 *   initiator                          walker
 *   ---------                          ------
 *   entry = 0                          in_walk = 1
 *   flush: lock request, IPI           TPR = 0xe0; fence
 *   wait until served                  entry, table after it, stamp
 *   free the table                     TPR = 0: the IPI is taken, and serves
 *                                      in_walk = 0; pass += 1
 */
#include "walker.h"

#include "grace.h"
#include "tree.h"

/* Walks of one section. They take about as long as a store to the TPR where that leaves the
 * guest, and cover all leaves of SECTION_WALKS / SD_TREE_LEAVES pages or trees. */
#define SECTION_WALKS 256

/* One section in so many rings, or the first one after it that gets to a leaf. */
#define STEP_SECTIONS 16

/* The class of all vectors in use is masked; exceptions are not. */
#define APIC_TPR           0x080
#define TPR_INTERRUPTS_OFF (SD_VECTOR_FLUSH & 0xf0)

_Static_assert(SD_VECTOR_FLUSH >> 4 == SD_VECTOR_FLUSH_WAKE >> 4 &&
	       SD_VECTOR_FLUSH >> 4 == SD_VECTOR_FLUSH_2017 >> 4 &&
	       SD_VECTOR_FLUSH >> 4 == SD_VECTOR_PING >> 4, "vectors are of two classes");

/* Physical address in an entry: bits 12 to 51. */
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

enum outcome {
	WALK_GOES_ON,
	WALK_ABSENT,            /* not mapped at the moment: that is right too */
	WALK_MET,               /* the stamp that was looked up */
	WALK_POISONED,          /* a table that was free */
	WALK_REUSED,            /* a table that is another's by now */
	OUTCOMES
};

/* A vCPU's. */
static struct walker {
	uint32_t self;
	uint32_t sections;              /* since it rang */
	uint32_t tree;                  /* next to walk, of those that are not the own */
	uint32_t index;
	uint32_t page;
	uint32_t counts[OUTCOMES];      /* of the section in hand */
} __attribute__((aligned(SD_CACHE_LINE))) walkers[G_WALKERS];

static uint32_t trees(uint32_t self)
{
	uint32_t initiators = g_control()->initiators;

	return initiators - (self < initiators);
}

static uint32_t initiator_of(uint32_t self, uint32_t tree)
{
	return tree + (tree >= self);
}

static void set_tpr(uint32_t priority)
{
	*(volatile uint32_t *)(uintptr_t)(SD_APIC_VA + APIC_TPR) = priority;
}

/* PAIR(unlink-off): the priority is raised before the first load of the walk. A store
 * to the APIC's page that leaves the guest is, without the fence; one that the
 * processor carries out itself may still be in the store buffer when the old entry is
 * loaded, and an interrupt taken in between would acknowledge for this walk. */
static void interrupts_off(void)
{
	set_tpr(TPR_INTERRUPTS_OFF);
	__asm__ volatile("mfence" : : : "memory");
}

/* After all loads of the walk: x86 puts no store before an older load. */
static void interrupts_on(void)
{
	__asm__ volatile("" : : : "memory");
	set_tpr(0);
}

/* PAIR(tree-link): acquire here, release in tree.c. Orders: the entry before what is
 * read where it leads. */
static uint64_t load(uint64_t gpa, uint32_t index)
{
	return sd_u64_load_acquire(g_entry(gpa, index));
}

/* The next level, inside @bytes from @first on. */
static enum outcome follow(uint64_t entry, uint64_t first, uint64_t bytes, uint64_t *gpa)
{
	if (entry == G_TABLE_POISON)
		return WALK_POISONED;
	if (!(entry & SD_PTE_PRESENT))
		return WALK_ABSENT;
	*gpa = entry & ENTRY_ADDRESS;
	return *gpa - first < bytes ? WALK_GOES_ON : WALK_REUSED;
}

static enum outcome follow_table(uint64_t entry, uint32_t initiator, uint64_t *gpa)
{
	return follow(entry, g_pool_gpa(initiator), SD_POOL_TABLES * SD_PAGE_BYTES, gpa);
}

static enum outcome follow_frame(uint64_t entry, uint32_t initiator, uint64_t *gpa)
{
	uint32_t pages = g_control()->pages;

	return follow(entry, sd_frame_gpa(initiator, 0, 0, pages),
		      (uint64_t)SD_FRAME_SETS * pages * SD_PAGE_BYTES, gpa);
}

/* Where a table that is freed under the walk is met. */
static void between_levels(struct walker *walker)
{
	if (walker->sections < STEP_SECTIONS)
		return;
	walker->sections = 0;
	g_step(SD_STEP_WALK);
}

static enum outcome walk(struct walker *walker)
{
	uint32_t initiator = initiator_of(walker->self, walker->tree);
	uint32_t index = walker->index, page = walker->page;
	uint64_t gpa = sd_table_gpa(walker->self, SD_TABLE_PDPT);
	enum outcome outcome =
		follow_table(load(gpa, SD_TREE_PDPT + initiator), initiator, &gpa);

	if (outcome == WALK_GOES_ON)
		outcome = follow_table(load(gpa, index), initiator, &gpa);
	if (outcome != WALK_GOES_ON)
		return outcome;
	between_levels(walker);
	outcome = follow_frame(load(gpa, page), initiator, &gpa);
	if (outcome != WALK_GOES_ON)
		return outcome;
	return load(gpa, 0) == g_tree_stamp(initiator, index, page) ? WALK_MET : WALK_REUSED;
}

/* All leaves of a tree, the next tree, the next page. */
static void advance(struct walker *walker)
{
	if (++walker->index < SD_TREE_LEAVES)
		return;
	walker->index = 0;
	if (++walker->tree < trees(walker->self))
		return;
	walker->tree = 0;
	if (++walker->page == g_control()->pages)
		walker->page = 0;
}

static void add(struct sd_u64 *counter, uint64_t value)
{
	sd_u64_store(counter, sd_u64_load(counter) + value);
}

static void count(struct sd_region *own, const uint32_t counts[OUTCOMES])
{
	add(&own->walks, SECTION_WALKS);
	add(&own->checks, counts[WALK_MET]);
	add(&own->walks_poisoned, counts[WALK_POISONED]);
	add(&own->walks_reused, counts[WALK_REUSED]);
}

static void walk_on(struct walker *walker)
{
	for (uint32_t i = 0; i < SECTION_WALKS; i++) {
		walker->counts[walk(walker)]++;
		advance(walker);
	}
	walker->sections++;
}

void g_walk_begin(uint32_t self)
{
	g_check(!g_control()->x2apic, g_control()->vcpus, G_WALKERS);
	g_check(self < G_WALKERS, self, G_WALKERS);
	walkers[self] = (struct walker){ .self = self };
}

void g_walk_section(uint32_t self)
{
	struct sd_region *own = g_region(self);
	struct walker *walker = &walkers[self];

	if (trees(self) == 0) {
		sd_walk_pass(own);
		g_pause();
		return;
	}
	for (uint32_t i = 0; i < OUTCOMES; i++)
		walker->counts[i] = 0;
	sd_walk_begin(own);
	interrupts_off();
	walk_on(walker);
	interrupts_on();
	sd_walk_end(own);
	count(own, walker->counts);
}
