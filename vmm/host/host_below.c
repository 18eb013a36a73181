// SPDX-License-Identifier: MIT
/*
 * host_below.c - what KVM itself runs on (host_below.h).
 *
 * Threads: any; reads the environment.
 */
#include "host_below.h"

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HYPERVISOR_BIT  (1u << 31)      /* of ECX in leaf 1 */
#define SIGNATURE_LEAF  0x40000000u
#define NEXT_SIGNATURE  0x100u
#define SIGNATURE_BYTES 12

static const struct {
	const char *signature;          /* without the zeros at its end */
	const char *name;
} g_known[] = {
	{ "TCGTCGTCGTCG", "tcg" },
	{ "KVMKVMKVM",    "kvm" },
	{ "Microsoft Hv", "hyper-v" },
	{ "VMwareVMware", "vmware" },
	{ "XenVMMXenVMM", "xen" },
};

/* @signature has a zero at its end. */
static void read_signature(host_cpuid_fn cpuid, uint32_t leaf, char signature[SIGNATURE_BYTES + 1])
{
	uint32_t registers[4];

	cpuid(leaf, registers);
	memcpy(signature, &registers[1], SIGNATURE_BYTES);
	signature[SIGNATURE_BYTES] = '\0';
}

static const char *known_name(const char signature[SIGNATURE_BYTES + 1])
{
	for (size_t i = 0; i < sizeof(g_known) / sizeof(g_known[0]); i++)
		if (strcmp(signature, g_known[i].signature) == 0)
			return g_known[i].name;
	return NULL;
}

/* Zeros at the end of a signature are left out. An empty signature says nothing. */
static void escape_signature(char *out, size_t bytes, const char signature[SIGNATURE_BYTES])
{
	size_t length = SIGNATURE_BYTES, used = 0;

	snprintf(out, bytes, "unknown");
	while (length > 0 && signature[length - 1] == '\0')
		length--;
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)signature[i];
		bool plain = byte >= ' ' && byte <= '~' && byte != '\\';

		used += (size_t)snprintf(out + used, bytes - used, plain ? "%c" : "\\x%02x", byte);
	}
}

static void name_signature(host_cpuid_fn cpuid, struct host_below *below)
{
	char signature[SIGNATURE_BYTES + 1], behind[SIGNATURE_BYTES + 1];
	const char *name, *own = NULL;

	read_signature(cpuid, SIGNATURE_LEAF, signature);
	name = known_name(signature);
	if (name != NULL && strcmp(name, "hyper-v") == 0) {
		read_signature(cpuid, SIGNATURE_LEAF + NEXT_SIGNATURE, behind);
		own = known_name(behind);
	}
	if (own != NULL)
		name = own;
	if (name != NULL)
		snprintf(below->name, sizeof(below->name), "%s", name);
	else
		escape_signature(below->name, sizeof(below->name), signature);
}

/* The name for a machine on which no hypervisor shows itself. */
static const char *name_started(const char *started_as)
{
	if (started_as != NULL && strcmp(started_as, "intel") == 0)
		return "bochs";
	if (started_as != NULL && strcmp(started_as, "amd") == 0)
		return "tcg";
	return "none";
}

struct host_below host_below_tell(host_cpuid_fn cpuid, const char *started_as)
{
	struct host_below below = { 0 };
	uint32_t registers[4];

	cpuid(1, registers);
	if (registers[2] & HYPERVISOR_BIT)
		name_signature(cpuid, &below);
	else
		snprintf(below.name, sizeof(below.name), "%s", name_started(started_as));
	below.emulated = strcmp(below.name, "tcg") == 0 || strcmp(below.name, "bochs") == 0;
	return below;
}

static void ask_cpuid(uint32_t leaf, uint32_t registers[4])
{
	__cpuid(leaf, registers[0], registers[1], registers[2], registers[3]);
}

struct host_below host_below(void)
{
	return host_below_tell(ask_cpuid, getenv("SHOOTDOWN_HOST"));
}
