/* SPDX-License-Identifier: MIT */
/*
 * vcpu_state.h - what a vCPU is doing, as threads of the VMM see it.
 */
#ifndef VCPU_STATE_H
#define VCPU_STATE_H

enum vcpu_state {
	VCPU_CREATING,          /* or waits for its slot for the first time */
	VCPU_RUNNING,
	VCPU_PARKED,            /* in its slot's queue */
	VCPU_ASLEEP,            /* off its slot until something wakes it */
	VCPU_IDLE,              /* between jobs, off its slot */
};

/* vcpu_state_name - for reports: "running", "parked", "asleep", "done", "being created". */
const char *vcpu_state_name(enum vcpu_state state);

#endif
