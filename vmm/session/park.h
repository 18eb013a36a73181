/* SPDX-License-Identifier: MIT */
/*
 * park.h - taking a vCPU off its slot and putting it back, as the guest's
 * handshake sees it (word.h), and the flush before it runs again.
 */
#ifndef PARK_H
#define PARK_H

#include "options.h"
#include "protocol_ops.h"
#include "vcpu_thread.h"

/* What park and unpark go by, the same for all vCPUs; main changes it while no vCPU runs. */
struct park_policy {
	const struct protocol_ops *protocol;
	enum entry_flush entry_flush;   /* never AUTO */
	bool settles;                   /* park takes one more KVM_RUN */
	bool clears_pending;            /* take a transferred request's IPI back */
};

/* vcpu_mark_created - a vCPU that has never run is preempted: nobody waits for it. */
void vcpu_mark_created(struct vcpu_thread *thread);

/**
 * vcpu_park - the vCPU is out of KVM_RUN, at an instruction boundary; from here
 * on initiators mark it instead of waiting for it.
 */
__attribute__((warn_unused_result))
int vcpu_park(struct vcpu_thread *thread);

/**
 * vcpu_unpark - take the handshake's flags back and make sure that the TLB is
 * flushed before guest code runs, if anything asked for it. KVM_RUN comes next.
 */
__attribute__((warn_unused_result))
int vcpu_unpark(struct vcpu_thread *thread);

/* vcpu_settle_and_flush - pay what is owed outside a park: where KVM marks vCPUs
 * itself, it first has to forget that the vCPU left for an interrupt. */
__attribute__((warn_unused_result))
int vcpu_settle_and_flush(struct vcpu_thread *thread);

/* vcpu_flush_on_entry - the last step of unpark alone: pay what is owed. */
__attribute__((warn_unused_result))
int vcpu_flush_on_entry(struct vcpu_thread *thread);

#endif
