// SPDX-License-Identifier: MIT
/*
 * main.c - a vCPU's life after its first doorbell: one job after another.
 *
 * Threads: every vCPU, in ring 3, on its own stack.
 */
#include "costs.h"
#include "guest.h"
#include "workloads/toggle.h"

__attribute__((noreturn))
void g_main(uint32_t self);

void g_main(uint32_t self)
{
	const struct sd_control *control = g_control();

	g_idt_init();
	g_check(control->abi_version == SD_ABI_VERSION, control->abi_version, SD_ABI_VERSION);
	for (;;) {
		if (control->job == SD_JOB_TOGGLE)
			g_toggle_run(self);
		else
			g_costs_run(self, control->job);
		g_doorbell(SD_REQ_READY);
	}
}
