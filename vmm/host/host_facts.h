/* SPDX-License-Identifier: MIT */
/*
 * host_facts.h - what this host is, as far as numbers from it need to know.
 */
#ifndef HOST_FACTS_H
#define HOST_FACTS_H

#include "kvm.h"
#include "results.h"

/**
 * host_facts_read - kernel, CPU, kind of KVM, limits, PV features.
 *
 * Errors:  EXIT_HOST. What cannot be found out is "unknown".
 */
__attribute__((warn_unused_result))
int host_facts_read(struct host_facts *facts, struct kvm_system system, struct why *why);

/**
 * host_check_realtime - may vCPU threads run as SCHED_FIFO here?
 *
 * Errors:  EXIT_HOST: no CAP_SYS_NICE, as many slots as CPUs (two spinning FIFO
 *          threads starve everything else on their CPUs), or the kernel's
 *          throttling of real-time threads is off.
 */
__attribute__((warn_unused_result))
int host_check_realtime(uint32_t slots, struct why *why);

#endif
