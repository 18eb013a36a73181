// SPDX-License-Identifier: MIT
/*
 * elf_loader_fuzz.c - any bytes as a payload file.
 *
 * Beside the loader stands a reader of its own: fields by their offset, sums in 128 bits.
 * Both have to agree on whether the file is a payload, and on its entry. Guest memory is
 * poisoned but for the bytes of the segments that the reader has found: a store anywhere
 * else, or any at all for a file that is refused, ends the process.
 *
 * Follows: System V ABI, ELF-64 object file format: offsets of fields.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes)   ((void)(start), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#endif

#include "elf_loader.h"
#include "fuzz.h"
#include "layout.h"

#define FILL 0xa5
#define ENTRY_FILL UINT64_C(0x5a5a5a5a5a5a5a5a)
#define GRANULE 8               /* what AddressSanitizer can tell apart */

typedef unsigned __int128 u128;

struct part {
	uint64_t start, bytes;          /* in memory */
	uint64_t offset, file_bytes;
	bool executable;
};

struct reference {
	struct part parts[64];
	unsigned count;
	uint64_t entry;
};

static uint8_t *g_memory;

static uint64_t field(const uint8_t *data, size_t offset, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | data[offset + bytes];
	return value;
}

static bool lies_in(u128 start, u128 bytes, u128 low, u128 high)
{
	return start >= low && start + bytes <= high;
}

static bool reads_part(const uint8_t *entry, size_t bytes, struct reference *reference)
{
	struct part part = {
		.executable = entry[4] & 1,
		.offset = field(entry, 8, 8), .start = field(entry, 16, 8),
		.file_bytes = field(entry, 32, 8), .bytes = field(entry, 40, 8),
	};

	if (field(entry, 0, 4) != 1)
		return true;
	if (part.file_bytes > part.bytes)
		return false;
	if (part.bytes == 0)
		return true;
	if ((part.file_bytes != 0 && !lies_in(part.offset, part.file_bytes, 0, bytes)) ||
	    !lies_in(part.start, part.bytes, SD_PAYLOAD_GPA, SD_PAYLOAD_END))
		return false;
	for (unsigned i = 0; i < reference->count; i++) {
		const struct part *other = &reference->parts[i];
		uint64_t low = part.start > other->start ? part.start : other->start;
		uint64_t end = part.start + part.bytes, other_end = other->start + other->bytes;

		if (low < (end < other_end ? end : other_end))
			return false;
	}
	reference->parts[reference->count++] = part;
	return true;
}

static bool is_payload(const uint8_t *data, size_t bytes, struct reference *reference)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	uint64_t table, entries;

	reference->count = 0;
	if (bytes < 64 || memcmp(data, ident, sizeof(ident)) != 0)
		return false;
	if (field(data, 16, 2) != 2 || field(data, 18, 2) != 62 || field(data, 20, 4) != 1)
		return false;
	reference->entry = field(data, 24, 8);
	table = field(data, 32, 8);
	entries = field(data, 56, 2);
	if (entries == 0 || entries > 64 || field(data, 54, 2) != 56 ||
	    !lies_in(table, (u128)entries * 56, 0, bytes))
		return false;
	for (uint64_t i = 0; i < entries; i++)
		if (!reads_part(data + table + i * 56, bytes, reference))
			return false;
	for (unsigned i = 0; i < reference->count; i++)
		if (reference->parts[i].executable &&
		    lies_in(reference->entry, 1, reference->parts[i].start,
			    (u128)reference->parts[i].start + reference->parts[i].bytes))
			return true;
	return false;
}

/* The bytes of a granule in front of a part cannot be poisoned: they are looked at. */
static void check_before(uint64_t start)
{
	for (uint64_t at = start / GRANULE * GRANULE; at < start; at++)
		fuzz_check(g_memory[at] == FILL);
}

static bool is_all(const uint8_t *data, size_t bytes, uint8_t value)
{
	return bytes == 0 || (data[0] == value && memcmp(data, data + 1, bytes - 1) == 0);
}

static void open_parts(const struct reference *reference)
{
	for (unsigned i = 0; i < reference->count; i++)
		ASAN_UNPOISON_MEMORY_REGION(g_memory + reference->parts[i].start,
					    reference->parts[i].bytes);
}

static void check_part(const uint8_t *data, const struct part *part)
{
	const uint8_t *start = g_memory + part->start;

	if (part->file_bytes != 0)
		fuzz_check(memcmp(start, data + part->offset, part->file_bytes) == 0);
	fuzz_check(is_all(start + part->file_bytes, part->bytes - part->file_bytes, 0));
}

/* Parts may share a granule: first all are filled again, then looked at. */
static void check_parts(const uint8_t *data, const struct reference *reference)
{
	for (unsigned i = 0; i < reference->count; i++)
		check_part(data, &reference->parts[i]);
	for (unsigned i = 0; i < reference->count; i++)
		memset(g_memory + reference->parts[i].start, FILL, reference->parts[i].bytes);
	for (unsigned i = 0; i < reference->count; i++)
		check_before(reference->parts[i].start);
	for (unsigned i = 0; i < reference->count; i++) {
		uint64_t low = reference->parts[i].start / GRANULE * GRANULE;

		ASAN_POISON_MEMORY_REGION(g_memory + low, reference->parts[i].start - low +
					  reference->parts[i].bytes);
	}
}

static void set_up(void)
{
	if (g_memory != NULL)
		return;
	g_memory = aligned_alloc(SD_PAGE_BYTES, SD_PAYLOAD_END);
	fuzz_check(g_memory != NULL);
	memset(g_memory, FILL, SD_PAYLOAD_END);
	ASAN_POISON_MEMORY_REGION(g_memory, SD_PAYLOAD_END);
}

static void check_refusal(int error, uint64_t entry, const struct why *why)
{
	fuzz_check(error == -ENOEXEC);
	fuzz_check(why->status == EXIT_USAGE);
	fuzz_check(entry == ENTRY_FILL);
	fuzz_check(strncmp(why->text, "p.elf: ", 7) == 0 && strlen(why->text) > 7);
	fuzz_check(strchr(why->text, '\n') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	struct why why = { 0 }, looked = { 0 };
	uint64_t entry = ENTRY_FILL, looked_entry = ENTRY_FILL;
	struct reference reference;
	bool right = is_payload(data, bytes, &reference);
	int error;

	set_up();
	if (right)
		open_parts(&reference);
	error = elf_load("p.elf", data, bytes, g_memory, SD_PAYLOAD_END, &entry, &why);
	fuzz_check((error == 0) == right);
	/* Without memory it only looks, and says the same. */
	fuzz_check(elf_load("p.elf", data, bytes, NULL, 0, &looked_entry, &looked) == error);
	fuzz_check(looked_entry == entry && strcmp(looked.text, why.text) == 0);
	if (!right) {
		check_refusal(error, entry, &why);
		return 0;
	}
	fuzz_check(entry == reference.entry && why.text[0] == '\0');
	check_parts(data, &reference);
	return 0;
}
