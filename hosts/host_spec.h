/* SPDX-License-Identifier: MIT */
/*
 * host_spec.h - HOST[,KEY=VALUE...]: where KVM comes from, as a user says it.
 *
 * kvm is this machine's /dev/kvm; amd and intel are machines that an emulator
 * makes; auto is kvm where it can be used, else amd.
 * Pure; any thread.
 * Tested: tests/unit/host_specs_are_checked_test.c
 */
#ifndef HOST_SPEC_H
#define HOST_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum host_kind {
	HOST_AUTO,
	HOST_KVM,
	HOST_AMD,               /* QEMU's TCG, kvm-amd */
	HOST_INTEL,             /* Bochs, kvm-intel */
	HOST_KINDS
};

/* Set in the environment of all that runs in an emulated machine: amd or intel. */
#define HOST_VARIABLE "SHOOTDOWN_HOST"

#define HOST_SPEC_USAGE \
	"kvm, amd[,npt=0|1], intel[,ept=0|1], each emulated one with cpu=, smp=, mem= (MiB), args="

struct host_spec {
	enum host_kind kind;
	bool nested_paging;     /* npt, ept: what KVM's module is loaded with */
	char cpu[64];           /* the emulator's name of the CPU model */
	uint32_t smp;           /* CPUs */
	uint32_t mem_mib;
	char args[512];         /* more kernel arguments */
};

/**
 * host_spec_parse - read @text into *spec; what is not said is the kind's default.
 *
 * Shape:   args= takes the rest of @text, commas and all, and so stands last.
 * Errors:  -EINVAL and one line in @complaint, of @bytes.
 */
__attribute__((warn_unused_result))
int host_spec_parse(const char *text, struct host_spec *spec, char *complaint, size_t bytes);

/* Kinds as on the command line. */
extern const char *const g_host_kind_names[HOST_KINDS];
const char *host_kind_name(enum host_kind kind);

#endif
