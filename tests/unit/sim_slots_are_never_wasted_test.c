// SPDX-License-Identifier: MIT
/*
 * sim_slots_are_never_wasted_test.c - after every event of the model a slot on which
 * somebody could run has a holder, and every vCPU is in exactly one place.
 */
#include "sim_fixture.h"

static uint32_t length(const struct sim_queue *queue, enum sim_place place, uint32_t *places)
{
	const struct sim_vcpu *last = NULL;
	uint32_t length = 0;

	for (const struct sim_vcpu *vcpu = queue->first; vcpu != NULL; vcpu = vcpu->next) {
		assert_int_equal(vcpu->place, place);
		places[vcpu->id]++;
		last = vcpu;
		length++;
	}
	assert_ptr_equal(queue->last, last);
	return length;
}

static void check_slot(const struct sim *sim, const struct sim_slot *slot, uint32_t *places)
{
	uint32_t queued = length(&slot->queue, SIM_QUEUED, places);
	uint32_t asleep = length(&slot->sleepers, SIM_ASLEEP, places);

	assert_int_equal(slot->waiting, queued + asleep);
	if (slot->holder == NULL) {
		assert_int_equal(queued, 0);
		return;
	}
	places[slot->holder->id]++;
	assert_true(slot->holder->place >= SIM_GRANTED);
	assert_int_equal(slot->holder->id % sim->params.slots, slot - sim->slots);
}

static void check(const struct sim *sim)
{
	uint32_t places[64] = { 0 };

	for (uint32_t i = 0; i < sim->params.slots; i++)
		check_slot(sim, &sim->slots[i], places);
	for (uint32_t i = 0; i < sim->params.vcpus; i++)
		assert_int_equal(places[i], 1);
}

static void run(struct sim_params params)
{
	struct sim sim;
	uint64_t steps = 0;
	int more;

	params.duration_ns = NS_PER_S / 10;
	assert_int_equal(sim_create(&sim, &params), 0);
	check(&sim);
	while ((more = sim_step(&sim)) == 1) {
		check(&sim);
		steps++;
	}
	assert_int_equal(more, 0);
	assert_true(steps > 500);
	sim_destroy(&sim);
}

static void of_every_protocol_and_shape(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_safe); i++)
		for (uint32_t slots = 1; slots <= 4; slots++)
			for (uint32_t k = 1; k <= 5; k += 2) {
				struct sim_params params = with_costs(g_safe[i], slots, k);

				if (params.vcpus < 2)
					continue;
				run(params);
				params.initiators = params.vcpus;
				run(params);
				params.initiators = 2;
				params.vcpus -= params.vcpus > slots + 1;       /* a slot with less */
				run(params);
			}
}

/* Run time is shared evenly where nobody gives a slot up: as many switches as slices. */
static void slices_are_as_long_as_asked_for(void **state)
{
	(void)state;
	for (uint32_t slots = 1; slots <= 8; slots++) {
		struct sim_params params = free_of_cost(SD_PROTOCOL_ipi, slots, 4);
		uint64_t whole_ns = params.warmup_ns + params.duration_ns;
		uint64_t switches = simulate(params).counts.switches;

		assert_in_range(switches, slots * (whole_ns / params.slice_ns) - slots,
				slots * (whole_ns / params.slice_ns) + slots);
	}
}

static void a_vcpu_alone_keeps_its_slot(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_safe); i++) {
		struct seen seen = simulate(with_costs(g_safe[i], 4, 1));

		assert_true(seen.flushes > 100);
		assert_int_equal(seen.counts.switches, seen.counts.sleeps);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_every_protocol_and_shape),
		cmocka_unit_test(slices_are_as_long_as_asked_for),
		cmocka_unit_test(a_vcpu_alone_keeps_its_slot),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
