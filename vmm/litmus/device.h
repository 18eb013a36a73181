/* SPDX-License-Identifier: MIT */
/*
 * device.h - a register outside memory, for an instruction that leaves the guest twice: to
 * read it, and to write it.
 *
 * The target's vCPU is held between the two (SD_STEP_DEVICE). Whether A's flush that took
 * the register out of the address space has returned is in A's published word: odd while
 * it is mapped.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "stage.h"

struct device {
	uint64_t writes;                /* the target's thread; main while it is held */
	uint64_t late;                  /* of these, by a translation that had been flushed */
};

extern struct device device;            /* the only one */

/* device_access - struct stage's access: KVM_RUN has returned KVM_EXIT_MMIO. */
int device_access(struct vcpu_thread *thread);

/**
 * device_finish - complete the instruction at which the vCPU stands, whatever else it
 * leaves for.
 *
 * Errors:  EXIT_GUEST, EXIT_HOST.
 */
__attribute__((warn_unused_result))
int device_finish(struct vcpu_thread *thread);

#endif
