/* SPDX-License-Identifier: MIT */
/*
 * sim_fixture.h - parameters of the model, and running it to its end.
 */
#ifndef SIM_FIXTURE_H
#define SIM_FIXTURE_H

#include "clock.h"
#include "model.h"
#include "unit_test.h"

/* What the protocols of the bench are for; the controls are not among them. */
static const enum sd_protocol g_safe[] = {
	SD_PROTOCOL_ipi, SD_PROTOCOL_sleep, SD_PROTOCOL_yield, SD_PROTOCOL_deferred,
	SD_PROTOCOL_generation, SD_PROTOCOL_takeover, SD_PROTOCOL_hypercall,
};

/* @k vCPUs on each of @slots slots; nothing costs anything. */
static inline struct sim_params free_of_cost(enum sd_protocol protocol, uint32_t slots, uint32_t k)
{
	return (struct sim_params){
		.protocol = protocol,
		.vcpus = slots * k,
		.slots = slots,
		.initiators = 1,
		.pages = 1,
		.slice_ns = 2 * NS_PER_MS,
		.pace_ns = 100 * NS_PER_US,
		.warmup_ns = 100 * NS_PER_MS,
		.duration_ns = NS_PER_S,
		.seed = 1,
		.checks = true,
	};
}

/* The same with costs that vary, so that slices end anywhere in a flush. */
static inline struct sim_params with_costs(enum sd_protocol protocol, uint32_t slots, uint32_t k)
{
	struct sim_params params = free_of_cost(protocol, slots, k);

	params.post = (struct sim_cost){ 50, 200 };
	params.gate = (struct sim_cost){ 24000, 31000 };
	params.send = (struct sim_cost){ 7000, 9000 };
	params.deliver = (struct sim_cost){ 15000, 21000 };
	params.handler = (struct sim_cost){ 20000, 31000 };
	params.flush = (struct sim_cost){ 500, 700 };
	params.exit = (struct sim_cost){ 80000, 99000 };
	params.kick = (struct sim_cost){ 37000, 51000 };
	params.enter = (struct sim_cost){ 40000, 47000 };
	params.switch_ = (struct sim_cost){ 15000, 22000 };
	params.entry_flush = (struct sim_cost){ 700, 8000 };
	params.signal = (struct sim_cost){ 2000, 3000 };
	params.kicked_flush = (struct sim_cost){ 90000, 110000 };
	params.pte = (struct sim_cost){ 30000, 210000 };
	return params;
}

/* Everything that a run has to show. */
struct seen {
	uint64_t flushes;
	uint64_t digest;                /* of all rows */
	uint64_t wall_least, wall_most, stall_least, stall_most;
	struct sim_counts counts;
};

static inline void see(void *context, const struct sim_flush *flush)
{
	struct seen *seen = context;
	const uint64_t fields[] = {
		flush->start_ns, flush->wall_ns, flush->stall_ns, flush->pte_ns, flush->seq,
		flush->initiator, flush->ipis, flush->deferred, flush->taken_over,
	};

	for (size_t i = 0; i < COUNT_OF(fields); i++)
		seen->digest = (seen->digest ^ fields[i]) * UINT64_C(0x100000001b3);
	if (seen->flushes == 0 || flush->wall_ns < seen->wall_least)
		seen->wall_least = flush->wall_ns;
	if (seen->flushes == 0 || flush->stall_ns < seen->stall_least)
		seen->stall_least = flush->stall_ns;
	if (flush->wall_ns > seen->wall_most)
		seen->wall_most = flush->wall_ns;
	if (flush->stall_ns > seen->stall_most)
		seen->stall_most = flush->stall_ns;
	seen->flushes++;
}

static inline struct seen simulate(struct sim_params params)
{
	struct seen seen = { 0 };
	struct sim sim;
	int more;

	assert_int_equal(sim_create(&sim, &params), 0);
	sim.record = see;
	sim.context = &seen;
	while ((more = sim_step(&sim)) == 1)
		;
	assert_int_equal(more, 0);
	seen.counts = sim.counts;
	sim_destroy(&sim);
	return seen;
}

#endif
