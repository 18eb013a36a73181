// SPDX-License-Identifier: MIT
/*
 * guest_pointers_are_followed_test.c - what a vCPU's thread makes of a pointer: bytes,
 * text and stamps by the vCPU's own tables, and one line where they lead nowhere.
 */
#include <string.h>

#include "guest_pointer.h"
#include "mover.h"
#include "pte.h"
#include "session_fixture.h"
#include "stamp.h"
#include "stamps.h"

#define VCPUS 2
#define PAGES 3                         /* of the window */
#define UNMAPPED (SD_PROBE_VA + SD_PAGE_BYTES)

static struct session g_session;
static struct vcpu_thread g_threads[VCPUS];

static struct guest_memory *memory(void)
{
	return &g_session.machine.memory;
}

static int set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(g_threads, 0, sizeof(g_threads));
	g_session.shape.vcpus = VCPUS;
	if (guest_memory_create(memory(), VCPUS, 1, PAGES, &why) != 0)
		return -1;
	session_fixture_create(&g_session, MOVER_MAX_RUN);
	stamps_write(memory());
	for (uint32_t i = 0; i < VCPUS; i++) {
		g_threads[i].vcpu.id = i;
		g_threads[i].vcpu.region = guest_region(memory(), i);
		g_threads[i].session = &g_session;
		g_threads[i].reader = shadow_reader(g_session.shadow, i);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	session_fixture_destroy(&g_session);
	guest_memory_destroy(memory());
	return 0;
}

/* Where @page of vCPU 1's window leads; its own address holds what it maps. */
static void map(uint32_t page, uint64_t gpa)
{
	uint64_t *pte = guest_memory_at(memory(), sd_window_pte_gpa(1, 0, page), 8);

	*pte = sd_pte(gpa);
}

static void unmap(uint32_t page)
{
	*(uint64_t *)guest_memory_at(memory(), sd_window_pte_gpa(1, 0, page), 8) = 0;
}

static char *bytes_at(uint64_t gpa)
{
	return guest_memory_at(memory(), gpa, 1);
}

static void by_the_tables_of_the_vcpu(void **state)
{
	uint64_t frame = SD_FRAMES_GPA + 5 * SD_PAGE_BYTES;
	char saw[4];

	(void)state;
	memcpy(bytes_at(frame), "one", 4);
	memcpy(bytes_at(frame + SD_PAGE_BYTES), "two", 4);
	map(0, frame);
	*(uint64_t *)guest_memory_at(memory(), sd_window_pte_gpa(0, 0, 0), 8) =
		sd_pte(frame + SD_PAGE_BYTES);
	assert_int_equal(guest_pointer_copy(&g_threads[1], sd_window_va(0, 0), saw, 4, "x"), 0);
	assert_string_equal(saw, "one");
	assert_int_equal(guest_pointer_copy(&g_threads[0], sd_window_va(0, 0), saw, 4, "x"), 0);
	assert_string_equal(saw, "two");
}

static void one_line_where_they_lead_nowhere(void **state)
{
	static const struct { uint64_t gva; const char *text; } cases[] = {
		{ UNMAPPED, "vCPU 1: request at 0x40003000 is not mapped" },
		{ UINT64_C(1) << 47, "vCPU 1: request at 0x800000000000 is not canonical" },
		{ UINT64_MAX - 3, "vCPU 1: request at 0xfffffffffffffffc runs round the end of "
				  "the address space" },
		{ SD_APIC_VA, "vCPU 1: request at 0x40001000 leads outside memory" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char saw[8];

		g_threads[1].why = (struct why){ 0 };
		assert_true(guest_pointer_copy(&g_threads[1], cases[i].gva, saw, 8, "request") < 0);
		assert_string_equal(g_threads[1].why.text, cases[i].text);
		assert_int_equal(g_threads[1].why.status, EXIT_GUEST);
	}
}

static void text_is(uint64_t gva, const char *expected)
{
	char text[16];

	memset(text, 'z', sizeof(text));
	guest_pointer_text(&g_threads[1], gva, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void text_ends_where_it_can_no_longer_be_read(void **state)
{
	uint64_t frame = SD_FRAMES_GPA + 5 * SD_PAGE_BYTES, end = sd_window_va(0, 1);

	(void)state;
	map(0, frame);
	unmap(1);
	memcpy(bytes_at(frame + SD_PAGE_BYTES - 4), "page", 4);
	memcpy(bytes_at(frame + SD_PAGE_BYTES), " by page!\n", 11);
	text_is(end - 4, "page");
	text_is(end - 1, "e");
	text_is(end, "?");
	map(1, frame + SD_PAGE_BYTES);
	shadow_exit_begin(g_threads[1].reader);
	text_is(end - 4, "page by page!");
	text_is(end, " by page!");
	text_is(end + 9, "?");          /* begins with a newline */
	memcpy(bytes_at(frame), "0123456789abcdefgh", 19);
	text_is(sd_window_va(0, 0), "0123456789abcde");
	text_is(UINT64_MAX, "?");
	text_is(UINT64_C(1) << 63, "?");
}

static void map_last_page(uint64_t gpa)
{
	uint64_t table = sd_table_gpa(1, SD_TABLE_PML4);

	for (uint64_t next = SD_POOL_GPA; next < SD_POOL_GPA + 3 * SD_PAGE_BYTES;
	     next += SD_PAGE_BYTES) {
		*(uint64_t *)guest_memory_at(memory(), table + 511 * 8, 8) = sd_pte(next);
		table = next;
	}
	*(uint64_t *)guest_memory_at(memory(), table + 511 * 8, 8) = sd_pte(gpa);
}

/* Address 0 is mapped, and does not come after the last one. */
static void text_ends_with_the_address_space(void **state)
{
	uint64_t frame = SD_FRAMES_GPA + 5 * SD_PAGE_BYTES;

	(void)state;
	map_last_page(frame);
	memcpy(bytes_at(frame + SD_PAGE_BYTES - 3), "end", 3);
	memcpy(bytes_at(0), "start", 6);
	text_is(0, "start");
	text_is(UINT64_MAX - 2, "end");
}

static struct sd_stamp_batch *batch_of(uint64_t count, uint64_t first)
{
	struct sd_stamp_batch *batch = guest_memory_at(memory(), SD_PAYLOAD_GPA, sizeof(*batch));

	batch->count = count;
	for (uint32_t i = 0; i < SD_STAMP_BATCH; i++)
		batch->address[i] = first + i * (SD_PAGE_BYTES + 8);
	sd_u64_store(&g_threads[0].vcpu.region->argument, SD_PAYLOAD_GPA);
	return batch;
}

static uint64_t counted(uint64_t *wrong)
{
	*wrong = g_threads[0].counts.stamps_wrong;
	return g_threads[0].counts.stamp_checks;
}

static void stamps_are_compared(void **state)
{
	uint64_t wrong, at = SD_STAMPS_GPA + 3 * (SD_PAGE_BYTES + 8);

	(void)state;
	batch_of(SD_STAMP_BATCH, SD_STAMPS_GPA);
	assert_int_equal(stamps_check(&g_threads[0]), 0);
	assert_int_equal(counted(&wrong), SD_STAMP_BATCH);
	assert_int_equal(wrong, 0);
	*(uint64_t *)(void *)bytes_at(at) ^= 1;
	assert_int_equal(stamps_check(&g_threads[0]), 0);
	assert_int_equal(counted(&wrong), 2 * SD_STAMP_BATCH);
	assert_int_equal(wrong, 1);
}

/* Moved behind the VMM's back, the frame of before holds poison: that is what the
 * count is for. */
static void a_page_that_moves_unseen_is_wrong(void **state)
{
	uint64_t wrong;
	uint32_t old;

	(void)state;
	batch_of(1, SD_STAMPS_GPA);
	assert_int_equal(stamps_check(&g_threads[0]), 0);
	assert_int_equal(mover_move(g_session.shadow, &g_session.frames, SD_STAMPS_GPA, 1), 0);
	assert_int_equal(stamps_check(&g_threads[0]), 0);
	counted(&wrong);
	assert_int_equal(wrong, 0);
	assert_int_equal(frames_move(&g_session.frames, SD_STAMPS_GPA / SD_PAGE_BYTES, 1, &old), 1);
	frames_release(&g_session.frames, old);
	assert_int_equal(stamps_check(&g_threads[0]), 0);
	assert_int_equal(counted(&wrong), 3);
	assert_int_equal(wrong, 1);
}

static void refused(const char *text)
{
	g_threads[0].why = (struct why){ 0 };
	assert_true(stamps_check(&g_threads[0]) < 0);
	assert_string_equal(g_threads[0].why.text, text);
	assert_int_equal(g_threads[0].why.status, EXIT_GUEST);
}

static void batches_of_nonsense_are_refused(void **state)
{
	(void)state;
	batch_of(0, SD_STAMPS_GPA);
	refused("vCPU 0: batch of stamps: count 0x0");
	batch_of(SD_STAMP_BATCH + 1, SD_STAMPS_GPA);
	refused("vCPU 0: batch of stamps: count 0x40");
	batch_of(1, SD_STAMPS_GPA + 4);
	refused("vCPU 0: batch of stamps: there is none at 0x7000004");
	batch_of(1, SD_STAMPS_GPA - 8);
	refused("vCPU 0: batch of stamps: there is none at 0x6fffff8");
	batch_of(1, SD_STAMPS_GPA + SD_STAMP_PAGES * SD_PAGE_BYTES);
	refused("vCPU 0: batch of stamps: there is none at 0x7100000");
	sd_u64_store(&g_threads[0].vcpu.region->argument, UNMAPPED);
	refused("vCPU 0: batch of stamps at 0x40003000 is not mapped");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_the_tables_of_the_vcpu, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_line_where_they_lead_nowhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_ends_where_it_can_no_longer_be_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(text_ends_with_the_address_space, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(stamps_are_compared, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_page_that_moves_unseen_is_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(batches_of_nonsense_are_refused, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
