// SPDX-License-Identifier: MIT
/*
 * machine.c - the virtual machine (machine.h).
 *
 * Threads: main, before the vCPU threads start and after they have ended.
 */
#include "machine.h"

#include <asm/kvm_para.h>
#include <string.h>
#include <unistd.h>

#include "elf_loader.h"
#include "page_tables.h"

#define XAPIC_MAX_VCPUS 255     /* 0xff is the broadcast address */

/* The three pages that VMX hosts without unrestricted guest need; above all
 * guest memory, below the APIC page. */
#define TSS_GPA 0xfffbd000

/*
 * Where KVM shadows page tables it takes at most 2 % of the guest's memory for them, about a
 * thousand pages here. That is less than 1024 roots, and with 300 vCPUs KVM throws away
 * tables all the time (stall p50 269 us against 65 us). A vCPU has up to 12 tables of its
 * own, which are shadowed for user mode and for kernel mode.
 */
#define MMU_PAGES_BASE 1024
#define MMU_PAGES_A_VCPU 64

/*
 * For x2APIC mode, which needs one: what a payload may rely on, and no more.
 * KVM_GET_SUPPORTED_CPUID would cost most of a millisecond where CPUID traps.
 * Leaf 0x40000001 asks KVM for steal time and for flushes on entry; whether
 * they work is found out by trying.
 */
static void fill_cpuid(struct kvm_cpuid_table *table)
{
	static const struct kvm_cpuid_entry2 leaves[] = {
		{ .function = 0, .eax = 1 },
		/* FPU TSC MSR PAE CX8 APIC PGE CMOV FXSR SSE SSE2; x2APIC, hypervisor */
		{ .function = 1, .edx = 0x0700a371, .ecx = 1u << 21 | 1u << 31 },
		{ .function = KVM_CPUID_SIGNATURE, .eax = KVM_CPUID_FEATURES,
		  .ebx = 0x4b4d564b, .ecx = 0x564b4d56, .edx = 0x4d },
		{ .function = KVM_CPUID_FEATURES,
		  .eax = 1u << KVM_FEATURE_STEAL_TIME | 1u << KVM_FEATURE_PV_TLB_FLUSH },
		{ .function = 0x80000000, .eax = 0x80000008 },
		{ .function = 0x80000001, .edx = 1u << 29 }, /* long mode */
		{ .function = 0x80000008, .eax = 48 << 8 | 36 }, /* linear, physical bits */
	};

	table->head.nent = sizeof(leaves) / sizeof(leaves[0]);
	memcpy(table->entries, leaves, sizeof(leaves));
}

/* Local APICs in the kernel, no PIC, no IOAPIC: nothing else interrupts. */
static int create_apics(struct machine *machine, uint32_t vcpus, struct why *why)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP };
	struct kvm_enable_cap wide = {
		.cap = KVM_CAP_X2APIC_API,
		.args = { KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	};
	int error = kvm_enable_capability(machine->vm, &split, why);

	machine->x2apic = vcpus > XAPIC_MAX_VCPUS;
	if (error == 0 && machine->x2apic)
		error = kvm_enable_capability(machine->vm, &wide, why);
	return error;
}

static int check_limits(const struct machine *machine, uint32_t vcpus, struct why *why)
{
	int most = kvm_capability(machine->vm, KVM_CAP_MAX_VCPUS);

	if (kvm_capability(machine->vm, KVM_CAP_IMMEDIATE_EXIT) == 0)
		return why_set(why, EXIT_HOST, ENOTSUP, "KVM_CAP_IMMEDIATE_EXIT: missing");
	if (kvm_capability(machine->vm, KVM_CAP_SPLIT_IRQCHIP) == 0)
		return why_set(why, EXIT_HOST, ENOTSUP, "KVM_CAP_SPLIT_IRQCHIP: missing");
	if (vcpus > (uint32_t)most)
		return why_set(why, EXIT_HOST, ENOTSUP, "%u vCPUs: this host's KVM takes %d at most",
			       vcpus, most);
	return 0;
}

static int map_memory(struct machine *machine, struct why *why)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = 0,
		.memory_size = (machine->memory.bytes + SD_PAGE_BYTES - 1) &
			~(uint64_t)(SD_PAGE_BYTES - 1),
		.userspace_addr = (uintptr_t)machine->memory.hva,
	};
	unsigned long mmu_pages = MMU_PAGES_BASE + MMU_PAGES_A_VCPU * machine->memory.vcpus;
	int error = kvm_set_tss_address(machine->vm, TSS_GPA, why);

	if (error == 0)
		error = kvm_set_memory(machine->vm, &region, why);
	/* Set after the memory, because the size of that sets KVM's default. */
	if (error == 0)
		error = kvm_set_mmu_pages(machine->vm, mmu_pages, why);
	return error;
}

static int fill(struct machine *machine, struct machine_shape shape,
		struct machine_payload payload, struct why *why)
{
	struct sd_control *control = guest_control(&machine->memory);

	control->abi_version = SD_ABI_VERSION;
	control->vcpus = shape.vcpus;
	control->initiators = shape.initiators;
	control->pages = shape.pages;
	control->x2apic = machine->x2apic;
	sd_u32_store(&control->steps, shape.steps);
	control->by_page = shape.by_page;
	control->sleepers = shape.sleepers;
	control->free_after_grace = shape.free_after_grace;
	control->trace = shape.trace;
	page_tables_build(&machine->memory);
	return elf_load(payload.name, payload.image, payload.bytes, machine->memory.hva,
			machine->memory.bytes, &machine->entry, why);
}

int machine_create(struct machine *machine, struct kvm_system system, struct machine_shape shape,
		   struct machine_payload payload, struct why *why)
{
	int error, bytes;

	*machine = (struct machine){ .system = system, .vm = { .fd = -1 }, .memory = { .fd = -1 } };
	error = kvm_create_vm(system, &machine->vm, why);
	if (error != 0)
		return error;
	error = check_limits(machine, shape.vcpus, why);
	if (error == 0)
		error = create_apics(machine, shape.vcpus, why);
	if (error == 0)
		error = guest_memory_create(&machine->memory, shape.vcpus, shape.initiators,
					    shape.pages, why);
	if (error == 0)
		error = fill(machine, shape, payload, why);
	if (error == 0)
		error = map_memory(machine, why);
	bytes = error != 0 ? error : kvm_vcpu_mmap_size(system, why);
	if (bytes < 0) {
		machine_destroy(machine);
		return bytes;
	}
	machine->run_bytes = (size_t)bytes;
	fill_cpuid(&machine->cpuid);
	return 0;
}

void machine_destroy(struct machine *machine)
{
	guest_memory_destroy(&machine->memory);
	if (machine->vm.fd >= 0)
		close(machine->vm.fd);
	machine->vm.fd = -1;
}
