// SPDX-License-Identifier: MIT
/*
 * guest_oracle_watches_every_group_test.c - with more vCPUs than one move can afford, every
 * vCPU has a translation to lose all the time, and a loss of any of them shows within one
 * flush more than there are groups.
 *
 * The test has a TLB of its own: the set of frames that a vCPU's entry showed when it was
 * flushed last, or loaded after that.
 */
#include "guest_on_host.h"

#include "../../guest-payload/window.c"

#define ROUNDS 3
#define MOVES 400

static const uint32_t g_sizes[] = { 130, 257, 512, 600, SD_MAX_VCPUS };

#define SIZES (sizeof(g_sizes) / sizeof(g_sizes[0]))

static uint64_t g_tlb[SD_MAX_VCPUS];    /* entry; 0 none */

static void begin(uint32_t vcpus)
{
	guest_begin(vcpus);
	memset(windows, 0, sizeof(windows));
	memset(g_guest_windows, 0, sizeof(g_guest_windows));
	memset(g_guest_frames, 0, (SD_FRAME_SETS + 1) * SD_PAGE_BYTES);
	memset(g_tlb, 0, sizeof(g_tlb));
	g_window_boot(0);
	for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
		g_window_begin(vcpu);
}

static uint64_t entry(uint32_t vcpu)
{
	return *(const uint64_t *)(uintptr_t)sd_window_pte_gpa(vcpu, 0, 0);
}

static uint64_t epoch_in(uint64_t pte)
{
	for (uint32_t set = 0; set <= SD_FRAME_SETS; set++)
		if (sd_pte(sd_frame_gpa(0, set, 0, 1)) == pte)
			return *(const uint64_t *)(uintptr_t)sd_frame_gpa(0, set, 0, 1);
	fail_msg("an entry of no frame");
	return 0;
}

/* A turn of @vcpu on its slot. */
static void look(uint32_t vcpu)
{
	if (g_tlb[vcpu] == 0)
		g_tlb[vcpu] = entry(vcpu);
	sd_u64_store((struct sd_u64 *)(uintptr_t)sd_window_va(0, 0), epoch_in(g_tlb[vcpu]));
	g_window_watch(vcpu, 0, ROUNDS);
}

/* A move whose flush reaches everybody but @lost. */
static void flush(uint32_t vcpus, uint32_t lost)
{
	g_window_prepare(0);
	g_window_remap(0);
	for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
		if (vcpu != lost)
			g_tlb[vcpu] = 0;
	g_window_publish(0);
}

static uint64_t stale_of(uint32_t vcpu)
{
	return sd_u64_load(&g_region(vcpu)->stale);
}

static uint32_t count_groups(uint32_t vcpus)
{
	return (vcpus + SD_GROUP_VCPUS - 1) / SD_GROUP_VCPUS;
}

/* Whoever looks when: after each move, or after a round of them. */
static void nobody_is_stale_who_was_flushed(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SIZES; i++) {
		uint32_t vcpus = g_sizes[i];

		begin(vcpus);
		for (uint32_t move = 0; move < MOVES; move++) {
			for (uint32_t vcpu = move % 7; vcpu < vcpus; vcpu += 7)
				look(vcpu);
			flush(vcpus, vcpus);
		}
		for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
			assert_int_equal(stale_of(vcpu), 0);
	}
}

/* @lost looks, misses one flush more than there are groups, and looks again. */
static void a_loss_shows(uint32_t vcpus, uint32_t lost)
{
	uint64_t stale, watched;

	g_tlb[lost] = 0;
	look(lost);
	stale = stale_of(lost);
	watched = sd_u64_load(&g_region(lost)->watched);
	for (uint32_t move = 0; move <= count_groups(vcpus); move++)
		flush(vcpus, lost);
	look(lost);
	assert_int_equal(stale_of(lost), stale + ROUNDS);
	assert_int_equal(sd_u64_load(&g_region(lost)->watched), watched + 1);
}

/* Whichever vCPU it is, and whichever group's move was the last one before it looked. */
static void a_loss_of_any_vcpu_shows_in_a_round(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SIZES; i++)
		for (uint32_t lost = 1; lost < g_sizes[i]; lost += g_sizes[i] / 8 - 1) {
			begin(g_sizes[i]);
			for (uint32_t turn = 0; turn < 2 * SD_MAX_GROUPS; turn++) {
				a_loss_shows(g_sizes[i], lost);
				flush(g_sizes[i], lost);
			}
			assert_int_equal(stale_of(lost), 2 * SD_MAX_GROUPS * ROUNDS);
		}
}

/* One flush of every other one is of this group, whatever the number of groups. */
static void a_group_has_flushes_of_both_parities(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SIZES; i++) {
		uint32_t vcpus = g_sizes[i], groups_here = count_groups(vcpus);
		unsigned moved[SD_MAX_GROUPS][2] = { { 0 } };

		begin(vcpus);
		for (uint32_t move = 0; move < MOVES; move++) {
			flush(vcpus, vcpus);
			moved[windows[0].group][move % 2]++;
		}
		for (uint32_t group = 0; group < groups_here; group++) {
			assert_in_range(moved[group][0], MOVES / groups_here / 4, MOVES);
			assert_in_range(moved[group][1], MOVES / groups_here / 4, MOVES);
		}
	}
}

/* No more stores than a slice can afford, and no other vCPU's entry. */
static void a_move_is_of_one_group(void **state)
{
	static uint64_t before[SD_MAX_VCPUS];
	uint32_t vcpus = 600;

	(void)state;
	begin(vcpus);
	for (uint32_t move = 0; move < MOVES; move++) {
		for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
			before[vcpu] = entry(vcpu);
		flush(vcpus, vcpus);
		for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++)
			assert_int_equal(entry(vcpu) != before[vcpu],
					 vcpu / SD_GROUP_VCPUS == windows[0].group);
	}
}

/* A look counts when it comes after another one and a flush of the vCPU's own group; of
 * flushes between two looks only the last could show. */
static void looks_across_a_flush_are_counted(void **state)
{
	uint32_t vcpus = 600, vcpu = SD_GROUP_VCPUS;

	(void)state;
	begin(vcpus);
	look(vcpu);
	look(vcpu);
	assert_int_equal(sd_u64_load(&g_region(vcpu)->watched), 0);
	for (uint32_t move = 0; move < 6 * count_groups(vcpus); move++)
		flush(vcpus, vcpus);
	look(vcpu);
	look(vcpu);
	assert_int_equal(sd_u64_load(&g_region(vcpu)->watched), 1);
	/* The next job: published epochs begin anew, and nobody has looked. */
	memset(g_guest_published, 0, sizeof(g_guest_published));
	g_window_begin(vcpu);
	look(vcpu);
	assert_int_equal(sd_u64_load(&g_region(vcpu)->watched), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_stale_who_was_flushed),
		cmocka_unit_test(a_loss_of_any_vcpu_shows_in_a_round),
		cmocka_unit_test(a_group_has_flushes_of_both_parities),
		cmocka_unit_test(a_move_is_of_one_group),
		cmocka_unit_test(looks_across_a_flush_are_counted),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
