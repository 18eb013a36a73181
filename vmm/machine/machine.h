/* SPDX-License-Identifier: MIT */
/*
 * machine.h - the virtual machine: memory, page tables, payload, local APICs.
 *
 * No device at all but the APICs: a payload has memory and one port.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>

#include "guest_memory.h"
#include "kvm.h"

struct machine {
	struct kvm_system system;
	struct kvm_vm vm;
	struct guest_memory memory;
	struct kvm_cpuid_table cpuid;
	size_t run_bytes;               /* of a vCPU's kvm_run mapping */
	uint64_t entry;                 /* of the payload */
	bool x2apic;                    /* more vCPUs than an xAPIC can name */
};

struct machine_shape {
	uint32_t vcpus;
	uint32_t initiators;
	uint32_t pages;
	uint32_t steps;                 /* control.h: SD_STEP_ bits */
	bool by_page;
	uint32_t sleepers;
	bool free_after_grace;
	bool trace;                     /* handlers and steps of flushes are recorded */
};

/* The payload to boot: its bytes stay the caller's. */
struct machine_payload {
	bool is_foreign;                /* not the built-in one: what it counts is its claim */
	const char *name;
	const uint8_t *image;
	size_t bytes;
};

/**
 * machine_create - everything but the vCPUs.
 *
 * Errors:  EXIT_HOST, or EXIT_USAGE for a bad payload; nothing is left behind.
 */
__attribute__((warn_unused_result))
int machine_create(struct machine *machine, struct kvm_system system, struct machine_shape shape,
		   struct machine_payload payload, struct why *why);
void machine_destroy(struct machine *machine);

#endif
