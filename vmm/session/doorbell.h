/* SPDX-License-Identifier: MIT */
/*
 * doorbell.h - what a vCPU asks the VMM for: SD_REQ_ of control.h.
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include "vcpu_thread.h"

/* Does the vCPU keep its slot? */
enum slice_end {
	SLICE_GOES_ON,
	SLICE_OVER,             /* somebody else's turn */
	SLICE_ASLEEP,           /* until thread->sleep_until_ns, or woken */
	SLICE_JOB_DONE,         /* the guest asks for its next job */
	SLICE_QUIT,             /* the session ends */
	SLICE_FAILED,           /* thread->why says how */
};

/**
 * doorbell_answer - do what the doorbell @request asks for, a number of the guest's choice.
 *
 * Threads: the vCPU's own, outside KVM_RUN, in its slot.
 */
enum slice_end doorbell_answer(struct vcpu_thread *thread, uint32_t request);

#endif
