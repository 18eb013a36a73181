/* SPDX-License-Identifier: MIT */
/*
 * flush_counter.h - how many flushes on entry KVM has done, as KVM itself counts them,
 * beside the VMM's count of those that were asked for (--extra flushes).
 *
 * KVM's statistics do not tell: tlb_flush counts the guest's own CR3 loads as well where
 * KVM sees them. The tracepoint kvm_pv_tlb_flush says what record_steal_time() has found
 * in the byte, each time it takes it. perf counts it for the threads of this process.
 *
 * Follows: perf_event_open(2); Linux arch/x86/kvm/trace.h, kvm_pv_tlb_flush.
 */
#ifndef FLUSH_COUNTER_H
#define FLUSH_COUNTER_H

#include <stdint.h>

#include "why.h"

/**
 * flush_counter_open - count from here on, for all threads that are started later.
 *
 * Errors:  EXIT_HOST: no tracefs, no such tracepoint, or perf is not for this user. One
 *          line that begins with the option.
 * Threads: main, before any other, and before it gives up its rights.
 */
__attribute__((warn_unused_result))
int flush_counter_open(struct why *why);

/**
 * flush_counter_read - *@flushes since flush_counter_open(); 0 where that was not called.
 *
 * Threads: main. Exact while no vCPU is in KVM_RUN.
 * Errors:  EXIT_HOST.
 */
__attribute__((warn_unused_result))
int flush_counter_read(uint64_t *flushes, struct why *why);

/* flush_counter_close - as if it had never been open. */
void flush_counter_close(void);

#endif
