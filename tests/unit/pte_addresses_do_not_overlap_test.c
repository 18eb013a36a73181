// SPDX-License-Identifier: MIT
/*
 * pte_addresses_do_not_overlap_test.c - everything that include/layout.h and
 * include/pte.h place has its bytes to itself, up to the largest numbers, and
 * an entry's place in the tables agrees with the address it maps.
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "pte.h"
#include "region.h"
#include "sample.h"
#include "unit_test.h"

#define GIB UINT64_C(0x40000000)

struct area {
	const char *name;
	uint64_t start, end;
};

#define AREA(name, start, stride, count) \
	{ name, start, (start) + (uint64_t)(stride) * (count) }

/* In the order of their addresses. */
static const struct area g_areas[] = {
	AREA("GDT", SD_GDT_GPA, SD_PAGE_BYTES, 1),
	AREA("IDT", SD_IDT_GPA, SD_PAGE_BYTES, 1),
	AREA("identity PD", SD_IDENTITY_PD_GPA, SD_PAGE_BYTES, 1),
	AREA("control", SD_CONTROL_GPA, SD_PAGE_BYTES, 1),
	AREA("probe frames", SD_PROBE_FRAMES_GPA, SD_PAGE_BYTES, 2),
	AREA("TSS", SD_TSS_GPA, SD_TSS_STRIDE, SD_MAX_VCPUS),
	AREA("published", SD_PUBLISHED_GPA, SD_CACHE_LINE, SD_MAX_INITIATORS * SD_MAX_GROUPS),
	{ "payload", SD_PAYLOAD_GPA, SD_PAYLOAD_END },
	AREA("regions", SD_REGION_GPA, SD_REGION_STRIDE, SD_MAX_VCPUS),
	AREA("stacks", SD_STACK_GPA, SD_STACK_STRIDE, SD_MAX_VCPUS),
	AREA("tables", SD_TABLES_GPA, SD_TABLES_STRIDE, SD_MAX_VCPUS),
	AREA("rings", SD_RING_GPA, SD_RING_STRIDE, SD_MAX_INITIATORS),
	AREA("frames", SD_FRAMES_GPA, SD_PAGE_BYTES, SD_MAX_FRAMES),
};

static void areas_follow_each_other_below_a_gib(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_areas); i++) {
		const struct area *area = &g_areas[i];
		uint64_t limit = i + 1 < COUNT_OF(g_areas) ? area[1].start : GIB;

		print_message("%s\n", area->name);
		assert_true(area->start < area->end);
		assert_true(area->end <= limit);
	}
}

static void what_is_mapped_or_loaded_by_page_starts_at_one(void **state)
{
	static const uint64_t addresses[] = {
		SD_GDT_GPA, SD_IDT_GPA, SD_IDENTITY_PD_GPA, SD_CONTROL_GPA, SD_PROBE_FRAMES_GPA,
		SD_REGION_GPA, SD_REGION_STRIDE, SD_STACK_GPA, SD_STACK_STRIDE,
		SD_TABLES_GPA, SD_TABLES_STRIDE, SD_FRAMES_GPA,
		SD_OWN_REGION_VA, SD_APIC_VA, SD_PROBE_VA, SD_WINDOW_VA,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(addresses); i++)
		assert_int_equal(addresses[i] % SD_PAGE_BYTES, 0);
	assert_int_equal(SD_PUBLISHED_GPA % SD_CACHE_LINE, 0);
	assert_int_equal(SD_RING_GPA % SD_CACHE_LINE, 0);
	assert_int_equal(SD_TSS_GPA % 16, 0);
}

static void objects_fit_their_strides(void **state)
{
	(void)state;
	assert_true(sizeof(struct sd_region) <= SD_REGION_STRIDE);
	assert_true(sizeof(struct sd_control) <= SD_PAGE_BYTES);
	assert_true(sizeof(struct sd_sample) * SD_RING_SAMPLES <= SD_RING_STRIDE);
	assert_true(SD_TSS_STRIDE >= 104);      /* a 64-bit TSS */
	assert_true(SD_STACK_STRIDE >= 2 * SD_PAGE_BYTES);
	assert_int_equal(SD_MAX_GROUPS * SD_GROUP_VCPUS, SD_MAX_VCPUS);
}

static void entries_hold_address_and_flags(void **state)
{
	const uint64_t last = GIB - SD_PAGE_BYTES;

	(void)state;
	/* Present, writable, user, accessed, dirty: no walker has to write. */
	assert_int_equal(sd_pte(0), 0x67);
	assert_int_equal(sd_pte(last), last | 0x67);
	assert_int_equal(sd_pte_large(0x200000), 0x2000e7);
	assert_int_equal(SD_PTE_UNCACHED, 0x10);
	assert_int_equal(SD_PTE_FLAGS & ~(uint64_t)(SD_PAGE_BYTES - 1), 0);
}

static void tables_of_a_vcpu_do_not_reach_the_next(void **state)
{
	const uint32_t tables = SD_TABLE_WINDOW + SD_WINDOW_LEAVES;

	(void)state;
	assert_int_equal(sd_table_gpa(0, SD_TABLE_PML4), SD_TABLES_GPA);
	for (uint32_t vcpu = 0; vcpu < SD_MAX_VCPUS; vcpu++) {
		for (uint32_t table = 0; table < tables; table++) {
			uint64_t end = sd_table_gpa(vcpu, table) + SD_PAGE_BYTES;
			uint64_t next = table + 1 < tables ? sd_table_gpa(vcpu, table + 1)
				: sd_table_gpa(vcpu + 1, 0);

			assert_true(end <= next);
		}
	}
	assert_true(sd_table_gpa(SD_MAX_VCPUS - 1, tables) <= SD_RING_GPA);
}

static void the_named_tables_are_different(void **state)
{
	(void)state;
	assert_int_equal(SD_TABLE_PML4, 0);
	assert_int_equal(SD_TABLE_PDPT, 1);
	assert_int_equal(SD_TABLE_PD, 2);
	assert_int_equal(SD_TABLE_OWN, 3);
	assert_int_equal(SD_TABLE_WINDOW, 4);
}

/* The walk of SDM 4.5 for @va of the private GiB, down to the entry: the PD's
 * first entry is the table SD_TABLE_OWN, the next ones the window leaves. */
static uint64_t entry_walked_to(uint32_t vcpu, uint64_t va)
{
	uint64_t pd_index = va >> 21 & 511, leaf_index = va >> 12 & 511;

	return sd_table_gpa(vcpu, SD_TABLE_OWN) + pd_index * SD_PAGE_BYTES +
		leaf_index * sizeof(uint64_t);
}

static void each_window_page_has_an_entry_of_its_own(void **state)
{
	const uint32_t vcpus[] = { 0, 1, SD_MAX_VCPUS - 1 };
	const size_t entries = SD_WINDOW_LEAVES * 512;
	unsigned char *used = malloc(entries);

	(void)state;
	assert_non_null(used);
	for (size_t i = 0; i < COUNT_OF(vcpus); i++) {
		uint64_t first = sd_table_gpa(vcpus[i], SD_TABLE_WINDOW);

		memset(used, 0, entries);
		for (uint32_t n = 0; n < SD_MAX_INITIATORS * SD_MAX_PAGES; n++) {
			uint32_t window = n / SD_MAX_PAGES, page = n % SD_MAX_PAGES;
			uint64_t gpa = sd_window_pte_gpa(vcpus[i], window, page);
			uint64_t entry = (gpa - first) / sizeof(uint64_t);

			assert_int_equal(gpa % sizeof(uint64_t), 0);
			assert_true(gpa >= first && entry < entries);
			assert_int_equal(used[entry]++, 0);
			assert_int_equal(gpa, entry_walked_to(vcpus[i],
							      sd_window_va(window, page)));
		}
	}
	free(used);
}

static void window_addresses_are_private_and_apart(void **state)
{
	const uint32_t last = SD_MAX_INITIATORS - 1;

	(void)state;
	assert_int_equal(sd_window_va(0, 0), SD_WINDOW_VA);
	for (uint32_t window = 0; window < SD_MAX_INITIATORS; window++) {
		assert_int_equal(sd_window_va(window, SD_MAX_PAGES - 1) + SD_PAGE_BYTES,
				 sd_window_va(window + 1, 0));
		assert_int_equal(sd_window_va(window, 1) - sd_window_va(window, 0),
				 SD_PAGE_BYTES);
	}
	assert_true(sd_window_va(last, SD_MAX_PAGES - 1) + SD_PAGE_BYTES <= 2 * GIB);
}

static void own_pages_are_in_the_own_leaf(void **state)
{
	static const uint64_t pages[] = { SD_OWN_REGION_VA, SD_APIC_VA, SD_PROBE_VA };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pages); i++) {
		assert_int_equal(pages[i] >> 21, GIB >> 21);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(pages[i], pages[j]);
	}
	assert_true(SD_WINDOW_VA >= GIB + 0x200000);
}

/* All frames of this many initiators and pages, the resting page included. */
static void frames_are_apart(uint32_t initiators, uint32_t pages)
{
	unsigned char *used = calloc(SD_MAX_FRAMES, 1);
	const uint32_t sets = SD_FRAME_SETS + 1;

	assert_non_null(used);
	print_message("%u initiators, %u pages\n", initiators, pages);
	for (uint32_t n = 0; n < initiators * sets * pages; n++) {
		uint64_t gpa = sd_frame_gpa(n / pages / sets, n / pages % sets, n % pages, pages);
		uint64_t frame = (gpa - SD_FRAMES_GPA) / SD_PAGE_BYTES;

		assert_int_equal(gpa % SD_PAGE_BYTES, 0);
		assert_true(gpa >= SD_FRAMES_GPA && frame < SD_MAX_FRAMES);
		assert_int_equal(used[frame]++, 0);
	}
	free(used);
}

static void frames_have_their_page_to_themselves(void **state)
{
	const uint32_t most = SD_MAX_FRAMES / (SD_FRAME_SETS + 1); /* initiators * pages */

	(void)state;
	frames_are_apart(1, 1);
	frames_are_apart(1, SD_MAX_PAGES);
	frames_are_apart(SD_MAX_INITIATORS, 1);
	frames_are_apart(SD_MAX_INITIATORS, most / SD_MAX_INITIATORS);
	frames_are_apart(most / SD_MAX_PAGES, SD_MAX_PAGES);
}

static void vectors_and_selectors_do_not_collide(void **state)
{
	(void)state;
	assert_true(SD_VECTOR_FLUSH >= 32 && SD_VECTOR_FLUSH < 256);
	assert_true(SD_VECTOR_PING >= 32 && SD_VECTOR_PING < 256);
	assert_int_not_equal(SD_VECTOR_FLUSH, SD_VECTOR_PING);
	assert_int_equal(SD_USER_CS & 3, 3);
	assert_int_equal(SD_USER_DS & 3, 3);
	assert_int_equal(SD_TSS_SELECTOR % 8, 0);
	assert_true(SD_TSS_SELECTOR > SD_USER_DS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_follow_each_other_below_a_gib),
		cmocka_unit_test(what_is_mapped_or_loaded_by_page_starts_at_one),
		cmocka_unit_test(objects_fit_their_strides),
		cmocka_unit_test(entries_hold_address_and_flags),
		cmocka_unit_test(tables_of_a_vcpu_do_not_reach_the_next),
		cmocka_unit_test(the_named_tables_are_different),
		cmocka_unit_test(each_window_page_has_an_entry_of_its_own),
		cmocka_unit_test(window_addresses_are_private_and_apart),
		cmocka_unit_test(own_pages_are_in_the_own_leaf),
		cmocka_unit_test(frames_have_their_page_to_themselves),
		cmocka_unit_test(vectors_and_selectors_do_not_collide),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
