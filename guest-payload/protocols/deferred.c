// SPDX-License-Identifier: MIT
/*
 * deferred.c - mainline since Linux 4.16 (kvm_flush_tlb_multi): a target whose
 * preempted byte says so gets KVM_VCPU_FLUSH_TLB by one cmpxchg and is not
 * waited for; every other one gets an IPI. A target that is preempted after it
 * was looked at is waited for until it runs again.
 */
#include "protocol.h"

const struct g_protocol_ops g_protocol_deferred = {
	.post = g_post_by_byte,
};
