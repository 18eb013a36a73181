/* SPDX-License-Identifier: MIT */
/*
 * shadow_fixture.h - a guest's memory with its page tables, and a secondary MMU on top
 * of it; each word of the guest's frames says its own guest-physical address.
 */
#ifndef SHADOW_FIXTURE_H
#define SHADOW_FIXTURE_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "page_tables.h"
#include "pte.h"
#include "shadow.h"
#include "unit_test.h"

#ifndef FIXTURE_VCPUS
#define FIXTURE_VCPUS  3
#endif
#define FIXTURE_PAGES  8                /* of a window, and with words in them */
#define FIXTURE_SPARES 32

struct fixture {
	struct guest_memory memory;
	struct frames frames;
	struct shadow *shadow;
	struct shadow_reader *reader;   /* of vCPU 0 */
};

static inline uint64_t fixture_root(uint32_t vcpu)
{
	return sd_table_gpa(vcpu, SD_TABLE_PML4);
}

/* Guest-physical, and the same virtual, address of one of the frames with words. */
static inline uint64_t fixture_gpa(uint32_t page)
{
	return SD_FRAMES_GPA + (uint64_t)page * SD_PAGE_BYTES;
}

static inline uint64_t *fixture_word(const struct fixture *f, uint64_t gpa)
{
	return (uint64_t *)(void *)(f->memory.hva + gpa);
}

/* vCPU 0 shows @page of its window to be @gpa. */
static inline void fixture_map(const struct fixture *f, uint32_t page, uint64_t gpa)
{
	*fixture_word(f, sd_window_pte_gpa(0, 0, page)) = sd_pte(gpa);
}

static inline void fixture_create(struct fixture *f, struct shadow_config config)
{
	struct why why = { 0 };

	if (guest_memory_create(&f->memory, FIXTURE_VCPUS, 1, FIXTURE_PAGES, &why) != 0 ||
	    frames_create(&f->frames, &f->memory, FIXTURE_SPARES, &why) != 0)
		fail_msg("%s", why.text);
	page_tables_build(&f->memory);
	for (uint64_t gpa = fixture_gpa(0); gpa < fixture_gpa(4 * FIXTURE_PAGES); gpa += 8)
		*fixture_word(f, gpa) = gpa;
	config.frames = &f->frames;
	config.readers = FIXTURE_VCPUS;
	if (config.reclaim == NULL)
		config.reclaim = &reclaim_mode;
	assert_int_equal(shadow_create(&f->shadow, &config), 0);
	shadow_thread_begin(f->shadow);
	f->reader = shadow_reader(f->shadow, 0);
}

static inline void fixture_destroy(struct fixture *f)
{
	shadow_thread_end(f->shadow);
	shadow_destroy(f->shadow);
	frames_destroy(&f->frames);
	guest_memory_destroy(&f->memory);
}

/* One word through vCPU 0's tables; a pointer that cannot be followed fails the test. */
static inline uint64_t fixture_read(const struct fixture *f, uint64_t gva)
{
	uint64_t word = 0;
	int error = shadow_copy_from_guest(f->reader, fixture_root(0), gva, &word, sizeof(word));

	if (error != 0)
		fail_msg("0x%llx %s", (unsigned long long)gva, guest_walk_text(error));
	return word;
}

#endif
