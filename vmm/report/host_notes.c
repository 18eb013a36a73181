// SPDX-License-Identifier: MIT
/*
 * host_notes.c - what the host did to a run, in words: lines below the table.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/table_shows_every_protocol_test.c
 */
#include "report.h"

#include <string.h>

#include "figure.h"
#include "line.h"

/* A clock that is coarser than this can be seen in slices and in what the VMM measures. */
#define CLOCK_STEP_MOST_NS 10000

/* Sums over all protocols. */
struct host_deeds {
	uint64_t throttles, throttled_ns;
	uint64_t strayed, switches;
	uint64_t clipped, flushes;
};

static struct host_deeds deeds_of(const struct run_results *run)
{
	struct host_deeds deeds = { 0 };

	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct protocol_result *result = &run->results[i];

		deeds.throttles += result->throttles;
		deeds.throttled_ns += result->throttled_ns;
		deeds.strayed += result->strayed;
		deeds.switches += result->switches;
		deeds.clipped += result->clipped;
		deeds.flushes += result->flushes;
	}
	return deeds;
}

/* A kernel takes one of these when it finds that the TSC stops, jumps or differs from CPU to
 * CPU (or is told to). */
static bool shuns_tsc(const struct host_facts *host)
{
	static const char *const others[] = { "hpet", "acpi_pm", "jiffies", "refined-jiffies" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strcmp(host->clocksource, others[i]) == 0)
			return true;
	return false;
}

void host_notes_print(FILE *out, const struct run_results *run)
{
	struct host_deeds deeds = deeds_of(run);

	if (deeds.throttles > 0)
		line_print(out, "throttled: a cgroup's CPU quota held the run back %s time%s, %s in all",
			   figure_count(deeds.throttles).text, line_plural(deeds.throttles),
			   figure_time(deeds.throttled_ns).text);
	if (deeds.strayed > 0)
		line_print(out, "%s of %s slices ended on a CPU that is not their slot's: has one gone offline?",
			   figure_count(deeds.strayed).text, figure_count(deeds.switches).text);
	if (deeds.clipped > 0)
		line_print(out, "%s of %s flushes were parked for longer than they took: the TSC is not "
			   "to be trusted", figure_count(deeds.clipped).text,
			   figure_count(deeds.flushes).text);
	if (run->host.clock_step_ns > CLOCK_STEP_MOST_NS)
		line_print(out, "clock: it moves in steps of %s (clocksource %s), and so do the ends of slices",
			   figure_time(run->host.clock_step_ns).text, run->host.clocksource);
	if (shuns_tsc(&run->host))
		line_print(out, "clocksource %s: this kernel does not go by the TSC, and all times here do",
			   run->host.clocksource);
}
