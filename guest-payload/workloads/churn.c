// SPDX-License-Identifier: MIT
/*
 * churn.c - the workload of SD_JOB_CHURN, in the shape of ebizzy: initiators map
 * memory, touch it, work on it, unmap it and flush, without a pause.
 *
 * The initiator's own entries are not present between two rounds. All others' are
 * never: they go from one set straight to the next, in the stores of the unmap.
 *
 * Why the oracle holds, as in toggle: the next set has its epoch before any entry
 * points at it; the epoch is published when the flush of the old set has returned,
 * and the old set is poisoned after that. A watcher that still uses it then sees
 * less than was published. Had the others' entries rested between unmap and map,
 * nobody would ever have a translation to lose: they would fill their TLBs after
 * the flush with the resting page, and mapping, which needs no flush, would not
 * show. The initiator checks itself, too: each open window has to show its epoch.
 *
 * Above SD_GROUP_VCPUS vCPUs a move is one group's, as in toggle, and closing comes after
 * it: whatever the group's entries became, the initiator's own are gone when the flush
 * begins. It maps the last set for itself, whichever group has it, and goes back to its own
 * group's at the end.
 *
 * Before and after a job every entry is as toggle leaves it (window.h), and no vCPU
 * watches a window that it has closed: initiators work on others' windows only, and
 * watch their own, with everybody, when it is open again.
 *
 * Threads: an initiator's vCPU.
 */
#include "window.h"
#include "workload.h"

/* Of one round, over all windows: 100 us at a third of a nanosecond each. */
#define WORK_LOADS (288 * 1024)

static void work(uint32_t self)
{
	const struct sd_control *control = g_control();
	uint32_t rounds = WORK_LOADS / (control->initiators * control->pages);

	for (uint32_t other = 0; other < control->initiators; other++)
		if (other == self)
			g_window_use(self, rounds);
		else
			g_window_watch(self, other, rounds);
}

static void churn_before(uint32_t self)
{
	g_window_open(self);
	work(self);
	g_window_prepare(self);
}

static void churn_move(uint32_t self)
{
	g_window_remap(self);
	g_window_close(self);
}

const struct g_workload g_workload_churn = {
	.before = churn_before,
	.move = churn_move,
	.range = g_window_range,
	.returned = g_window_publish,
	.after = g_window_reopen,
	.observe = g_watch_all,
};
