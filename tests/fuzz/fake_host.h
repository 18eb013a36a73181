/* SPDX-License-Identifier: MIT */
/*
 * fake_host.h - a host for vCPU threads, in one thread and without KVM.
 *
 * Each vCPU thread is a context that runs until it calls the host and is resumed by
 * whoever drives the program: every interleaving at those points is a choice of the
 * input, and happens again from it. KVM is as park.c knows it: the byte is taken on
 * entry, immediate_exit and signals end KVM_RUN, and a thread that is scheduled out may
 * have its byte overwritten.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include "fuzz.h"
#include "session.h"

#define FAKE_VCPUS 4

/* What the guest does in one go. */
enum guest_step {
	GUEST_RUNS,
	GUEST_LEAVES,           /* kvm_run says how */
	GUEST_IS_SCHEDULED_OUT, /* by the host, inside KVM_RUN */
};

/* --- for the program ------------------------------------------------------------- */

/* fake_begin - new contexts for @session's threads, none has run; @program is asked for
 * what the host does by itself. */
void fake_begin(struct session *session, struct fuzz_program *program);

/* fake_resume - let a vCPU's thread run up to its next call. False: it has ended, or
 * waits for another one. */
bool fake_resume(uint32_t vcpu);
bool fake_has_ended(uint32_t vcpu);
bool fake_is_in_guest(uint32_t vcpu);

/* fake_is_clear - its vCPU is closed, its kvm_run is unmapped, its timer is deleted. */
bool fake_is_clear(uint32_t vcpu);

/* fake_flushes_found - how often KVM has found KVM_VCPU_FLUSH_TLB in the byte. */
uint64_t fake_flushes_found(uint32_t vcpu);

/* fake_is_unfinished - it has left in the middle of an instruction. */
bool fake_is_unfinished(uint32_t vcpu);

/* fake_pass_time - timers whose time has come kick. */
void fake_pass_time(uint64_t ns);

/* fake_interrupt - set @vector pending; fake_take_interrupt - begin its handler, false:
 * not pending or not over; fake_end_interrupt - its end. */
void fake_interrupt(uint32_t vcpu, uint8_t vector);
bool fake_take_interrupt(uint32_t vcpu, uint8_t vector);
void fake_end_interrupt(uint32_t vcpu, uint8_t vector);

/* --- by the program -------------------------------------------------------------- */

/* guest_flushed - KVM has dropped the vCPU's whole TLB. */
void guest_flushed(uint32_t vcpu);

/* guest_entered - from here on it runs guest code. */
void guest_entered(uint32_t vcpu);

/* guest_step - run guest code; GUEST_LEAVES with @run filled. */
enum guest_step guest_step(uint32_t vcpu, struct kvm_run *run);

#endif
