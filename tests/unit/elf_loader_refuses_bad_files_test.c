// SPDX-License-Identifier: MIT
/*
 * elf_loader_refuses_bad_files_test.c - each fault of a payload file has its
 * own message, and leaves guest memory alone.
 */
#include "elf_image.h"

struct patch {
	size_t offset, bytes;
	uint64_t value;
};

#define AT(member, v) \
	{ offsetof(struct elf_image, member), sizeof(((struct elf_image *)0)->member), v }
#define HEADER(member, v)     AT(header.member, v)
#define SEGMENT(i, member, v) AT(segments[i].member, v)

static const struct {
	const char *says;
	struct patch patches[3];
} g_cases[] = {
	{ "not an ELF file", { HEADER(e_ident[EI_MAG0], 0x7e) } },
	{ "not an ELF file", { HEADER(e_ident[EI_MAG3], 'f') } },
	{ "a 32-bit ELF file; payloads are 64-bit", { HEADER(e_ident[EI_CLASS], ELFCLASS32) } },
	{ "unknown ELF class 0", { HEADER(e_ident[EI_CLASS], ELFCLASSNONE) } },
	{ "a big-endian ELF file; payloads are little-endian",
	  { HEADER(e_ident[EI_DATA], ELFDATA2MSB) } },
	{ "unknown ELF data encoding 3", { HEADER(e_ident[EI_DATA], 3) } },
	{ "unknown ELF version 0", { HEADER(e_ident[EI_VERSION], 0) } },
	{ "unknown ELF version 2", { HEADER(e_version, 2) } },
	{ "for another machine (183); payloads are x86-64", { HEADER(e_machine, EM_AARCH64) } },
	{ "for another machine (3); payloads are x86-64", { HEADER(e_machine, EM_386) } },
	{ "position-independent; link it with -no-pie -static", { HEADER(e_type, ET_DYN) } },
	{ "not an executable (ELF type 1)", { HEADER(e_type, ET_REL) } },
	{ "not an executable (ELF type 4)", { HEADER(e_type, ET_CORE) } },

	{ "no segment to load", { HEADER(e_phnum, 0) } },
	{ "65 program headers; at most 64 are read", { HEADER(e_phnum, 65) } },
	{ "65535 program headers; at most 64 are read", { HEADER(e_phnum, 0xffff) } },
	{ "program headers of 55 bytes instead of 56", { HEADER(e_phentsize, 55) } },
	{ "program headers of 0 bytes instead of 56", { HEADER(e_phentsize, 0) } },
	{ "truncated program headers", { HEADER(e_phnum, 7) } },
	{ "truncated program headers", { HEADER(e_phoff, sizeof(struct elf_image)) } },
	{ "truncated program headers", { HEADER(e_phoff, sizeof(struct elf_image) + 1) } },
	{ "truncated program headers", { HEADER(e_phoff, sizeof(struct elf_image) - 167) } },
	{ "truncated program headers", { HEADER(e_phoff, UINT64_MAX) } },
	{ "truncated program headers", { HEADER(e_phoff, UINT64_MAX - 167) } },

	{ "no segment to load", { SEGMENT(0, p_type, PT_NULL), SEGMENT(1, p_type, PT_NOTE),
				  SEGMENT(2, p_type, PT_PHDR) } },
	{ "segment 0: larger in the file (0x80) than in memory (0x7f)",
	  { SEGMENT(0, p_memsz, 0x7f) } },
	{ "segment 1: larger in the file (0x40) than in memory (0x0)",
	  { SEGMENT(1, p_memsz, 0) } },
	{ "segment 1: truncated file",
	  { SEGMENT(1, p_offset, offsetof(struct elf_image, data) + 1) } },
	{ "segment 1: truncated file", { SEGMENT(1, p_filesz, 0x41) } },
	{ "segment 1: truncated file", { SEGMENT(1, p_offset, UINT64_MAX) } },
	{ "segment 1: truncated file", { SEGMENT(1, p_offset, UINT64_MAX - 0x3f) } },
	{ "segment 0: truncated file",
	  { SEGMENT(0, p_filesz, UINT64_MAX), SEGMENT(0, p_memsz, UINT64_MAX) } },
	{ "segment 2: address 0x300000 + 0xffffffffffffffff overflows",
	  { SEGMENT(2, p_memsz, UINT64_MAX) } },
	{ "segment 2: address 0xfffffffffffff001 + 0x1000 overflows",
	  { SEGMENT(2, p_vaddr, UINT64_MAX - 0xffe) } },
	{ "segment 2: 0xffffffffffffefff to 0xffffffffffffffff is not within 0x100000 to 0x400000",
	  { SEGMENT(2, p_vaddr, UINT64_MAX - 0x1000) } },
	{ "segment 0: 0xfffff to 0x10007f is not within 0x100000 to 0x400000",
	  { SEGMENT(0, p_vaddr, SD_PAYLOAD_GPA - 1) } },
	{ "segment 1: 0x0 to 0x100 is not within 0x100000 to 0x400000",
	  { SEGMENT(1, p_vaddr, 0) } },
	{ "segment 2: 0x3ff001 to 0x400001 is not within 0x100000 to 0x400000",
	  { SEGMENT(2, p_vaddr, SD_PAYLOAD_END - 0xfff) } },
	{ "segment 2: 0x300000 to 0x400001 is not within 0x100000 to 0x400000",
	  { SEGMENT(2, p_memsz, 0x100001) } },
	{ "segment 2: 0x400000 to 0x401000 is not within 0x100000 to 0x400000",
	  { SEGMENT(2, p_vaddr, SD_PAYLOAD_END) } },

	{ "segments 0 and 1 overlap", { SEGMENT(1, p_vaddr, IMAGE_TEXT + 0x7f) } },
	{ "segments 0 and 1 overlap", { SEGMENT(0, p_memsz, 0x1001) } },
	{ "segments 0 and 2 overlap", { SEGMENT(2, p_vaddr, IMAGE_TEXT) } },
	{ "segments 1 and 2 overlap", { SEGMENT(2, p_vaddr, IMAGE_DATA + 0xff) } },
	{ "segments 1 and 2 overlap", { SEGMENT(2, p_vaddr, IMAGE_DATA - 0xf00),
					SEGMENT(2, p_memsz, 0xf01) } },
	{ "segments 0 and 1 overlap", { SEGMENT(1, p_vaddr, IMAGE_TEXT + 1),
					SEGMENT(1, p_filesz, 0), SEGMENT(1, p_memsz, 1) } },

	{ "entry 0x0 is in no executable segment", { HEADER(e_entry, 0) } },
	{ "entry 0xfffff is in no executable segment", { HEADER(e_entry, IMAGE_TEXT - 1) } },
	{ "entry 0x100080 is in no executable segment", { HEADER(e_entry, IMAGE_TEXT + 0x80) } },
	{ "entry 0x101000 is in no executable segment", { HEADER(e_entry, IMAGE_DATA) } },
	{ "entry 0xffffffffffffffff is in no executable segment",
	  { HEADER(e_entry, UINT64_MAX) } },
	{ "entry 0x100010 is in no executable segment",
	  { SEGMENT(0, p_flags, PF_R | PF_W) } },
};

static void memory_is_untouched(const uint8_t *memory)
{
	assert_int_equal(memory[0], MEMORY_FILL);
	assert_int_equal(memcmp(memory, memory + 1, SD_PAYLOAD_END - 1), 0);
}

static void refused_with(const void *image, size_t bytes, uint8_t *memory, const char *says)
{
	char text[256] = "p.elf: ";
	uint64_t entry;
	struct why why;

	strcat(text, says);
	assert_int_equal(elf_image_load(image, bytes, memory, &entry, &why), -ENOEXEC);
	assert_string_equal(why.text, text);
	assert_int_equal(why.status, EXIT_USAGE);
	assert_true(entry == ENTRY_FILL);
}

static void each_fault_has_its_message(void **state)
{
	uint8_t *memory = elf_memory_create();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++) {
		struct elf_image image = elf_image_right();

		for (size_t j = 0; j < 3; j++) {
			const struct patch *patch = &g_cases[i].patches[j];

			memcpy((uint8_t *)&image + patch->offset, &patch->value, patch->bytes);
		}
		print_message("%s\n", g_cases[i].says);
		refused_with(&image, sizeof(image), memory, g_cases[i].says);
		memory_is_untouched(memory);
	}
	free(memory);
}

static void every_shorter_file_is_refused(void **state)
{
	const struct elf_image image = elf_image_right();
	uint8_t *memory = elf_memory_create();

	(void)state;
	for (size_t bytes = 0; bytes < sizeof(image); bytes++) {
		const char *says = bytes < SELFMAG ? "not an ELF file"
			: bytes < sizeof(Elf64_Ehdr) ? "truncated ELF header"
			: bytes < offsetof(struct elf_image, text) ? "truncated program headers"
			: bytes < offsetof(struct elf_image, data) ? "segment 0: truncated file"
			: "segment 1: truncated file";

		refused_with(&image, bytes, memory, says);
	}
	memory_is_untouched(memory);
	free(memory);
}

static void a_32_bit_header_is_called_32_bit(void **state)
{
	const Elf32_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
			     ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
	};
	uint8_t *memory = elf_memory_create();

	(void)state;
	refused_with(&header, sizeof(header), memory, "a 32-bit ELF file; payloads are 64-bit");
	free(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_has_its_message),
		cmocka_unit_test(every_shorter_file_is_refused),
		cmocka_unit_test(a_32_bit_header_is_called_32_bit),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
