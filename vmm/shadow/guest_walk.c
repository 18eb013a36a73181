// SPDX-License-Identifier: MIT
/*
 * guest_walk.c - the guest's own page tables, followed by the VMM (guest_walk.h).
 *
 * Tested:  tests/unit/shadow_refuses_bad_tables_test.c
 */
#include "guest_walk.h"

#include "pte.h"

#define LEVELS 4
#define LARGE_LEVEL 2                   /* of 2 MiB pages */
#define ADDRESS_BITS UINT64_C(0x000ffffffffff000)
#define LARGE_BYTES (SD_PAGE_BYTES * UINT64_C(512))

static uint32_t index_at(uint64_t gva, int level)
{
	return (uint32_t)(gva >> (12 + 9 * (level - 1))) & 511;
}

/* One copy, of which all else is made. */
static int read_entry(const struct guest_memory *memory, uint64_t table, uint32_t index,
		      uint64_t *entry)
{
	const uint64_t *place = guest_memory_at(memory, table + index * sizeof(*entry),
						sizeof(*entry));

	if (place == NULL)
		return -ERANGE;
	/* Acquire: what the guest had written before it made the entry is seen after it.
	 * The other half is the guest's own store order. */
	*entry = __atomic_load_n(place, __ATOMIC_ACQUIRE);
	return *entry & SD_PTE_PRESENT ? 0 : -EFAULT;
}

static bool came_by(const uint64_t *tables, int count, uint64_t table)
{
	for (int i = 0; i < count; i++)
		if (tables[i] == table)
			return true;
	return false;
}

static int page_inside(const struct guest_memory *memory, uint64_t address, uint64_t *gpa)
{
	uint64_t page = address & ~(uint64_t)(SD_PAGE_BYTES - 1);

	if (guest_memory_at(memory, page, SD_PAGE_BYTES) == NULL)
		return -ERANGE;
	*gpa = address;
	return 0;
}

static int large_page(const struct guest_memory *memory, uint64_t entry, int level, uint64_t gva,
		      uint64_t *gpa)
{
	uint64_t start = entry & ADDRESS_BITS & ~(uint64_t)SD_PAGE_BYTES; /* bit 12 is PAT */

	if (level != LARGE_LEVEL || start % LARGE_BYTES != 0)
		return -EBADMSG;
	return page_inside(memory, start + gva % LARGE_BYTES, gpa);
}

int guest_walk(const struct guest_memory *memory, uint64_t root, uint64_t gva, uint64_t *gpa)
{
	uint64_t tables[LEVELS];
	uint64_t entry = root;

	if (!guest_walk_is_canonical(gva))
		return -EINVAL;
	if ((root & ~ADDRESS_BITS) != 0)
		return -ERANGE;
	for (int level = LEVELS; level > 0; level--) {
		int passed = LEVELS - level;
		int error;

		tables[passed] = entry & ADDRESS_BITS;
		if (came_by(tables, passed, tables[passed]))
			return -ELOOP;
		error = read_entry(memory, tables[passed], index_at(gva, level), &entry);
		if (error != 0)
			return error;
		/* In the last level the bit means something else (PAT). */
		if (level > 1 && entry & SD_PTE_LARGE)
			return large_page(memory, entry, level, gva, gpa);
	}
	return page_inside(memory, (entry & ADDRESS_BITS) + gva % SD_PAGE_BYTES, gpa);
}

const char *guest_walk_text(int error)
{
	switch (error) {
	case -EINVAL: return "is not canonical";
	case -EFAULT: return "is not mapped";
	case -ERANGE: return "leads outside memory";
	case -ELOOP: return "leads through one table twice";
	case -EBADMSG: return "leads through reserved bits";
	case -EOVERFLOW: return "runs round the end of the address space";
	case -ENOMEM: return "finds no memory for its translation";
	default: return "cannot be followed";
	}
}
