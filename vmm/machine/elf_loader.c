// SPDX-License-Identifier: MIT
/*
 * elf_loader.c - a payload's ELF64 file into guest memory (elf_loader.h).
 *
 * Every header is copied out of the file before it is looked at: the bytes are
 * untrusted and have no alignment. Two untrusted numbers are added only once it
 * is known that the sum does not overflow.
 *
 * Follows: System V ABI, ELF-64 object file format, version 1.
 * Tested:  tests/unit/elf_loader_refuses_bad_files_test.c,
 *          tests/unit/elf_loader_places_segments_test.c
 */
#include "elf_loader.h"

#include <assert.h>
#include <elf.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "layout.h"

#define MAX_PROGRAM_HEADERS 64

struct file {
	const char *name;
	const uint8_t *bytes;
	size_t size;
	struct why *why;
};

/* Segments to load: checked PT_LOAD entries of non-zero size. */
struct segments {
	unsigned int count;
	Elf64_Phdr load[MAX_PROGRAM_HEADERS];
	unsigned int index[MAX_PROGRAM_HEADERS]; /* in the file, for messages */
};

__attribute__((format(printf, 2, 3)))
static int file_refuse(const struct file *file, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return why_set(file->why, EXIT_USAGE, ENOEXEC, "%.200s: %s", file->name, text);
}

static bool file_has(const struct file *file, uint64_t offset, uint64_t bytes)
{
	return offset <= file->size && bytes <= file->size - offset;
}

/* The first 16 bytes: they say how the others are to be read. */
static int ident_check(const struct file *file)
{
	const uint8_t *ident = file->bytes;

	if (file->size < SELFMAG || memcmp(ident, ELFMAG, SELFMAG))
		return file_refuse(file, "not an ELF file");
	if (file->size < EI_NIDENT)
		return file_refuse(file, "truncated ELF header");
	if (ident[EI_CLASS] == ELFCLASS32)
		return file_refuse(file, "a 32-bit ELF file; payloads are 64-bit");
	if (ident[EI_CLASS] != ELFCLASS64)
		return file_refuse(file, "unknown ELF class %u", ident[EI_CLASS]);
	if (ident[EI_DATA] == ELFDATA2MSB)
		return file_refuse(file, "a big-endian ELF file; payloads are little-endian");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return file_refuse(file, "unknown ELF data encoding %u", ident[EI_DATA]);
	if (ident[EI_VERSION] != EV_CURRENT)
		return file_refuse(file, "unknown ELF version %u", ident[EI_VERSION]);
	return 0;
}

static int header_read(const struct file *file, Elf64_Ehdr *header)
{
	int error = ident_check(file);

	if (error)
		return error;
	if (file->size < sizeof(*header))
		return file_refuse(file, "truncated ELF header");
	memcpy(header, file->bytes, sizeof(*header));
	if (header->e_version != EV_CURRENT)
		return file_refuse(file, "unknown ELF version %u", header->e_version);
	if (header->e_machine != EM_X86_64)
		return file_refuse(file, "for another machine (%u); payloads are x86-64",
				   header->e_machine);
	if (header->e_type == ET_DYN)
		return file_refuse(file, "position-independent; link it with -no-pie -static");
	if (header->e_type != ET_EXEC)
		return file_refuse(file, "not an executable (ELF type %u)", header->e_type);
	return 0;
}

static int table_check(const struct file *file, const Elf64_Ehdr *header)
{
	if (header->e_phnum == 0)
		return file_refuse(file, "no segment to load");
	if (header->e_phnum > MAX_PROGRAM_HEADERS)
		return file_refuse(file, "%u program headers; at most %d are read",
				   header->e_phnum, MAX_PROGRAM_HEADERS);
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		return file_refuse(file, "program headers of %u bytes instead of %zu",
				   header->e_phentsize, sizeof(Elf64_Phdr));
	if (!file_has(file, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr)))
		return file_refuse(file, "truncated program headers");
	return 0;
}

static int segment_check(const struct file *file, unsigned int index, const Elf64_Phdr *segment)
{
	uint64_t start = segment->p_vaddr, bytes = segment->p_memsz;

	if (segment->p_filesz > bytes)
		return file_refuse(file, "segment %u: larger in the file (0x%" PRIx64
				   ") than in memory (0x%" PRIx64 ")",
				   index, segment->p_filesz, bytes);
	if (bytes == 0)
		return 0;
	if (segment->p_filesz && !file_has(file, segment->p_offset, segment->p_filesz))
		return file_refuse(file, "segment %u: truncated file", index);
	if (bytes > UINT64_MAX - start)
		return file_refuse(file, "segment %u: address 0x%" PRIx64 " + 0x%" PRIx64
				   " overflows", index, start, bytes);
	if (start < SD_PAYLOAD_GPA || start + bytes > SD_PAYLOAD_END)
		return file_refuse(file, "segment %u: 0x%" PRIx64 " to 0x%" PRIx64
				   " is not within 0x%x to 0x%x", index, start, start + bytes,
				   SD_PAYLOAD_GPA, SD_PAYLOAD_END);
	return 0;
}

static bool segments_overlap(const Elf64_Phdr *a, const Elf64_Phdr *b)
{
	return a->p_vaddr < b->p_vaddr + b->p_memsz && b->p_vaddr < a->p_vaddr + a->p_memsz;
}

static int segments_add(const struct file *file, struct segments *segments,
			unsigned int index, const Elf64_Phdr *segment)
{
	for (unsigned int i = 0; i < segments->count; i++) {
		if (segments_overlap(&segments->load[i], segment))
			return file_refuse(file, "segments %u and %u overlap",
					   segments->index[i], index);
	}
	segments->load[segments->count] = *segment;
	segments->index[segments->count] = index;
	segments->count++;
	return 0;
}

static int segments_read(const struct file *file, const Elf64_Ehdr *header,
			 struct segments *segments)
{
	const uint8_t *table = file->bytes + header->e_phoff;
	int error = 0;

	segments->count = 0;
	for (unsigned int i = 0; i < header->e_phnum && !error; i++) {
		Elf64_Phdr segment;

		memcpy(&segment, table + i * sizeof(segment), sizeof(segment));
		if (segment.p_type != PT_LOAD)
			continue;
		error = segment_check(file, i, &segment);
		if (!error && segment.p_memsz)
			error = segments_add(file, segments, i, &segment);
	}
	if (!error && segments->count == 0)
		return file_refuse(file, "no segment to load");
	return error;
}

static int entry_check(const struct file *file, const struct segments *segments, uint64_t entry)
{
	for (unsigned int i = 0; i < segments->count; i++) {
		const Elf64_Phdr *segment = &segments->load[i];

		if (entry >= segment->p_vaddr && entry - segment->p_vaddr < segment->p_memsz &&
		    (segment->p_flags & PF_X))
			return 0;
	}
	return file_refuse(file, "entry 0x%" PRIx64 " is in no executable segment", entry);
}

static void segment_copy(const struct file *file, const Elf64_Phdr *segment, uint8_t *memory)
{
	uint8_t *start = memory + segment->p_vaddr;

	/* The offset of a segment without bytes in the file was not checked. */
	if (segment->p_filesz)
		memcpy(start, file->bytes + segment->p_offset, segment->p_filesz);
	memset(start + segment->p_filesz, 0, segment->p_memsz - segment->p_filesz);
}

int elf_load(const char *name, const uint8_t *image, size_t image_bytes,
	     uint8_t *memory, size_t memory_bytes, uint64_t *entry, struct why *why)
{
	const struct file file = { name, image, image_bytes, why };
	struct segments segments;
	Elf64_Ehdr header;
	int error;

	assert(memory == NULL || memory_bytes >= SD_PAYLOAD_END);
	(void)memory_bytes;
	error = header_read(&file, &header);
	if (!error)
		error = table_check(&file, &header);
	if (!error)
		error = segments_read(&file, &header, &segments);
	if (!error)
		error = entry_check(&file, &segments, header.e_entry);
	if (error)
		return error;
	for (unsigned int i = 0; memory != NULL && i < segments.count; i++)
		segment_copy(&file, &segments.load[i], memory);
	*entry = header.e_entry;
	return 0;
}
