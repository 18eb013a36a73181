// SPDX-License-Identifier: MIT
/*
 * acts.c - what is done to a held vCPU (acts.h).
 *
 * Threads: the vCPU's own, outside KVM_RUN.
 */
#include "acts.h"

#include "device.h"
#include "park.h"
#include "request_flush.h"
#include "session.h"

/* It has rung a doorbell, and may only be parked at an instruction boundary. */
int act_finish(struct vcpu_thread *thread)
{
	int error = 0;

	if (thread->unfinished)
		error = device_finish(thread);
	thread->unfinished = false;
	return error;
}

int act_park(struct vcpu_thread *thread)
{
	int error = act_finish(thread);

	return error != 0 ? error : vcpu_park(thread);
}

int act_unpark(struct vcpu_thread *thread)
{
	return vcpu_unpark(thread);
}

int act_renew(struct vcpu_thread *thread)
{
	int error = act_park(thread);

	thread->owes_flush = true;
	return error != 0 ? error : vcpu_unpark(thread);
}

int act_mark_again(struct vcpu_thread *thread)
{
	sd_byte_mark(thread->vcpu.region);
	return 0;
}

int act_cancelled_run(struct vcpu_thread *thread)
{
	return vcpu_finish_instruction(&thread->vcpu, &thread->why);
}

int act_flush_others(struct vcpu_thread *thread)
{
	return request_flush_others(thread);
}
