// SPDX-License-Identifier: MIT
/*
 * what_is_below_kvm_is_named_test.c - a hypervisor below KVM has its name from CPUID, an
 * emulator is known for one, and what is not known is shown as it is.
 */
#include <string.h>

#include "host_below.h"
#include "unit_test.h"

/* What CPUID says: the hypervisor bit, and the signatures of two leaves. */
static struct {
	bool shows;
	const char *first, *second;
} g_machine;

static void put_signature(uint32_t registers[4], const char *signature)
{
	char bytes[12] = { 0 };

	memcpy(bytes, signature, strnlen(signature, sizeof(bytes)));
	memcpy(&registers[1], bytes, sizeof(bytes));
}

static void fake_cpuid(uint32_t leaf, uint32_t registers[4])
{
	memset(registers, 0xff, 4 * sizeof(registers[0]));
	if (leaf == 1)
		registers[2] = g_machine.shows ? 1u << 31 : ~(1u << 31);
	else if (leaf == 0x40000000)
		put_signature(registers, g_machine.first);
	else if (leaf == 0x40000100)
		put_signature(registers, g_machine.second);
	else
		fail_msg("leaf 0x%x", leaf);
}

static const struct {
	bool shows;
	const char *first, *second, *started_as, *name;
	bool emulated;
} g_cases[] = {
	{ true, "TCGTCGTCGTCG", "", NULL, "tcg", true },
	{ true, "KVMKVMKVM", "", NULL, "kvm", false },
	{ true, "Microsoft Hv", "", NULL, "hyper-v", false },
	{ true, "VMwareVMware", "", NULL, "vmware", false },
	{ true, "XenVMMXenVMM", "", NULL, "xen", false },
	/* Hypervisors that pass for Hyper-V. */
	{ true, "Microsoft Hv", "KVMKVMKVM", NULL, "kvm", false },
	{ true, "Microsoft Hv", "XenVMMXenVMM", NULL, "xen", false },
	{ true, "Microsoft Hv", "whatever", NULL, "hyper-v", false },
	/* As it is, in one line. */
	{ true, "bhyve bhyve ", "", NULL, "bhyve bhyve ", false },
	{ true, "a\nb\033c\\\xff", "", NULL, "a\\x0ab\\x1bc\\x5c\\xff", false },
	{ true, "\1\1\1\1\1\1\1\1\1\1\1\1", "", NULL,
	  "\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01", false },
	{ true, "", "", NULL, "unknown", false },
	/* No hypervisor: nobody, unless the environment knows better. */
	{ false, "TCGTCGTCGTCG", "", NULL, "none", false },
	{ false, "", "", "", "none", false },
	{ false, "", "", "intel", "bochs", true },
	{ false, "", "", "amd", "tcg", true },
	{ false, "", "", "kvm", "none", false },
	/* What shows itself counts more than a word that was carried along. */
	{ true, "KVMKVMKVM", "", "intel", "kvm", false },
};

static void each_signature_has_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++) {
		struct host_below below;

		g_machine.shows = g_cases[i].shows;
		g_machine.first = g_cases[i].first;
		g_machine.second = g_cases[i].second;
		below = host_below_tell(fake_cpuid, g_cases[i].started_as);
		assert_string_equal(below.name, g_cases[i].name);
		assert_int_equal(below.emulated, g_cases[i].emulated);
	}
}

static void this_host_has_one(void **state)
{
	(void)state;
	assert_true(host_below().name[0] != '\0');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signature_has_its_name),
		cmocka_unit_test(this_host_has_one),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
