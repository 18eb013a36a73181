// SPDX-License-Identifier: MIT
/*
 * guest_walk_fuzz.c - page tables made of any bytes, and walks through them.
 *
 * The input is a program: entries are stored, addresses are looked up. Every walk has to
 * end as that of the reference does, which is recursive, works on a copy of memory and
 * knows of addresses in 128 bits. Memory is a heap block of exactly its size: a sanitizer
 * sees each byte beyond.
 *
 * Follows: Intel SDM volume 3, 4.5 (4-level paging); guest_walk.h for what each error says.
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "guest_walk.h"

#define MAX_PAGES 10
#define GPA_FILL UINT64_C(0x5a5a5a5a5a5a5a5a)

typedef unsigned __int128 u128;

static uint8_t g_copy[MAX_PAGES * SD_PAGE_BYTES];

/* --- the reference ------------------------------------------------------------ */

struct walk {
	size_t memory_bytes;
	uint64_t gva;
	uint64_t passed[4];             /* tables, the first one at [3] */
	uint64_t gpa;
};

/* Bits 51 to 12. */
static uint64_t address_of(uint64_t entry)
{
	return entry << 12 >> 24 << 12;
}

static int ends_at(struct walk *walk, u128 gpa)
{
	if ((gpa / SD_PAGE_BYTES + 1) * SD_PAGE_BYTES > walk->memory_bytes)
		return -ERANGE;
	walk->gpa = (uint64_t)gpa;
	return 0;
}

/* @level is 3 for the root's table, 0 for a leaf table. */
static int descend(struct walk *walk, uint64_t table, int level)
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
	memcpy(&entry, g_copy + (size_t)place, sizeof(entry));
	if (entry % 2 == 0)
		return -EFAULT;
	if (level == 0)
		return ends_at(walk, (u128)address_of(entry) + walk->gva % 0x1000);
	if (!(entry >> 7 & 1))
		return descend(walk, address_of(entry), level - 1);
	/* A page of 2 MiB: bits 20 to 13 are reserved, bit 12 is PAT. */
	if (level != 1 || (entry >> 13 & 0xff) != 0)
		return -EBADMSG;
	return ends_at(walk, (u128)(address_of(entry) & ~UINT64_C(0x1000)) + walk->gva % 0x200000);
}

static int reference_walk(struct walk *walk, uint64_t root)
{
	uint64_t top = walk->gva >> 47;

	if (top != 0 && top != 0x1ffff)
		return -EINVAL;
	if (address_of(root) != root)
		return -ERANGE;
	return descend(walk, root, 3);
}

/* --- the program -------------------------------------------------------------- */

static void check_walk(const struct guest_memory *memory, uint64_t root, uint64_t gva)
{
	struct walk walk = { .memory_bytes = memory->bytes, .gva = gva, .gpa = GPA_FILL };
	uint64_t gpa = GPA_FILL;
	int error = guest_walk(memory, root, gva, &gpa);

	fuzz_check(error == reference_walk(&walk, root));
	fuzz_check(gpa == walk.gpa);
	fuzz_check(guest_walk_is_canonical(gva) == (error != -EINVAL));
	fuzz_check(error == 0 || guest_walk_text(error)[0] != '\0');
	fuzz_check(error != 0 || gpa / SD_PAGE_BYTES < memory->bytes / SD_PAGE_BYTES);
}

static void store(const struct guest_memory *memory, uint64_t gpa, uint64_t entry)
{
	if (gpa > memory->bytes - sizeof(entry))
		return;
	memcpy(memory->hva + gpa, &entry, sizeof(entry));
	memcpy(g_copy + gpa, &entry, sizeof(entry));
}

/* Indices are few, so that walks meet what was stored. */
static uint64_t take_index(struct fuzz_program *program)
{
	static const uint16_t indices[] = { 0, 1, 2, 255, 256, 510, 511 };
	uint32_t choice = fuzz_below(program, 8);

	return choice < 7 ? indices[choice] : fuzz_take(program, 2) % 512;
}

static uint64_t take_gva(struct fuzz_program *program)
{
	uint64_t gva = 0;

	for (int level = 0; level < 4; level++)
		gva = gva << 9 | take_index(program);
	gva = gva << 12 | fuzz_take(program, 2) % SD_PAGE_BYTES;
	return (uint64_t)((int64_t)(gva << 16) >> 16);
}

static void step(const struct guest_memory *memory, struct fuzz_program *program)
{
	uint64_t place, page, root;

	switch (fuzz_below(program, 5)) {
	case 0:                         /* an entry that points to a page, or just beyond */
		place = fuzz_below(program, MAX_PAGES) * (uint64_t)SD_PAGE_BYTES;
		place += take_index(program) * 8;
		page = fuzz_below(program, MAX_PAGES + 1);
		store(memory, place, page * SD_PAGE_BYTES | (fuzz_take(program, 1) ^ 1));
		break;
	case 1:                         /* any entry at all */
		place = fuzz_below(program, MAX_PAGES) * (uint64_t)SD_PAGE_BYTES;
		place += take_index(program) * 8;
		store(memory, place, fuzz_take(program, 8));
		break;
	case 2:
		root = fuzz_below(program, MAX_PAGES + 1) * (uint64_t)SD_PAGE_BYTES;
		check_walk(memory, root, take_gva(program));
		break;
	case 3:                         /* a large page near the end of memory */
		place = fuzz_below(program, MAX_PAGES) * (uint64_t)SD_PAGE_BYTES;
		place += take_index(program) * 8;
		store(memory, place, fuzz_take(program, 2) << 12 | 0x81);
		break;
	default:
		root = fuzz_take(program, 8);
		check_walk(memory, root, fuzz_take(program, 8));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct fuzz_program program = { data, bytes };
	struct guest_memory memory = { .fd = -1 };

	memory.bytes = (1 + fuzz_below(&program, MAX_PAGES)) * (size_t)SD_PAGE_BYTES;
	memory.hva = calloc(1, memory.bytes);
	fuzz_check(memory.hva != NULL);
	memset(g_copy, 0, memory.bytes);
	while (program.left != 0)
		step(&memory, &program);
	/* A walk only reads. */
	fuzz_check(memcmp(memory.hva, g_copy, memory.bytes) == 0);
	free(memory.hva);
	return 0;
}
