// SPDX-License-Identifier: MIT
/*
 * guest_oracle_sees_every_page_test.c - a move of a window writes every page's entry of every
 * vCPU, and a load through any page that finds less than what was published is stale.
 *
 * What a vCPU's TLB shows is what the test puts into its window: entries are looked at, and
 * not followed.
 */
#include "guest_on_host.h"

#include "../../guest-payload/window.c"

#define VCPUS 3
#define PAGES 5
#define ROUNDS 7

static void begin(void)
{
	guest_begin(VCPUS);
	g_control()->pages = PAGES;
	g_control()->initiators = GUEST_INITIATORS;
	memset(windows, 0, sizeof(windows));
	memset(g_guest_windows, 0, sizeof(g_guest_windows));
	memset(g_guest_frames, 0xff, 2 * (SD_FRAME_SETS + 1) * PAGES * SD_PAGE_BYTES);
}

static uint64_t entry(uint32_t initiator, uint32_t vcpu, uint32_t page)
{
	return *(const uint64_t *)(uintptr_t)sd_window_pte_gpa(vcpu, initiator, page);
}

static uint64_t frame_word(uint32_t initiator, uint32_t set, uint32_t page)
{
	return sd_u64_load((const struct sd_u64 *)(uintptr_t)
			   sd_frame_gpa(initiator, set, page, PAGES));
}

/* What loads through @page of the window find. */
static void show(uint32_t initiator, uint32_t page, uint64_t epoch)
{
	sd_u64_store((struct sd_u64 *)(uintptr_t)sd_window_va(initiator, page), epoch);
}

static void show_all(uint32_t initiator, uint64_t epoch)
{
	for (uint32_t page = 0; page < PAGES; page++)
		show(initiator, page, epoch);
}

static void publish(uint32_t initiator, uint64_t epoch)
{
	sd_u64_store_release(&g_published(initiator, 0)->epoch, epoch);
}

static void counts_are(uint32_t vcpu, uint64_t checks, uint64_t stale)
{
	assert_int_equal(sd_u64_load(&g_region(vcpu)->checks), checks);
	assert_int_equal(sd_u64_load(&g_region(vcpu)->stale), stale);
}

static void fresh_loads_are_counted(void **state)
{
	(void)state;
	begin();
	publish(0, 9);
	show_all(0, 9);
	g_window_watch(2, 0, ROUNDS);
	counts_are(2, ROUNDS * PAGES, 0);
	show_all(0, 10);                /* not published yet, but seen: no harm */
	g_window_watch(2, 0, 1);
	counts_are(2, (ROUNDS + 1) * PAGES, 0);
	counts_are(0, 0, 0);
	counts_are(1, 0, 0);
}

/* One page at a time is too old: whichever it is, each load of it is stale. */
static void a_stale_page_is_seen_whichever_it_is(void **state)
{
	(void)state;
	for (uint32_t page = 0; page < PAGES; page++) {
		begin();
		publish(0, 9);
		show_all(0, 9);
		show(0, page, 8);
		g_window_watch(1, 0, ROUNDS);
		counts_are(1, ROUNDS * PAGES, ROUNDS);
		assert_int_equal(sd_u64_load(&g_region(1)->stale_saw), 8);
		assert_int_equal(sd_u64_load(&g_region(1)->stale_expected), 9);
	}
}

static void a_poisoned_page_is_stale(void **state)
{
	(void)state;
	begin();
	publish(0, 1);
	show_all(0, SD_EPOCH_RETIRED);
	g_window_watch(1, 0, 1);
	counts_are(1, PAGES, PAGES);
}

/* Each initiator has a window and a published epoch of its own. */
static void windows_are_not_mixed_up(void **state)
{
	(void)state;
	begin();
	publish(0, 9);
	publish(1, 3);
	show_all(0, 9);
	show_all(1, 3);
	g_window_watch(2, 0, 1);
	g_window_watch(2, 1, 1);
	counts_are(2, 2 * PAGES, 0);
	show_all(1, 2);
	g_window_watch(2, 0, 1);
	counts_are(2, 3 * PAGES, 0);
	g_window_watch(2, 1, 1);
	counts_are(2, 4 * PAGES, PAGES);
}

/* What it has stored beside the epoch. */
static uint64_t used(uint32_t initiator, uint32_t page)
{
	return ((const uint64_t *)(uintptr_t)sd_window_va(initiator, page))[1];
}

/* Its own loads are compared with the epoch of its last move. */
static void an_initiator_checks_what_it_uses(void **state)
{
	(void)state;
	begin();
	g_window_remap(1);
	g_window_remap(1);
	memset(g_guest_windows, 0xff, sizeof(g_guest_windows));
	show(1, PAGES, 0);              /* no page of this window */
	show_all(1, 2);
	g_window_use(1, ROUNDS);
	counts_are(1, ROUNDS * PAGES, 0);
	for (uint32_t page = 0; page < PAGES; page++)
		assert_int_equal(used(1, page), page);
	assert_int_equal(used(1, PAGES), UINT64_MAX);
	for (uint32_t page = 0; page < PAGES; page++) {
		show(1, page, 1);
		g_window_use(1, ROUNDS);
		counts_are(1, (2 + page) * ROUNDS * PAGES, (1 + page) * ROUNDS);
		show(1, page, 2);
	}
}

static uint64_t watched(uint32_t vcpu)
{
	return sd_u64_load(&g_region(vcpu)->watched);
}

/* A look in a job before shows nothing in this one, through whichever window; nor does
 * another vCPU's job begin anew. */
static void a_job_begins_for_one_vcpu_and_every_window(void **state)
{
	(void)state;
	begin();
	for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
		g_window_begin(vcpu);
	g_window_watch(2, 1, 1);
	publish(1, 6);
	g_window_begin(2);
	g_window_watch(2, 1, 1);
	assert_int_equal(watched(2), 0);
	publish(1, 7);
	g_window_watch(2, 1, 1);
	assert_int_equal(watched(2), 1);
	g_window_watch(2, 0, 1);
	publish(0, 5);
	g_control()->initiators = SD_MAX_INITIATORS;
	g_window_begin(1);
	g_window_watch(2, 0, 1);
	assert_int_equal(watched(2), 2);
}

static void entries_are(uint32_t initiator, uint32_t vcpu, uint32_t set)
{
	for (uint32_t page = 0; page < PAGES; page++)
		assert_int_equal(entry(initiator, vcpu, page),
				 sd_pte(sd_frame_gpa(initiator, set, page, PAGES)));
}

/* Sets rotate; a move is the entries of all vCPUs and no others. */
static void a_move_is_every_vcpu_s(void **state)
{
	(void)state;
	begin();
	for (uint32_t move = 1; move <= 2 * SD_FRAME_SETS; move++) {
		g_window_remap(0);
		for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
			entries_are(0, vcpu, move % SD_FRAME_SETS);
		assert_int_equal(entry(0, VCPUS, 0), 0);
		assert_int_equal(entry(0, 0, PAGES), 0);
		assert_int_equal(entry(1, 0, 0), 0);
	}
}

/* The first move, and no loads before: an epoch that nothing published is above. */
static void at_boot_every_vcpu_sees_the_first_epoch(void **state)
{
	(void)state;
	begin();
	g_window_boot(1);
	for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
		entries_are(1, vcpu, 1);
	for (uint32_t page = 0; page < PAGES; page++)
		assert_int_equal(frame_word(1, 1, page), 1);
	g_window_prepare(1);
	g_window_remap(1);
	entries_are(1, 0, 2);
}

/* Whatever set: those of the pages that are flushed, and no other initiator's, nor the page
 * that rests after the sets. */
static void no_other_frame_is_written(void **state)
{
	(void)state;
	begin();
	for (uint32_t move = 1; move <= SD_FRAME_SETS; move++) {
		g_window_prepare(0);
		g_window_remap(0);
		g_window_publish(0);
	}
	for (uint32_t page = 0; page < PAGES; page++) {
		assert_int_equal(frame_word(0, SD_FRAME_SETS, page), SD_EPOCH_RESTING);
		assert_int_equal(frame_word(1, 0, page), SD_EPOCH_RESTING);
	}
}

static void the_next_set_is_prepared(void **state)
{
	(void)state;
	begin();
	for (uint64_t move = 1; move <= SD_FRAME_SETS + 2; move++) {
		uint32_t set = (uint32_t)move % SD_FRAME_SETS;

		g_window_prepare(1);
		for (uint32_t page = 0; page < PAGES; page++)
			assert_int_equal(frame_word(1, set, page), move);
		g_window_remap(1);
		g_window_publish(1);
	}
}

/* Published is what the move was; what it has left is below every epoch. */
static void the_set_that_was_left_is_poisoned(void **state)
{
	(void)state;
	begin();
	for (uint64_t move = 1; move <= SD_FRAME_SETS + 2; move++) {
		uint32_t left = (uint32_t)(move - 1) % SD_FRAME_SETS;

		g_window_prepare(0);
		g_window_remap(0);
		assert_int_equal(sd_u64_load(&g_published(0, 0)->epoch), move - 1);
		g_window_publish(0);
		assert_int_equal(sd_u64_load(&g_published(0, 0)->epoch), move);
		for (uint32_t page = 0; page < PAGES; page++) {
			assert_int_equal(frame_word(0, left, page), SD_EPOCH_RETIRED);
			assert_int_equal(frame_word(0, (uint32_t)move % SD_FRAME_SETS, page), move);
		}
	}
	assert_int_equal(sd_u64_load(&g_published(1, 0)->epoch), 0);
}

static void a_closed_window_shows_nothing(void **state)
{
	(void)state;
	begin();
	g_window_remap(1);
	*(uint64_t *)(uintptr_t)sd_window_pte_gpa(1, 1, PAGES) = 7;
	g_window_close(1);
	for (uint32_t page = 0; page < PAGES; page++)
		assert_int_equal(entry(1, 1, page), 0);
	assert_int_equal(entry(1, 1, PAGES), 7);
	entries_are(1, 0, 1);
	entries_are(1, 2, 1);
	g_window_open(1);
	entries_are(1, 1, 1);
	g_window_close(1);
	g_window_reopen(1);
	entries_are(1, 1, 1);
}

static void a_flush_is_of_the_window_s_pages(void **state)
{
	struct g_range range;

	(void)state;
	begin();
	assert_int_equal(g_window_range(1).pages, 0);
	g_control()->by_page = 1;
	range = g_window_range(1);
	assert_int_equal(range.va, sd_window_va(1, 0));
	assert_int_equal(range.pages, PAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_loads_are_counted),
		cmocka_unit_test(a_stale_page_is_seen_whichever_it_is),
		cmocka_unit_test(a_poisoned_page_is_stale),
		cmocka_unit_test(windows_are_not_mixed_up),
		cmocka_unit_test(an_initiator_checks_what_it_uses),
		cmocka_unit_test(a_job_begins_for_one_vcpu_and_every_window),
		cmocka_unit_test(a_move_is_every_vcpu_s),
		cmocka_unit_test(at_boot_every_vcpu_sees_the_first_epoch),
		cmocka_unit_test(no_other_frame_is_written),
		cmocka_unit_test(the_next_set_is_prepared),
		cmocka_unit_test(the_set_that_was_left_is_poisoned),
		cmocka_unit_test(a_closed_window_shows_nothing),
		cmocka_unit_test(a_flush_is_of_the_window_s_pages),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
