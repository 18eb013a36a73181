// SPDX-License-Identifier: MIT
/*
 * elf_loader_places_segments_test.c - a right file's bytes go to their
 * addresses, BSS is zeroed, and every other byte of memory stays.
 */
#include "elf_image.h"

static struct elf_image g_image;        /* to load */
static uint8_t *g_memory;               /* loaded into */
static uint8_t *g_expected;

static int blocks_create(void **state)
{
	(void)state;
	g_image = elf_image_right();
	g_memory = elf_memory_create();
	g_expected = elf_memory_create();
	return 0;
}

static int blocks_destroy(void **state)
{
	(void)state;
	free(g_memory);
	free(g_expected);
	return 0;
}

static void expect_bytes(uint64_t address, const uint8_t *bytes, size_t file_bytes,
			 size_t memory_bytes)
{
	memcpy(g_expected + address, bytes, file_bytes);
	memset(g_expected + address + file_bytes, 0, memory_bytes - file_bytes);
}

/* What elf_image_right() puts into memory. */
static void expect_right_image(void)
{
	expect_bytes(IMAGE_TEXT, g_image.text, 0x80, 0x80);
	expect_bytes(IMAGE_DATA, g_image.data, 0x40, 0x100);
	expect_bytes(IMAGE_BSS, g_image.data, 0, 0x1000);
}

static void loads_as_expected(const void *image, size_t bytes)
{
	uint64_t entry;
	struct why why;

	if (elf_image_load(image, bytes, g_memory, &entry, &why))
		fail_msg("%s", why.text);
	assert_true(entry == g_image.header.e_entry);
	assert_string_equal(why.text, "");
	for (size_t i = 0; i < SD_PAYLOAD_END; i += SD_PAGE_BYTES)
		assert_memory_equal(g_memory + i, g_expected + i, SD_PAGE_BYTES);
}

static void bytes_are_placed_and_bss_zeroed(void **state)
{
	(void)state;
	expect_right_image();
	loads_as_expected(&g_image, sizeof(g_image));
}

static void segments_may_come_in_any_order(void **state)
{
	const Elf64_Phdr first = g_image.segments[0];

	(void)state;
	expect_right_image();
	g_image.segments[0] = g_image.segments[2];
	g_image.segments[2] = first;
	loads_as_expected(&g_image, sizeof(g_image));
}

static void segments_may_fill_the_range_without_gaps(void **state)
{
	const size_t rest = SD_PAYLOAD_END - IMAGE_DATA - 0x100;
	const Elf64_Phdr data = g_image.segments[1];

	(void)state;
	g_image.segments[0].p_memsz = 0x1000;
	g_image.segments[2].p_vaddr = IMAGE_DATA + 0x100;
	g_image.segments[2].p_memsz = rest;
	expect_bytes(IMAGE_TEXT, g_image.text, 0x80, 0x1000);
	expect_bytes(IMAGE_DATA, g_image.data, 0x40, 0x100);
	expect_bytes(IMAGE_DATA + 0x100, g_image.data, 0, rest);
	loads_as_expected(&g_image, sizeof(g_image));
	g_image.segments[1] = g_image.segments[2];
	g_image.segments[2] = data;
	loads_as_expected(&g_image, sizeof(g_image));
}

static void a_segment_may_end_the_range(void **state)
{
	(void)state;
	g_image.segments[1].p_vaddr = SD_PAYLOAD_END - 0x40;
	g_image.segments[1].p_memsz = 0x40;
	g_image.segments[2].p_type = PT_NULL;
	expect_bytes(IMAGE_TEXT, g_image.text, 0x80, 0x80);
	expect_bytes(SD_PAYLOAD_END - 0x40, g_image.data, 0x40, 0x40);
	loads_as_expected(&g_image, sizeof(g_image));
}

static void empty_segments_are_skipped(void **state)
{
	(void)state;
	expect_bytes(IMAGE_TEXT, g_image.text, 0x80, 0x80);
	g_image.segments[1] = elf_image_segment(PF_R, UINT64_MAX, SIZE_MAX, 0, 0);
	g_image.segments[2] = elf_image_segment(PF_R, IMAGE_TEXT + 8, 0, 0, 0);
	loads_as_expected(&g_image, sizeof(g_image));
}

static void other_headers_are_not_loaded(void **state)
{
	(void)state;
	expect_bytes(IMAGE_TEXT, g_image.text, 0x80, 0x80);
	memset(&g_image.segments[1], 0xff, sizeof(Elf64_Phdr));
	g_image.segments[1].p_type = PT_GNU_STACK;
	g_image.segments[2].p_type = PT_NOTE;
	loads_as_expected(&g_image, sizeof(g_image));
}

static void the_entry_may_be_the_first_or_last_byte(void **state)
{
	(void)state;
	expect_right_image();
	g_image.header.e_entry = IMAGE_TEXT;
	loads_as_expected(&g_image, sizeof(g_image));
	g_image.header.e_entry = IMAGE_TEXT + 0x7f;
	loads_as_expected(&g_image, sizeof(g_image));
}

static void the_entry_may_be_in_any_executable_segment(void **state)
{
	(void)state;
	expect_right_image();
	g_image.segments[0].p_flags = PF_R;
	g_image.segments[1].p_flags = PF_R | PF_X;
	g_image.header.e_entry = IMAGE_DATA + 0x20;
	loads_as_expected(&g_image, sizeof(g_image));
}

static void sixty_four_headers_are_read(void **state)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[64];
		uint8_t bytes[64];
	} image = { .header = g_image.header };

	(void)state;
	image.header.e_phnum = 64;
	for (size_t i = 0; i < 64; i++) {
		size_t offset = (size_t)(&image.bytes[i] - (uint8_t *)&image);

		image.bytes[i] = (uint8_t)(i + 1);
		image.segments[i] = elf_image_segment(PF_X, IMAGE_TEXT + i, offset, 1, 1);
	}
	expect_bytes(IMAGE_TEXT, image.bytes, 64, 64);
	loads_as_expected(&image, sizeof(image));
}

int main(void)
{
#define LOAD_TEST(name) cmocka_unit_test_setup_teardown(name, blocks_create, blocks_destroy)
	const struct CMUnitTest tests[] = {
		LOAD_TEST(bytes_are_placed_and_bss_zeroed),
		LOAD_TEST(segments_may_come_in_any_order),
		LOAD_TEST(segments_may_fill_the_range_without_gaps),
		LOAD_TEST(a_segment_may_end_the_range),
		LOAD_TEST(empty_segments_are_skipped),
		LOAD_TEST(other_headers_are_not_loaded),
		LOAD_TEST(the_entry_may_be_the_first_or_last_byte),
		LOAD_TEST(the_entry_may_be_in_any_executable_segment),
		LOAD_TEST(sixty_four_headers_are_read),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
