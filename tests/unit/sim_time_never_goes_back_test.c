// SPDX-License-Identifier: MIT
/*
 * sim_time_never_goes_back_test.c - events come by time and, at one moment, in the
 * order in which they were made; so the same seed makes the same run.
 */
#include "sim_fixture.h"

static void events_come_in_order(void **state)
{
	struct sim_events events;
	struct sim_event event, last = { 0 };
	uint64_t z = 1, taken = 0;

	(void)state;
	sim_events_init(&events);
	for (uint32_t i = 0; i < 100000; i++) {
		z = z * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* Few moments and many events: ties are the rule. Never before the last. */
		event = (struct sim_event){ .time_ns = last.time_ns + (z >> 60), .who = i };
		assert_int_equal(sim_events_add(&events, event), 0);
		if (z >> 33 & 1) {
			struct sim_event before = last;

			assert_true(sim_events_take(&events, &last));
			assert_true(taken == 0 || last.time_ns > before.time_ns ||
				    (last.time_ns == before.time_ns && last.order > before.order));
			assert_int_equal(last.who, last.order);
			taken++;
		}
	}
	while (sim_events_take(&events, &event)) {
		assert_true(event.time_ns > last.time_ns ||
			    (event.time_ns == last.time_ns && event.order > last.order));
		last = event;
		taken++;
	}
	assert_int_equal(taken, 100000);
	sim_events_destroy(&events);
}

static void time_never_goes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_safe); i++) {
		struct sim_params params = with_costs(g_safe[i], 3, 3);
		uint64_t last_ns = 0, moments = 0;
		struct sim sim;

		params.initiators = 3;
		assert_int_equal(sim_create(&sim, &params), 0);
		while (sim_step(&sim) == 1) {
			assert_true(sim.now_ns >= last_ns);
			moments += sim.now_ns > last_ns;
			last_ns = sim.now_ns;
		}
		assert_true(moments > 1000);
		assert_true(last_ns < params.warmup_ns + params.duration_ns);
		sim_destroy(&sim);
	}
}

static void the_seed_decides_everything(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_safe); i++) {
		struct sim_params params = with_costs(g_safe[i], 2, 4);
		struct seen first, again, other;

		params.initiators = 2;
		first = simulate(params);
		again = simulate(params);
		params.seed++;
		other = simulate(params);
		assert_true(first.flushes > 20);
		assert_int_equal(first.digest, again.digest);
		assert_memory_equal(&first.counts, &again.counts, sizeof(first.counts));
		assert_int_not_equal(first.digest, other.digest);
	}
}

/* Looking on does not change what happens. */
static void checks_change_nothing(void **state)
{
	struct sim_params params = with_costs(SD_PROTOCOL_generation, 2, 4);
	struct seen with = simulate(params), without;

	(void)state;
	params.checks = false;
	without = simulate(params);
	assert_int_equal(with.digest, without.digest);
	assert_int_equal(without.counts.checks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_in_order),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(the_seed_decides_everything),
		cmocka_unit_test(checks_change_nothing),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
