// SPDX-License-Identifier: MIT
/*
 * toggle.c - the workload of SD_JOB_TOGGLE: initiators remap their windows and
 * flush, one set of frames after the other, with a pause between two flushes.
 *
 * Threads: an initiator's vCPU.
 */
#include "window.h"
#include "workload.h"

/* Loads between two looks at the clock. */
#define PACE_ROUNDS 16

/* Watch the others' windows until it is time for the next flush. */
static void toggle_pause(uint32_t self)
{
	const struct sd_control *control = g_control();
	uint64_t until;

	if (control->pace_ticks == 0)
		return;
	until = g_tsc_raw() + control->pace_ticks;
	while ((int64_t)(g_tsc_raw() - until) < 0 && !sd_u32_load(&control->stop_initiators))
		for (uint32_t other = 0; other < control->initiators; other++)
			if (other != self)
				g_window_watch(self, other, PACE_ROUNDS);
}

const struct g_workload g_workload_toggle = {
	.before = g_window_prepare,
	.move = g_window_remap,
	.range = g_window_range,
	.returned = g_window_publish,
	.pause = toggle_pause,
	.observe = g_watch_all,
};
