// SPDX-License-Identifier: MIT
/*
 * vcpu_state.c - what a vCPU is doing, in words (vcpu_state.h).
 */
#include "vcpu_state.h"

const char *vcpu_state_name(enum vcpu_state state)
{
	static const char *const names[] = {
		[VCPU_CREATING] = "being created",
		[VCPU_RUNNING] = "running",
		[VCPU_PARKED] = "parked",
		[VCPU_ASLEEP] = "asleep",
		[VCPU_IDLE] = "done",
	};

	return names[state];
}
