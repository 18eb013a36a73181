// SPDX-License-Identifier: MIT
/*
 * page_tables_map_what_layout_says_test.c - a walker in software finds at every
 * address what include/layout.h promises, and nothing else.
 *
 * Follows: Intel SDM volume 3, 4.5 (4-level paging), 3.4.5 (descriptors), 8.7
 *          (64-bit TSS), 19.5.2 of volume 1 (I/O permission bit map).
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "page_tables.h"
#include "pte.h"
#include "unit_test.h"

#define GIB UINT64_C(0x40000000)
#define LARGE_BYTES UINT64_C(0x200000)
#define ADDRESS_MASK UINT64_C(0x000ffffffffff000)

/* Where a virtual address leads. */
struct walk {
	bool present;
	bool large;
	uint64_t gpa;
	uint64_t flags;         /* that hold on all levels: present, write, user */
	uint64_t leaf;          /* the last entry */
};

static struct guest_memory g_memory;
static const uint32_t g_vcpus[] = { 0, 1, SD_MAX_VCPUS - 1 };

static void build(uint32_t vcpus, uint32_t initiators, uint32_t pages)
{
	struct why why = { 0 };

	if (guest_memory_create(&g_memory, vcpus, initiators, pages, &why) != 0)
		fail_msg("%s", why.text);
	page_tables_build(&g_memory);
}

static uint64_t entry_at(uint64_t gpa)
{
	const void *at = guest_memory_at(&g_memory, gpa, sizeof(uint64_t));
	uint64_t entry;

	assert_non_null(at);
	memcpy(&entry, at, sizeof(entry));
	return entry;
}

static struct walk walk(uint32_t vcpu, uint64_t va)
{
	struct walk walk = { .flags = SD_PTE_FLAGS };
	uint64_t table = sd_table_gpa(vcpu, SD_TABLE_PML4);

	for (int shift = 39; shift >= 12; shift -= 9) {
		uint64_t entry = entry_at(table + (va >> shift & 511) * sizeof(uint64_t));

		walk.flags &= entry;
		walk.leaf = entry;
		if (!(entry & SD_PTE_PRESENT))
			return walk;
		walk.large = shift == 21 && entry & SD_PTE_LARGE;
		table = entry & ADDRESS_MASK;
		if (walk.large || shift == 12) {
			uint64_t inside = (UINT64_C(1) << shift) - 1;

			walk.present = true;
			walk.gpa = (table & ~inside) | (va & inside);
			return walk;
		}
	}
	fail();
	return walk;
}

static void maps(uint32_t vcpu, uint64_t va, uint64_t gpa)
{
	struct walk found = walk(vcpu, va);

	if (!found.present || found.gpa != gpa || found.flags != SD_PTE_FLAGS)
		fail_msg("vCPU %u, 0x%llx: %s0x%llx, flags 0x%llx; not 0x%llx", vcpu,
			 (unsigned long long)va, found.present ? "" : "not present, ",
			 (unsigned long long)found.gpa, (unsigned long long)found.flags,
			 (unsigned long long)gpa);
}

static void maps_nothing(uint32_t vcpu, uint64_t va)
{
	if (walk(vcpu, va).present)
		fail_msg("vCPU %u: something at 0x%llx", vcpu, (unsigned long long)va);
}

static void all_memory_is_mapped_one_to_one(void **state)
{
	(void)state;
	build(SD_MAX_VCPUS, 1, 1);
	for (size_t i = 0; i < COUNT_OF(g_vcpus); i++) {
		uint64_t gpa = 0;

		for (; gpa < g_memory.bytes; gpa += SD_PAGE_BYTES)
			maps(g_vcpus[i], gpa, gpa);
		maps(g_vcpus[i], g_memory.bytes - 1, g_memory.bytes - 1);
		assert_true(walk(g_vcpus[i], 0).large);
		gpa = (gpa + LARGE_BYTES - 1) & ~(LARGE_BYTES - 1);
		for (; gpa < GIB; gpa += LARGE_BYTES)
			maps_nothing(g_vcpus[i], gpa);
	}
	guest_memory_destroy(&g_memory);
}

static void own_pages_are_this_vcpus(void **state)
{
	(void)state;
	build(SD_MAX_VCPUS, 1, 1);
	for (uint32_t vcpu = 0; vcpu < SD_MAX_VCPUS; vcpu++) {
		maps(vcpu, SD_OWN_REGION_VA, SD_REGION_GPA + (uint64_t)vcpu * SD_REGION_STRIDE);
		maps(vcpu, SD_APIC_VA + SD_APIC_EOI, SD_APIC_GPA + SD_APIC_EOI);
		maps(vcpu, SD_PROBE_VA, SD_PROBE_FRAMES_GPA);
		assert_true(walk(vcpu, SD_APIC_VA).leaf & SD_PTE_UNCACHED);
		assert_false(walk(vcpu, SD_OWN_REGION_VA).leaf & SD_PTE_UNCACHED);
		maps_nothing(vcpu, SD_PROBE_VA + SD_PAGE_BYTES);
		maps_nothing(vcpu, SD_WINDOW_VA - SD_PAGE_BYTES);
	}
	guest_memory_destroy(&g_memory);
}

/* The rest of the 48 bits is empty, so that a wild pointer faults. */
static void nothing_else_is_mapped(void **state)
{
	const uint64_t elsewhere[] = {
		2 * GIB - SD_PAGE_BYTES, 2 * GIB, 3 * GIB, SD_APIC_GPA, 4 * GIB, UINT64_C(1) << 38,
		UINT64_C(1) << 39, UINT64_C(0x7ffffffff000), UINT64_C(0xffff800000000000),
		UINT64_C(0xfffffffffffff000),
	};

	(void)state;
	build(SD_MAX_VCPUS, SD_MAX_INITIATORS, 1);
	for (size_t i = 0; i < COUNT_OF(g_vcpus); i++)
		for (size_t j = 0; j < COUNT_OF(elsewhere); j++)
			maps_nothing(g_vcpus[i], elsewhere[j]);
	guest_memory_destroy(&g_memory);
}

static void windows_rest(uint32_t initiators, uint32_t pages)
{
	print_message("%u initiators, %u pages\n", initiators, pages);
	build(SD_MAX_VCPUS, initiators, pages);
	for (size_t i = 0; i < COUNT_OF(g_vcpus); i++) {
		for (uint32_t n = 0; n < SD_MAX_INITIATORS * SD_MAX_PAGES; n++) {
			uint32_t window = n / SD_MAX_PAGES, page = n % SD_MAX_PAGES;
			uint64_t va = sd_window_va(window, page);

			if (window >= initiators || page >= pages) {
				maps_nothing(g_vcpus[i], va);
				continue;
			}
			maps(g_vcpus[i], va, sd_frame_gpa(window, SD_FRAME_SETS, page, pages));
			assert_true(entry_at(walk(g_vcpus[i], va).gpa) == SD_EPOCH_RESTING);
		}
	}
	/* Only resting pages rest: an epoch is never that old. */
	assert_true(entry_at(sd_frame_gpa(0, 0, 0, pages)) == 0);
	assert_true(entry_at(sd_frame_gpa(initiators - 1, SD_FRAME_SETS - 1, pages - 1, pages)) == 0);
	guest_memory_destroy(&g_memory);
}

static void every_window_page_rests(void **state)
{
	(void)state;
	windows_rest(1, 1);
	windows_rest(1, SD_MAX_PAGES);
	windows_rest(7, 3);
	windows_rest(SD_WINDOWS_A_LEAF, 2);
	windows_rest(SD_WINDOWS_A_LEAF + 1, 2);
	windows_rest(SD_MAX_INITIATORS, 1);
	windows_rest(SD_MAX_INITIATORS, 31);
}

/* The entry an initiator writes is the one the walk goes through. */
static void initiators_write_the_entry_in_use(void **state)
{
	(void)state;
	build(SD_MAX_VCPUS, SD_MAX_INITIATORS, 2);
	for (size_t i = 0; i < COUNT_OF(g_vcpus); i++)
		for (uint32_t window = 0; window < SD_MAX_INITIATORS; window += 9) {
			uint64_t gpa = sd_window_pte_gpa(g_vcpus[i], window, 1);
			uint64_t frame = sd_frame_gpa(window, 5, 1, 2), entry = sd_pte(frame);

			memcpy(guest_memory_at(&g_memory, gpa, sizeof(entry)), &entry, sizeof(entry));
			maps(g_vcpus[i], sd_window_va(window, 1), frame);
			for (size_t other = 0; other < i; other++)
				maps(g_vcpus[other], sd_window_va(window, 1), frame);
			for (size_t other = i + 1; other < COUNT_OF(g_vcpus); other++)
				maps(g_vcpus[other], sd_window_va(window, 1),
				     sd_frame_gpa(window, SD_FRAME_SETS, 1, 2));
		}
	guest_memory_destroy(&g_memory);
}

/* With one leaf for all, a broken protocol would go unnoticed. */
static void private_tables_have_one_owner(void **state)
{
	const size_t first = SD_TABLES_GPA / SD_PAGE_BYTES;
	const size_t pages = (size_t)SD_MAX_VCPUS * SD_TABLES_STRIDE / SD_PAGE_BYTES;
	uint16_t *owner = calloc(pages, sizeof(*owner));

	(void)state;
	assert_non_null(owner);
	build(SD_MAX_VCPUS, SD_MAX_INITIATORS, 1);
	for (uint32_t vcpu = 0; vcpu < SD_MAX_VCPUS; vcpu++) {
		uint64_t root = sd_table_gpa(vcpu, SD_TABLE_PML4);
		uint64_t pdpt = entry_at(root) & ADDRESS_MASK;
		uint64_t pd = entry_at(pdpt + sizeof(uint64_t)) & ADDRESS_MASK;
		uint64_t used[3 + 1 + SD_WINDOW_LEAVES] = { root, pdpt, pd };

		for (uint32_t leaf = 0; leaf < 1 + SD_WINDOW_LEAVES; leaf++)
			used[3 + leaf] = entry_at(pd + leaf * sizeof(uint64_t)) & ADDRESS_MASK;
		for (size_t i = 0; i < COUNT_OF(used); i++) {
			size_t page = used[i] / SD_PAGE_BYTES - first;

			assert_true(page < pages);
			assert_int_equal(owner[page], 0);
			owner[page] = (uint16_t)(vcpu + 1);
		}
		assert_int_equal(entry_at(pdpt) & ADDRESS_MASK, SD_IDENTITY_PD_GPA);
	}
	guest_memory_destroy(&g_memory);
	free(owner);
}

/* What a CPU in ring 3 does with IOPL 0: two bytes of the map at a time. */
static bool port_is_open(const uint8_t *tss, uint32_t port)
{
	uint16_t map;
	uint32_t byte;

	memcpy(&map, tss + 102, sizeof(map));
	byte = map + port / 8;
	if (byte + 1 > SD_TSS_BYTES - 1)
		return false;
	return !((tss[byte] | tss[byte + 1] << 8) >> port % 8 & 1);
}

static void the_tss_opens_one_doorbell(void **state)
{
	(void)state;
	build(SD_MAX_VCPUS, 1, 1);
	for (uint32_t vcpu = 0; vcpu < SD_MAX_VCPUS; vcpu++) {
		const uint8_t *tss = guest_memory_at(&g_memory, SD_TSS_GPA + (uint64_t)vcpu * SD_TSS_STRIDE,
						     SD_TSS_BYTES);
		uint64_t rsp0;

		assert_non_null(tss);
		memcpy(&rsp0, tss + 4, sizeof(rsp0));
		assert_int_equal(rsp0, SD_STACK_GPA + (uint64_t)(vcpu + 1) * SD_STACK_STRIDE);
		assert_int_equal(rsp0 % 16, 0);
		maps(vcpu, rsp0 - 8, rsp0 - 8);
		for (uint32_t port = 0; port < 0x10000; port++)
			if (port_is_open(tss, port) !=
			    (port >= SD_PORT_REQUEST && port < SD_PORT_REQUEST + 4))
				fail_msg("vCPU %u: port 0x%x", vcpu, port);
	}
	guest_memory_destroy(&g_memory);
}

/* A code or data descriptor, decoded. */
static void descriptor_is(uint16_t selector, unsigned type, bool is_code)
{
	uint64_t descriptor = entry_at(SD_GDT_GPA + (selector & ~7u));

	assert_int_equal(descriptor >> 40 & 15, type);
	assert_int_equal(descriptor >> 44 & 1, 1);               /* code or data */
	assert_int_equal(descriptor >> 45 & 3, selector & 3);    /* DPL */
	assert_int_equal(descriptor >> 47 & 1, 1);               /* present */
	assert_int_equal(descriptor >> 53 & 1, is_code);         /* L: 64-bit */
	assert_int_equal(descriptor >> 54 & 1, !is_code);        /* D/B: never with L */
	assert_int_equal(descriptor & 0xffff, 0xffff);
	assert_int_equal(descriptor >> 48 & 15, 15);
	assert_int_equal(descriptor >> 55 & 1, 1);               /* in pages */
	assert_int_equal((descriptor >> 16 & 0xffffff) | descriptor >> 56 << 24, 0);
}

static void the_gdt_holds_four_flat_segments(void **state)
{
	(void)state;
	build(1, 1, 1);
	assert_int_equal(entry_at(SD_GDT_GPA), 0);
	descriptor_is(SD_KERNEL_CS, 11, true);
	descriptor_is(SD_KERNEL_DS, 3, false);
	descriptor_is(SD_USER_CS, 11, true);
	descriptor_is(SD_USER_DS, 3, false);
	guest_memory_destroy(&g_memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_memory_is_mapped_one_to_one),
		cmocka_unit_test(own_pages_are_this_vcpus),
		cmocka_unit_test(nothing_else_is_mapped),
		cmocka_unit_test(every_window_page_rests),
		cmocka_unit_test(initiators_write_the_entry_in_use),
		cmocka_unit_test(private_tables_have_one_owner),
		cmocka_unit_test(the_tss_opens_one_doorbell),
		cmocka_unit_test(the_gdt_holds_four_flat_segments),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
