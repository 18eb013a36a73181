// SPDX-License-Identifier: MIT
/*
 * guest_walk_fuzz.c - page tables made of any bytes, and walks through them.
 *
 * The input is a program: entries are stored, addresses are looked up. Every walk has to
 * end as that of the reference does (reference_walk.h), which works on a copy of memory.
 * Memory is a heap block of exactly its size: a sanitizer sees each byte beyond.
 *
 * Follows: Intel SDM volume 3, 4.5 (4-level paging); guest_walk.h for what each error says.
 */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "guest_walk.h"
#include "reference_walk.h"

#define MAX_PAGES 10
#define GPA_FILL UINT64_C(0x5a5a5a5a5a5a5a5a)

static uint8_t g_copy[MAX_PAGES * SD_PAGE_BYTES];

/* --- the program -------------------------------------------------------------- */

static void check_walk(const struct guest_memory *memory, uint64_t root, uint64_t gva)
{
	struct reference_walk walk = {
		.memory = g_copy, .memory_bytes = memory->bytes, .gva = gva, .gpa = GPA_FILL,
	};
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
