/* SPDX-License-Identifier: MIT */
/*
 * host_below.h - what KVM itself runs on: hardware, another hypervisor, an emulator.
 *
 * Tested: tests/unit/what_is_below_kvm_is_named_test.c
 */
#ifndef HOST_BELOW_H
#define HOST_BELOW_H

#include <stdbool.h>
#include <stdint.h>

struct host_below {
	char name[64];          /* "tcg", "bochs", "kvm", "hyper-v", "vmware", "xen"; "none"; else
	                           the signature as it is, bytes that are not printable as \xNN */
	bool emulated;          /* times are an emulator's */
};

/* A leaf of CPUID: EAX, EBX, ECX, EDX. */
typedef void (*host_cpuid_fn)(uint32_t leaf, uint32_t registers[4]);

/**
 * host_below_tell - what @cpuid says of the machine it is asked on.
 *
 * Shape:   @started_as is the environment's SHOOTDOWN_HOST, or NULL: the program that
 *          starts an emulated machine sets it there to "amd" (QEMU's TCG) or "intel"
 *          (Bochs). It counts only where no hypervisor shows itself: Bochs never does.
 * Source:  Linux Documentation/virt/kvm/x86/cpuid.rst; Microsoft TLFS 2.2. Whoever passes
 *          for Hyper-V has its own signature 0x100 leaves further on.
 */
struct host_below host_below_tell(host_cpuid_fn cpuid, const char *started_as);

/* host_below - of this host. */
struct host_below host_below(void);

#endif
