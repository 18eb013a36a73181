/* SPDX-License-Identifier: MIT */
/*
 * elf_image.h - a small right ELF file to spoil, and guest memory to load into.
 *
 * Text at the start of the payload's range (0x80 bytes), data a page on (0x40
 * bytes and 0xc0 of BSS), and BSS alone further on. File and memory are heap
 * blocks of exactly their size, so that a sanitizer sees each byte beyond.
 */
#ifndef ELF_IMAGE_H
#define ELF_IMAGE_H

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "elf_loader.h"
#include "layout.h"
#include "unit_test.h"

#define IMAGE_TEXT  SD_PAYLOAD_GPA
#define IMAGE_DATA  (SD_PAYLOAD_GPA + 0x1000)
#define IMAGE_BSS   (SD_PAYLOAD_GPA + 0x200000)
#define IMAGE_ENTRY (IMAGE_TEXT + 0x10)

#define MEMORY_FILL 0xa5
#define ENTRY_FILL  UINT64_C(0x5a5a5a5a5a5a5a5a)

struct elf_image {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	uint8_t text[0x80];
	uint8_t data[0x40];     /* ends the file */
};

static inline Elf64_Phdr elf_image_segment(uint32_t flags, uint64_t address, size_t offset,
					   size_t file_bytes, size_t memory_bytes)
{
	return (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = flags,
		.p_offset = offset, .p_vaddr = address, .p_paddr = address,
		.p_filesz = file_bytes, .p_memsz = memory_bytes, .p_align = 0x1000,
	};
}

static inline struct elf_image elf_image_right(void)
{
	struct elf_image image = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				     ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_entry = IMAGE_ENTRY,
			.e_phoff = offsetof(struct elf_image, segments),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3,
		},
		.segments = {
			elf_image_segment(PF_R | PF_X, IMAGE_TEXT,
					  offsetof(struct elf_image, text), 0x80, 0x80),
			elf_image_segment(PF_R | PF_W, IMAGE_DATA,
					  offsetof(struct elf_image, data), 0x40, 0x100),
			elf_image_segment(PF_R | PF_W, IMAGE_BSS, 0x10000, 0, 0x1000),
		},
	};

	for (size_t i = 0; i < sizeof(image.text); i++)
		image.text[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < sizeof(image.data); i++)
		image.data[i] = (uint8_t)(0x10 + i);
	return image;
}

static inline uint8_t *elf_memory_create(void)
{
	uint8_t *memory = malloc(SD_PAYLOAD_END);

	assert_non_null(memory);
	memset(memory, MEMORY_FILL, SD_PAYLOAD_END);
	return memory;
}

/* Load a copy of @bytes of @image that starts at an odd address. */
static inline int elf_image_load(const void *image, size_t bytes, uint8_t *memory,
				 uint64_t *entry, struct why *why)
{
	uint8_t *file = malloc(bytes + 1);
	int error;

	assert_non_null(file);
	memcpy(file + 1, image, bytes);
	memset(why, 0, sizeof(*why));
	*entry = ENTRY_FILL;
	error = elf_load("p.elf", file + 1, bytes, memory, SD_PAYLOAD_END, entry, why);
	free(file);
	return error;
}

#endif
