/* SPDX-License-Identifier: MIT */
/*
 * results_fixture.h - results of a run that the report's tests can vary.
 *
 * Owns:    one static run with room for every protocol; fixture_reset() makes
 *          it plain again. One test at a time.
 */
#ifndef RESULTS_FIXTURE_H
#define RESULTS_FIXTURE_H

#include <string.h>

#include "protocol_list.h"
#include "report.h"

static struct {
	struct options options;
	struct run_results run;
	struct protocol_result results[SD_PROTOCOLS];
	char *argv[4];
} g_fixture;

static inline void fixture_histogram_ns(struct histogram *histogram, uint64_t first, uint64_t step)
{
	histogram_init(histogram);
	for (uint64_t i = 0; i < 1000; i++)
		histogram_record(histogram, first + i * step);
}

/* A well-behaved result: checked, nothing stale; a control skips and is caught. */
static inline void fixture_result(struct protocol_result *result, enum sd_protocol protocol)
{
	bool control = protocol_kind(protocol) == SD_KIND_CONTROL;

	memset(result, 0, sizeof(*result));
	result->protocol = protocol;
	result->rounds = 1;
	result->flushes = 1000;
	result->measured_ns = UINT64_C(2000000000);
	fixture_histogram_ns(&result->wall_ns, 30000, 100);
	fixture_histogram_ns(&result->stall_ns, 29000, 100);
	fixture_histogram_ns(&result->floor_ns, 20000, 10);
	fixture_histogram_ns(&result->pte_ns, 4500, 1);
	fixture_histogram_ns(&result->switch_ns, 12000, 5);
	result->checks = UINT64_C(1900000000);
	result->targets = result->targets_watched = 7;
	result->watched = 1400;
	result->ipis = 1750;
	result->deferred = 5250;
	result->slot_cpu_ns = UINT64_C(4000000000);
	result->taken_ns = UINT64_C(10000000);
	if (control) {
		result->skipped = 5250;
		result->stale = UINT64_C(64880113);
	}
}

static inline void fixture_host(struct host_facts *host)
{
	*host = (struct host_facts){
		.kernel = "Linux 6.1.0-18", .cpu = "Some CPU", .kvm = "pvm",
		.below = "kvm",
		.mitigations = "none known", .clocksource = "tsc", .cpus_online = 2,
		.max_vcpus = 1024, .tsc_hz = UINT64_C(2450000000), .pv_features = 0x01007efb,
		.load_1m = 0.25,
	};
}

/* Eight vCPUs on two slots and CPUs 0-1, every protocol in turn. */
static inline struct run_results *fixture_reset(void)
{
	static char name[] = "vmm", option[] = "--seed", value[] = "7";

	memset(&g_fixture, 0, sizeof(g_fixture));
	g_fixture.options = (struct options){
		.vcpus = 8, .overcommit = 4, .slots = 2, .slice_us = 2000, .initiators = 1,
		.pace_us = 100, .pages = 1, .seed = 7, .repeat = 1,
	};
	g_fixture.argv[0] = name;
	g_fixture.argv[1] = option;
	g_fixture.argv[2] = value;
	g_fixture.run = (struct run_results){
		.options = &g_fixture.options, .argc = 3, .argv = g_fixture.argv,
		.started = { 1700000000, 5000000 }, .ended = { 1700000012, 999999999 },
		.entry_flush = ENTRY_FLUSH_STEAL, .entry_flush_tested = true,
		.exit_keeps_stale = true,
		.first_instruction_ns = 4900000,
		.result_count = SD_PROTOCOLS, .results = g_fixture.results,
	};
	fixture_host(&g_fixture.run.host);
	cpus_add(&g_fixture.run.slot_cpus, 0);
	cpus_add(&g_fixture.run.slot_cpus, 1);
	for (int i = 0; i < SD_PROTOCOLS; i++)
		fixture_result(&g_fixture.results[i], (enum sd_protocol)i);
	return &g_fixture.run;
}

/* The first of @kind that treats walkers so, NULL if there is none. */
static inline struct protocol_result *fixture_with(enum sd_protocol_kind kind,
						   enum sd_protocol_walkers walkers)
{
	for (int i = 0; i < SD_PROTOCOLS; i++)
		if (protocol_kind((enum sd_protocol)i) == kind &&
		    protocol_walkers((enum sd_protocol)i) == walkers)
			return &g_fixture.results[i];
	return NULL;
}

/* The first safe protocol and the first control; protocols.def has both. */
static inline struct protocol_result *fixture_first(enum sd_protocol_kind kind)
{
	for (int i = 0; i < SD_PROTOCOLS; i++)
		if (protocol_kind((enum sd_protocol)i) == kind)
			return &g_fixture.results[i];
	return NULL;
}

#endif
