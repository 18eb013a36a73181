/* SPDX-License-Identifier: MIT */
/*
 * vcpu.h - one virtual CPU: its descriptor, its kvm_run page, its first state.
 *
 * Starts straight in 64-bit ring 3 with paging on: no real mode, no boot code.
 */
#ifndef VCPU_H
#define VCPU_H

#include "machine.h"

struct vcpu {
	uint32_t id;
	struct kvm_vcpu_fd fd;
	struct kvm_run *run;            /* shared with KVM */
	size_t run_bytes;
	struct sd_region *region;       /* in guest memory */
	bool has_steal_time;            /* KVM keeps steal time in the region */
};

/**
 * vcpu_create - create vCPU @id and put it before its first instruction.
 *
 * Threads: the thread that will run it.
 * Errors:  EXIT_HOST; nothing is left behind.
 */
__attribute__((warn_unused_result))
int vcpu_create(struct vcpu *vcpu, const struct machine *machine, uint32_t id, struct why *why);

/* vcpu_destroy - by any thread, once nobody runs it; harmless on one that is not there. */
void vcpu_destroy(struct vcpu *vcpu);

/**
 * vcpu_finish_instruction - complete the port access that KVM_RUN left for, so
 * that the vCPU stands at an instruction boundary: only there may it be parked
 * (KVM has already translated the operands of an unfinished one).
 *
 * Returns: 0. Errors: -EIO when completing it led to another exit.
 */
__attribute__((warn_unused_result))
int vcpu_finish_instruction(struct vcpu *vcpu, struct why *why);

/* vcpu_exit_name - of a KVM_EXIT_ number; "unknown" for a hole. */
const char *vcpu_exit_name(uint32_t reason);

#endif
