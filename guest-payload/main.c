// SPDX-License-Identifier: MIT
/*
 * main.c - a vCPU's life after its first doorbell: one job after another.
 *
 * Threads: every vCPU, in ring 3, on its own stack.
 */
#include "costs.h"
#include "guest.h"
#include "litmus/litmus.h"
#include "workloads/initiator.h"

__attribute__((noreturn))
void g_main(uint32_t self);

static void run_job(uint32_t self, uint32_t job)
{
	switch (job) {
	case SD_JOB_TOGGLE:
		g_workload_run(&g_workload_toggle, self);
		break;
	case SD_JOB_CHURN:
		g_workload_run(&g_workload_churn, self);
		break;
	case SD_JOB_TEARDOWN:
		g_workload_run(&g_workload_teardown, self);
		break;
	case SD_JOB_LITMUS:
		g_litmus_run(self);
		break;
	default:
		g_costs_run(self, job);
	}
}

void g_main(uint32_t self)
{
	const struct sd_control *control = g_control();

	g_idt_init();
	g_check(control->abi_version == SD_ABI_VERSION, control->abi_version, SD_ABI_VERSION);
	if (self < control->initiators)
		g_initiator_boot(self);
	for (;;) {
		run_job(self, control->job);
		g_doorbell(SD_REQ_READY);
	}
}
