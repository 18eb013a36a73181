// SPDX-License-Identifier: MIT
/*
 * guest_floor_is_of_a_running_target_test.c - a floor sample is one IPI to one target that
 * ran all the time; one that was parked meanwhile, back or not, is no floor.
 */
#include "guest_on_host.h"

#include "../../guest-payload/flush.c"

#define VCPUS 5
#define SELF  3

static void preempt(uint32_t vcpu)
{
	sd_word_mark(g_region(vcpu));
}

static void park(uint32_t vcpu)
{
	sd_u64_store(&g_region(vcpu)->parks, sd_u64_load(&g_region(vcpu)->parks) + 1);
	preempt(vcpu);
}

static uint32_t target(void)
{
	return g_host.trip.destinations[0] >> 24;
}

static void it_is_the_next_one_that_runs(void **state)
{
	static const struct { bool preempted[VCPUS]; uint32_t target; } cases[] = {
		{ { 0, 0, 0, 0, 0 }, 4 }, { { 0, 0, 0, 0, 1 }, 0 }, { { 1, 0, 0, 0, 1 }, 1 },
		{ { 1, 1, 0, 0, 1 }, 2 }, { { 0, 0, 0, 1, 0 }, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		guest_begin(VCPUS);
		g_host.in_gate = guest_serve_all;
		for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
			if (cases[i].preempted[vcpu])
				preempt(vcpu);
		assert_true(g_flush_floor(SELF, G_EVERYTHING));
		assert_int_equal(g_host.trips, 1);
		assert_int_equal(g_host.trip.count, 1);
		assert_int_equal(g_host.trip.vector, SD_VECTOR_FLUSH);
		assert_int_equal(target(), cases[i].target);
		for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
			assert_int_equal(sd_u32_load(&g_region(vcpu)->served),
					 vcpu == cases[i].target ? SD_WORD_GENERATION : 0);
	}
}

static void nobody_runs_nothing_is_sent(void **state)
{
	(void)state;
	guest_begin(VCPUS);
	for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
		if (vcpu != SELF)
			preempt(vcpu);
	assert_false(g_flush_floor(SELF, G_EVERYTHING));
	assert_int_equal(g_host.trips, 0);
	guest_begin(1);
	assert_false(g_flush_floor(0, G_EVERYTHING));
	assert_int_equal(g_host.trips, 0);
}

/* Its park has taken the IPI along, and nobody waits for that. */
static void park_target(void)
{
	park(target());
}

/* Back again: its park served the request, or its handler did after all. */
static void park_and_serve_target(void)
{
	park(target());
	sd_u32_and(&g_region(target())->request, ~(uint32_t)SD_WORD_PREEMPTED);
	guest_serve(target());
}

static void park_and_return_target(void)
{
	park(target());
	sd_u32_and(&g_region(target())->request, ~(uint32_t)SD_WORD_PREEMPTED);
}

static void one_that_was_parked_is_no_floor(void **state)
{
	void (*const cases[])(void) = {
		park_target, park_and_return_target, park_and_serve_target,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		guest_begin(VCPUS);
		g_host.in_gate = cases[i];
		assert_false(g_flush_floor(SELF, G_EVERYTHING));
		assert_int_equal(g_host.trips, 1);
	}
}

static void parks_before_do_not_count(void **state)
{
	(void)state;
	guest_begin(VCPUS);
	sd_u64_store(&g_region(4)->parks, 17);
	g_host.in_gate = guest_serve_all;
	assert_true(g_flush_floor(SELF, G_EVERYTHING));
}

static void the_range_goes_along(void **state)
{
	const struct g_range range = { .va = 0x40203000, .pages = 2 };

	(void)state;
	guest_begin(VCPUS);
	g_host.in_gate = guest_serve_all;
	assert_true(g_flush_floor(SELF, range));
	assert_int_equal(g_host.trip.range.va, range.va);
	assert_int_equal(g_host.trip.range.pages, 2);
	assert_int_equal(sd_u64_load(&g_region(4)->range),
			 sd_range_of(SD_WORD_GENERATION, range.va, 2));
	guest_begin(VCPUS);
	g_host.in_gate = guest_serve_all;
	assert_true(g_flush_floor(SELF, G_EVERYTHING));
	assert_int_equal(sd_u64_load(&g_region(4)->range), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_next_one_that_runs),
		cmocka_unit_test(nobody_runs_nothing_is_sent),
		cmocka_unit_test(one_that_was_parked_is_no_floor),
		cmocka_unit_test(parks_before_do_not_count),
		cmocka_unit_test(the_range_goes_along),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
