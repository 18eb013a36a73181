// SPDX-License-Identifier: MIT
/*
 * takeover.c - like deferred, but an initiator that waits keeps looking at the
 * target's preempted byte, and when the target becomes preempted marks it by
 * its own cmpxchg and stops waiting. Needs nothing from the host that mainline
 * KVM does not do.
 *
 * In post the cmpxchg is needed even when KVM_VCPU_FLUSH_TLB is seen to be set:
 * a plain look does not say that the flush comes after this initiator's PTE
 * stores. In cover the request has drained them already (tests/model/).
 */
#include "protocol.h"

const struct g_protocol_ops g_protocol_takeover = {
	.post = g_post_by_byte,
	.cover = sd_byte_defer,
};
