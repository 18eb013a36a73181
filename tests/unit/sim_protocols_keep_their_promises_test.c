// SPDX-License-Identifier: MIT
/*
 * sim_protocols_keep_their_promises_test.c - in the model as on KVM: safe protocols leave
 * no target uncovered and controls do; generation, takeover and hypercall never wait for a
 * vCPU that is off its slot, the others do.
 */
#include <errno.h>

#include "sim_fixture.h"

static struct seen sum_over_shapes(enum sd_protocol protocol)
{
	struct seen sum = { 0 };

	for (uint32_t shape = 0; shape < 12; shape++) {
		struct sim_params params = with_costs(protocol, 2 + shape % 3, 2 + shape / 3);
		struct seen seen;

		params.initiators = shape % 2 == 0 ? 1 : 4;
		params.slice_ns = NS_PER_MS / 2;
		params.seed = shape;
		seen = simulate(params);
		assert_true(seen.flushes > 0);
		sum.flushes += seen.flushes;
		sum.counts.checks += seen.counts.checks;
		sum.counts.uncovered += seen.counts.uncovered;
		sum.counts.waits_on_parked += seen.counts.waits_on_parked;
		sum.counts.transfers += seen.counts.transfers;
		sum.counts.takeovers += seen.counts.takeovers;
		sum.counts.yields += seen.counts.yields;
		sum.counts.sleeps += seen.counts.sleeps;
		sum.counts.kicks += seen.counts.kicks;
	}
	return sum;
}

static void safe_protocols_cover_every_target(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_safe); i++) {
		struct seen sum = sum_over_shapes(g_safe[i]);

		assert_true(sum.counts.checks > 1000);
		assert_int_equal(sum.counts.uncovered, 0);
	}
}

static void controls_are_caught(void **state)
{
	(void)state;
	assert_true(sum_over_shapes(SD_PROTOCOL_none).counts.uncovered > 1000);
	assert_true(sum_over_shapes(SD_PROTOCOL_skip_preempted).counts.uncovered > 1000);
}

static void nobody_off_his_slot_is_waited_for(void **state)
{
	struct seen generation = sum_over_shapes(SD_PROTOCOL_generation);
	struct seen takeover = sum_over_shapes(SD_PROTOCOL_takeover);
	struct seen hypercall = sum_over_shapes(SD_PROTOCOL_hypercall);

	(void)state;
	assert_int_equal(generation.counts.waits_on_parked, 0);
	assert_true(generation.counts.transfers > 10);
	assert_int_equal(takeover.counts.waits_on_parked, 0);
	assert_true(takeover.counts.takeovers > 10);
	assert_int_equal(hypercall.counts.waits_on_parked, 0);
	assert_true(hypercall.counts.kicks > 1000);
}

static void the_others_wait(void **state)
{
	(void)state;
	assert_true(sum_over_shapes(SD_PROTOCOL_ipi).counts.waits_on_parked > 1000);
	assert_true(sum_over_shapes(SD_PROTOCOL_yield).counts.waits_on_parked > 1000);
	assert_true(sum_over_shapes(SD_PROTOCOL_yield).counts.yields > 1000);
	assert_true(sum_over_shapes(SD_PROTOCOL_deferred).counts.waits_on_parked > 10);
	assert_true(sum_over_shapes(SD_PROTOCOL_sleep).counts.sleeps > 1000);
}

/* What deferred still waits for: more than a rotation of stall never, some of it yes. */
static void deferred_has_the_bad_case_and_generation_has_not(void **state)
{
	struct sim_params params = with_costs(SD_PROTOCOL_deferred, 2, 4);
	struct seen deferred, generation;

	(void)state;
	params.duration_ns = 10 * NS_PER_S;
	deferred = simulate(params);
	params.protocol = SD_PROTOCOL_generation;
	generation = simulate(params);
	assert_true(deferred.stall_most > NS_PER_MS);
	/* Posts, gate, a handler; at worst a kick in the middle and one more entry. */
	assert_true(generation.stall_most < NS_PER_MS / 2);
}

static void what_makes_no_sense_is_refused(void **state)
{
	const struct sim_params good = free_of_cost(SD_PROTOCOL_ipi, 2, 2);
	struct sim_params bad[9];
	struct sim sim;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		bad[i] = good;
	bad[0].vcpus = 1;
	bad[1].vcpus = SIM_MAX_VCPUS + 1;
	bad[2].slots = 0;
	bad[3].slots = 5;
	bad[4].initiators = 0;
	bad[5].initiators = 5;
	bad[6].slice_ns = 1;
	bad[7].pages = 0;
	bad[8].pte = (struct sim_cost){ 2, 1 };
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(sim_create(&sim, &bad[i]), -EINVAL);
	bad[0] = good;
	bad[0].protocol = SD_PROTOCOL_ipi_pending_2017;
	assert_int_equal(sim_create(&sim, &bad[0]), -EINVAL);
	assert_int_equal(sim_create(&sim, &good), 0);
	sim_destroy(&sim);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(safe_protocols_cover_every_target),
		cmocka_unit_test(controls_are_caught),
		cmocka_unit_test(nobody_off_his_slot_is_waited_for),
		cmocka_unit_test(the_others_wait),
		cmocka_unit_test(deferred_has_the_bad_case_and_generation_has_not),
		cmocka_unit_test(what_makes_no_sense_is_refused),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
