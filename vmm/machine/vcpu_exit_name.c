// SPDX-License-Identifier: MIT
/*
 * vcpu_exit_name.c - KVM_EXIT_ numbers in words (vcpu.h).
 *
 * Threads: any; no state.
 * Follows: Linux Documentation/virt/kvm/api.rst, struct kvm_run.
 */
#include "vcpu.h"

const char *vcpu_exit_name(uint32_t reason)
{
	static const char *const names[] = {
		[KVM_EXIT_UNKNOWN] = "unknown hardware exit",
		[KVM_EXIT_EXCEPTION] = "exception",
		[KVM_EXIT_IO] = "port access",
		[KVM_EXIT_HYPERCALL] = "hypercall",
		[KVM_EXIT_DEBUG] = "debug",
		[KVM_EXIT_HLT] = "halt",
		[KVM_EXIT_MMIO] = "access outside memory",
		[KVM_EXIT_IRQ_WINDOW_OPEN] = "interrupt window",
		[KVM_EXIT_SHUTDOWN] = "triple fault",
		[KVM_EXIT_FAIL_ENTRY] = "entry failed",
		[KVM_EXIT_INTR] = "signal",
		[KVM_EXIT_SET_TPR] = "TPR",
		[KVM_EXIT_TPR_ACCESS] = "TPR access",
		[KVM_EXIT_INTERNAL_ERROR] = "KVM internal error",
		[KVM_EXIT_SYSTEM_EVENT] = "system event",
		[KVM_EXIT_IOAPIC_EOI] = "IOAPIC EOI",
		[KVM_EXIT_X86_RDMSR] = "MSR read",
		[KVM_EXIT_X86_WRMSR] = "MSR write",
	};

	if (reason >= sizeof(names) / sizeof(names[0]) || names[reason] == NULL)
		return "unknown";
	return names[reason];
}
