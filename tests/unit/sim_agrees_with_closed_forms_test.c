// SPDX-License-Identifier: MIT
/*
 * sim_agrees_with_closed_forms_test.c - where nothing is left to chance the model
 * gives exactly the time that follows from slots, slice, pause and costs.
 */
#include "sim_fixture.h"

/* The initiator comes back one rotation after the slice in which it began; the pause
 * ate the first part of that slice. */
static void ipi_waits_for_a_rotation(void **state)
{
	static const uint32_t slots[] = { 1, 2, 3, 8 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(slots); i++)
		for (uint32_t k = 2; k <= 16; k++) {
			struct sim_params params = free_of_cost(SD_PROTOCOL_ipi, slots[i], k);
			uint64_t slice_ns = params.slice_ns, pace_ns = params.pace_ns;
			struct seen seen = simulate(params);

			assert_true(seen.flushes >= params.duration_ns / (k * slice_ns) - 1);
			assert_int_equal(seen.wall_least, k * slice_ns - pace_ns);
			assert_int_equal(seen.wall_most, k * slice_ns - pace_ns);
			assert_int_equal(seen.stall_most, slice_ns - pace_ns);
			/* Off its slot for exactly the slices of the others. */
			assert_int_equal(seen.wall_most - seen.stall_most, (k - 1) * slice_ns);
		}
}

/* Asleep it is not waited for by its own slot: one slice less, where there are other
 * slots; alone on one, its turn comes after the last that it wakes after. */
static void sleep_saves_its_own_slice(void **state)
{
	(void)state;
	for (uint32_t k = 2; k <= 16; k++) {
		struct sim_params params = free_of_cost(SD_PROTOCOL_sleep, 2, k);
		struct seen seen = simulate(params);

		assert_int_equal(seen.wall_least, (k - 1) * params.slice_ns - params.pace_ns);
		assert_int_equal(seen.wall_most, seen.wall_least);
		assert_int_equal(seen.stall_most, 0);
	}
}

/* The first target is on the other slot, whose next grid point is half a slice later:
 * there it runs, whatever the queue was, and then the initiator gives its own slot away. */
static void yield_waits_for_one_grid_point(void **state)
{
	(void)state;
	for (uint32_t k = 2; k <= 16; k++) {
		struct sim_params params = free_of_cost(SD_PROTOCOL_yield, 2, k);
		struct seen seen = simulate(params);

		assert_true(seen.flushes > 10);
		assert_true(seen.counts.yields >= seen.flushes);
		assert_true(seen.stall_most <= params.slice_ns / 2 - params.pace_ns);
		assert_in_range(seen.wall_least, (k - 1) * params.slice_ns - params.pace_ns,
				k * params.slice_ns - params.pace_ns);
		assert_true(seen.wall_most <= k * params.slice_ns - params.pace_ns);
	}
}

/* Four slots and nobody to wait for: posts, gate, IPIs; the last target's handler
 * ends last, or the own flush does. */
static void alone_on_its_slot_a_flush_is_the_sum_of_its_parts(void **state)
{
	static const enum sd_protocol protocols[] = {
		SD_PROTOCOL_ipi, SD_PROTOCOL_yield, SD_PROTOCOL_deferred,
		SD_PROTOCOL_generation, SD_PROTOCOL_takeover,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(protocols); i++)
		for (uint64_t handler_ns = 0; handler_ns <= 40; handler_ns += 20) {
			struct sim_params params = free_of_cost(protocols[i], 4, 1);
			uint64_t local_ns, remote_ns;
			struct seen seen;

			params.post = (struct sim_cost){ 3, 3 };
			params.gate = (struct sim_cost){ 20, 20 };
			params.send = (struct sim_cost){ 7, 7 };
			params.deliver = (struct sim_cost){ 11, 11 };
			params.flush = (struct sim_cost){ 5, 5 };
			params.handler = (struct sim_cost){ handler_ns, handler_ns };
			seen = simulate(params);
			local_ns = 10 + 5;
			remote_ns = 11 + handler_ns + 5;
			assert_true(seen.flushes > 9000);
			assert_int_equal(seen.wall_least, 3 * 3 + 10 + 3 * 7 +
					 (local_ns > remote_ns ? local_ns : remote_ns));
			assert_int_equal(seen.wall_most, seen.wall_least);
			assert_int_equal(seen.stall_most, seen.wall_most);
		}
}

/* A doorbell, a mark for each target, the slowest kick, what their flush costs who asked,
 * the own flush. */
static void hypercall_is_an_exit_and_a_kick(void **state)
{
	struct sim_params params = free_of_cost(SD_PROTOCOL_hypercall, 4, 1);
	struct seen seen;

	(void)state;
	params.exit = (struct sim_cost){ 100, 100 };
	params.kick = (struct sim_cost){ 30, 30 };
	params.signal = (struct sim_cost){ 2, 2 };
	params.kicked_flush = (struct sim_cost){ 40, 40 };
	params.post = (struct sim_cost){ 3, 3 };
	params.gate = (struct sim_cost){ 20, 20 };
	params.flush = (struct sim_cost){ 5, 5 };
	seen = simulate(params);
	assert_true(seen.flushes > 9000);
	assert_int_equal(seen.wall_least, 100 + 3 * 3 + 3 * 2 + 30 + 40 + 20 + 5);
	assert_int_equal(seen.wall_most, seen.wall_least);
}

/* Pages one by one up to the ceiling, all at once above it; on both sides. */
static void pages_cost_what_they_cost(void **state)
{
	(void)state;
	for (uint32_t pages = 1; pages <= 40; pages++) {
		struct sim_params params = free_of_cost(SD_PROTOCOL_ipi, 2, 1);

		params.pages = pages;
		params.flush_ceiling = 33;
		params.page = (struct sim_cost){ 10, 10 };
		params.flush = (struct sim_cost){ 1000, 1000 };
		assert_int_equal(simulate(params).wall_most, pages <= 33 ? 10 * pages : 1000);
	}
}

/* A mean time of work between flushes puts the beginning anywhere in the slice: the
 * wall time is then even between K-1 and K slices. */
static void a_random_beginning_waits_half_a_slice_less(void **state)
{
	struct sim_params params = free_of_cost(SD_PROTOCOL_ipi, 2, 4);
	uint64_t slice_ns = params.slice_ns;
	struct seen seen;

	(void)state;
	params.pace_ns = 0;
	params.work_ns = 4 * slice_ns;
	params.duration_ns = 60 * NS_PER_S;
	seen = simulate(params);
	assert_true(seen.flushes > 2000);
	assert_in_range(seen.wall_least, 3 * slice_ns, 3 * slice_ns + slice_ns / 100);
	assert_in_range(seen.wall_most, 4 * slice_ns - slice_ns / 100, 4 * slice_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipi_waits_for_a_rotation),
		cmocka_unit_test(sleep_saves_its_own_slice),
		cmocka_unit_test(yield_waits_for_one_grid_point),
		cmocka_unit_test(alone_on_its_slot_a_flush_is_the_sum_of_its_parts),
		cmocka_unit_test(hypercall_is_an_exit_and_a_kick),
		cmocka_unit_test(pages_cost_what_they_cost),
		cmocka_unit_test(a_random_beginning_waits_half_a_slice_less),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
