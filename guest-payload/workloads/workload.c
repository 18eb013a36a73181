// SPDX-License-Identifier: MIT
/*
 * workload.c - who does what in a job: the first vCPUs initiate, all others
 * watch, the last ones mostly sleep.
 *
 * Threads: every vCPU.
 */
#include "workload.h"

#include <stddef.h>

#include "initiator.h"
#include "protocols.h"
#include "range.h"
#include "stamps.h"
#include "window.h"

/* Loads between two looks at the stop word. */
#define WATCH_ROUNDS 1024

static void check_job(const struct sd_control *control)
{
	uint32_t most = control->by_page ? SD_RANGE_MAX_PAGES : SD_MAX_PAGES;

	g_check(control->protocol < SD_PROTOCOLS, control->protocol, SD_PROTOCOLS);
	g_check(control->pages >= 1 && control->pages <= most, control->pages, most);
	g_check(control->sleepers <= control->vcpus - control->initiators, control->sleepers,
		control->vcpus - control->initiators);
	g_check(control->sleepers == 0 || control->sleep_ticks != 0, control->sleepers, 0);
}

void g_watch_all(uint32_t self)
{
	uint32_t initiators = g_control()->initiators;

	for (uint32_t initiator = 0; initiator < initiators; initiator++)
		g_window_watch(self, initiator, WATCH_ROUNDS / initiators);
}

static bool sleeps(uint32_t self)
{
	return self >= g_control()->vcpus - g_control()->sleepers;
}

/* An interrupt wakes a sleeper before its time: it looks around and sleeps on. */
static void sleep_once(uint32_t self)
{
	sd_u64_store(&g_region(self)->argument, g_control()->sleep_ticks);
	g_doorbell(SD_REQ_SLEEP);
}

static void observe(const struct g_workload *workload, uint32_t self)
{
	struct g_stamps stamps = { 0 };
	bool sleeper = sleeps(self);

	while (!sd_u32_load(&g_control()->stop_observers)) {
		if (sleeper)
			sleep_once(self);
		workload->observe(self);
		g_stamps_poll(&stamps, self);
	}
	/* Once more: what the last flush has left out shows now or never. */
	workload->observe(self);
}

/* Initiators stop first: one that still waited for a vCPU that has gone would
 * wait for ever. Those that have stopped serve and observe until the last has. */
void g_workload_run(const struct g_workload *workload, uint32_t self)
{
	check_job(g_control());
	g_window_begin(self);
	if (workload->begin != NULL)
		workload->begin(self);
	if (self < g_control()->initiators)
		g_initiator_run(workload, self);
	observe(workload, self);
}
