/* SPDX-License-Identifier: MIT */
/*
 * kvm.h - every ioctl on /dev/kvm that is in use, typed.
 *
 * Three kinds of descriptor, three types: the wrong one does not compile.
 * Every function returns 0 or a value >= 0, or -errno with the request's name
 * in @why. Nothing is retried, but for one; EINTR means something only to kvm_run().
 * Follows: Linux Documentation/virt/kvm/api.rst.
 */
#ifndef KVM_H
#define KVM_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "why.h"

struct kvm_system { int fd; };
struct kvm_vm { int fd; };
struct kvm_vcpu_fd {
	int fd;
	uint32_t id;                    /* for messages */
	bool has_run;                   /* guest code: it may be why a call fails */
};

#define KVM_MUST_USE __attribute__((warn_unused_result))

#define KVM_CPUID_ENTRIES 256

struct kvm_cpuid_table {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[KVM_CPUID_ENTRIES];
};

/**
 * kvm_open - /dev/kvm, checked for API version 12.
 *
 * Errors:  EXIT_HOST: not there, no permission, another version.
 */
KVM_MUST_USE int kvm_open(struct kvm_system *system, struct why *why);
/* Any signal, also one that stops the process, can interrupt KVM_CREATE_VM while it takes
 * all locks of the address space: the ioctl is repeated until it was not interrupted. */
KVM_MUST_USE int kvm_create_vm(struct kvm_system system, struct kvm_vm *vm, struct why *why);
KVM_MUST_USE int kvm_supported_cpuid(struct kvm_system system, struct kvm_cpuid_table *table,
				     struct why *why);
/* Bytes of the kvm_run mapping. */
KVM_MUST_USE int kvm_vcpu_mmap_size(struct kvm_system system, struct why *why);

/* kvm_capability - value of KVM_CHECK_EXTENSION; 0 also when it failed. */
int kvm_capability(struct kvm_vm vm, unsigned long capability);
KVM_MUST_USE int kvm_enable_capability(struct kvm_vm vm, const struct kvm_enable_cap *capability,
				       struct why *why);
KVM_MUST_USE int kvm_set_memory(struct kvm_vm vm,
				const struct kvm_userspace_memory_region *memory, struct why *why);
/* Pages that KVM may use to shadow the guest's page tables. */
KVM_MUST_USE int kvm_set_mmu_pages(struct kvm_vm vm, unsigned long pages, struct why *why);
KVM_MUST_USE int kvm_set_tss_address(struct kvm_vm vm, unsigned long gpa, struct why *why);

/* Of one vCPU: the ioctl of the same name. kvm_set_running() makes it runnable, by
 * KVM_SET_MP_STATE. */
KVM_MUST_USE int kvm_create_vcpu(struct kvm_vm vm, uint32_t id, struct kvm_vcpu_fd *vcpu,
				 struct why *why);
KVM_MUST_USE int kvm_set_cpuid(struct kvm_vcpu_fd vcpu, const struct kvm_cpuid_table *table,
			       struct why *why);
KVM_MUST_USE int kvm_get_regs(struct kvm_vcpu_fd vcpu, struct kvm_regs *regs, struct why *why);
KVM_MUST_USE int kvm_set_regs(struct kvm_vcpu_fd vcpu, const struct kvm_regs *regs,
			      struct why *why);
KVM_MUST_USE int kvm_get_sregs(struct kvm_vcpu_fd vcpu, struct kvm_sregs *sregs, struct why *why);
KVM_MUST_USE int kvm_set_sregs(struct kvm_vcpu_fd vcpu, const struct kvm_sregs *sregs,
			       struct why *why);
KVM_MUST_USE int kvm_set_msr(struct kvm_vcpu_fd vcpu, uint32_t index, uint64_t value,
			     struct why *why);
KVM_MUST_USE int kvm_set_running(struct kvm_vcpu_fd vcpu, struct why *why);
KVM_MUST_USE int kvm_get_lapic(struct kvm_vcpu_fd vcpu, struct kvm_lapic_state *lapic,
			       struct why *why);
KVM_MUST_USE int kvm_set_lapic(struct kvm_vcpu_fd vcpu, const struct kvm_lapic_state *lapic,
			       struct why *why);
/* A file of the vCPU's binary statistics (kvm_stats.h); the caller closes it. */
KVM_MUST_USE int kvm_get_stats_fd(struct kvm_vcpu_fd vcpu, struct why *why);
/* kHz. */
KVM_MUST_USE int kvm_get_tsc_khz(struct kvm_vcpu_fd vcpu, struct why *why);
/**
 * kvm_set_tsc_offset - let the guest's TSC be @ticks ahead of the host's, modulo 2^64.
 *
 * Source:  Linux Documentation/virt/kvm/devices/vcpu.rst, KVM_VCPU_TSC_OFFSET, since 5.16.
 */
KVM_MUST_USE int kvm_set_tsc_offset(struct kvm_vcpu_fd vcpu, uint64_t ticks, struct why *why);
/* Signals blocked while in KVM_RUN: bit (signal - 1). */
KVM_MUST_USE int kvm_set_signal_mask(struct kvm_vcpu_fd vcpu, uint64_t blocked, struct why *why);

/**
 * kvm_run - enter the guest.
 *
 * Returns: 0 on an exit for userspace, -EINTR when a signal or immediate_exit
 *          ended it, another -errno otherwise; says nothing.
 */
KVM_MUST_USE int kvm_run(struct kvm_vcpu_fd vcpu);

/**
 * kvm_failed - note that @what, a call on @vcpu, has failed with @error: a positive errno.
 *
 * A guest may bring its vCPU into a state that KVM does not take back or cannot run. What
 * fails once guest code has run is the guest's fault, but for what only the host can run
 * short of or refuse.
 *
 * Returns: -@error. @why is EXIT_GUEST and names the vCPU, or EXIT_HOST.
 */
int kvm_failed(struct kvm_vcpu_fd vcpu, const char *what, int error, struct why *why);

#endif
