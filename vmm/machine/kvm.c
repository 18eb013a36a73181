// SPDX-License-Identifier: MIT
/*
 * kvm.c - the ioctls (kvm.h).
 *
 * Threads: a vCPU descriptor belongs to its thread; the others to main.
 */
#include "kvm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm_usable.h"

/* One call: the request is written once, its name comes from itself, and the
 * size encoded in it has to be that of what the argument points to. */
#define CALL(object, request, argument, why) \
	call((object).fd, request, #request, \
	     (unsigned long)(uintptr_t)(argument) + \
	     0 * sizeof(char[_IOC_SIZE(request) == sizeof(*(argument)) ? 1 : -1]), why)

#define CALL_VALUE(object, request, value, why) \
	call((object).fd, request, #request, \
	     (unsigned long)(value) + 0 * sizeof(char[_IOC_SIZE(request) == 0 ? 1 : -1]), why)

/* The same on a vCPU. */
#define CALL_VCPU(object, request, argument, why) \
	call_vcpu(object, request, #request, \
		  (unsigned long)(uintptr_t)(argument) + \
		  0 * sizeof(char[_IOC_SIZE(request) == sizeof(*(argument)) ? 1 : -1]), why)

static int call(int fd, unsigned long request, const char *name, unsigned long argument,
		struct why *why)
{
	int result = ioctl(fd, request, argument);

	if (result < 0)
		return why_set(why, EXIT_HOST, errno, "%s: %s", name, strerror(errno));
	return result;
}

static int call_vcpu(struct kvm_vcpu_fd vcpu, unsigned long request, const char *name,
		     unsigned long argument, struct why *why)
{
	int result = ioctl(vcpu.fd, request, argument);

	return result < 0 ? kvm_failed(vcpu, name, errno, why) : result;
}

int kvm_open(struct kvm_system *system, struct why *why)
{
	char reason[256];

	system->fd = kvm_usable(reason, sizeof(reason));
	if (system->fd < 0)
		return why_set(why, EXIT_HOST, -system->fd, "%s", reason);
	return 0;
}

int kvm_create_vm(struct kvm_system system, struct kvm_vm *vm, struct why *why)
{
	struct why attempt;

	do {
		attempt = (struct why){ 0 };
		vm->fd = CALL_VALUE(system, KVM_CREATE_VM, 0, &attempt);
	} while (vm->fd == -EINTR);
	if (vm->fd < 0)
		return why_set(why, attempt.status, -vm->fd, "%s", attempt.text);
	return 0;
}

int kvm_supported_cpuid(struct kvm_system system, struct kvm_cpuid_table *table, struct why *why)
{
	table->head.nent = KVM_CPUID_ENTRIES;
	return CALL(system, KVM_GET_SUPPORTED_CPUID, &table->head, why);
}

int kvm_vcpu_mmap_size(struct kvm_system system, struct why *why)
{
	return CALL_VALUE(system, KVM_GET_VCPU_MMAP_SIZE, 0, why);
}

int kvm_capability(struct kvm_vm vm, unsigned long capability)
{
	int value = ioctl(vm.fd, KVM_CHECK_EXTENSION, capability);

	return value < 0 ? 0 : value;
}

int kvm_enable_capability(struct kvm_vm vm, const struct kvm_enable_cap *capability,
			  struct why *why)
{
	return CALL(vm, KVM_ENABLE_CAP, capability, why);
}

int kvm_set_memory(struct kvm_vm vm, const struct kvm_userspace_memory_region *memory,
		   struct why *why)
{
	return CALL(vm, KVM_SET_USER_MEMORY_REGION, memory, why);
}

int kvm_set_mmu_pages(struct kvm_vm vm, unsigned long pages, struct why *why)
{
	return CALL_VALUE(vm, KVM_SET_NR_MMU_PAGES, pages, why);
}

int kvm_set_tss_address(struct kvm_vm vm, unsigned long gpa, struct why *why)
{
	return CALL_VALUE(vm, KVM_SET_TSS_ADDR, gpa, why);
}

int kvm_create_vcpu(struct kvm_vm vm, uint32_t id, struct kvm_vcpu_fd *vcpu, struct why *why)
{
	*vcpu = (struct kvm_vcpu_fd){ .id = id };
	vcpu->fd = CALL_VALUE(vm, KVM_CREATE_VCPU, id, why);
	return vcpu->fd < 0 ? vcpu->fd : 0;
}

int kvm_set_cpuid(struct kvm_vcpu_fd vcpu, const struct kvm_cpuid_table *table, struct why *why)
{
	return CALL_VCPU(vcpu, KVM_SET_CPUID2, &table->head, why);
}

int kvm_get_regs(struct kvm_vcpu_fd vcpu, struct kvm_regs *regs, struct why *why)
{
	return CALL_VCPU(vcpu, KVM_GET_REGS, regs, why);
}

int kvm_set_regs(struct kvm_vcpu_fd vcpu, const struct kvm_regs *regs, struct why *why)
{
	return CALL_VCPU(vcpu, KVM_SET_REGS, regs, why);
}

int kvm_get_sregs(struct kvm_vcpu_fd vcpu, struct kvm_sregs *sregs, struct why *why)
{
	return CALL_VCPU(vcpu, KVM_GET_SREGS, sregs, why);
}

int kvm_set_sregs(struct kvm_vcpu_fd vcpu, const struct kvm_sregs *sregs, struct why *why)
{
	return CALL_VCPU(vcpu, KVM_SET_SREGS, sregs, why);
}

int kvm_set_msr(struct kvm_vcpu_fd vcpu, uint32_t index, uint64_t value, struct why *why)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head = { .nmsrs = 1 },
		.entry = { .index = index, .data = value },
	};
	int set = CALL_VCPU(vcpu, KVM_SET_MSRS, &msrs.head, why);

	if (set == 0)
		return why_set(why, EXIT_HOST, EINVAL, "KVM_SET_MSRS: MSR 0x%x refused", index);
	return set < 0 ? set : 0;
}

int kvm_set_running(struct kvm_vcpu_fd vcpu, struct why *why)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };

	return CALL_VCPU(vcpu, KVM_SET_MP_STATE, &state, why);
}

int kvm_get_lapic(struct kvm_vcpu_fd vcpu, struct kvm_lapic_state *lapic, struct why *why)
{
	return CALL_VCPU(vcpu, KVM_GET_LAPIC, lapic, why);
}

int kvm_set_lapic(struct kvm_vcpu_fd vcpu, const struct kvm_lapic_state *lapic, struct why *why)
{
	return CALL_VCPU(vcpu, KVM_SET_LAPIC, lapic, why);
}

int kvm_get_stats_fd(struct kvm_vcpu_fd vcpu, struct why *why)
{
	return CALL_VALUE(vcpu, KVM_GET_STATS_FD, 0, why);
}

int kvm_get_tsc_khz(struct kvm_vcpu_fd vcpu, struct why *why)
{
	return CALL_VALUE(vcpu, KVM_GET_TSC_KHZ, 0, why);
}

int kvm_set_tsc_offset(struct kvm_vcpu_fd vcpu, uint64_t ticks, struct why *why)
{
	struct kvm_device_attr attribute = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&ticks,
	};

	return CALL_VCPU(vcpu, KVM_SET_DEVICE_ATTR, &attribute, why);
}

int kvm_set_signal_mask(struct kvm_vcpu_fd vcpu, uint64_t blocked, struct why *why)
{
	struct {
		struct kvm_signal_mask head;
		uint64_t blocked;
	} mask = {
		.head = { .len = sizeof(mask.blocked) },
		.blocked = blocked,
	};

	return CALL_VCPU(vcpu, KVM_SET_SIGNAL_MASK, &mask.head, why);
}

int kvm_run(struct kvm_vcpu_fd vcpu)
{
	return ioctl(vcpu.fd, KVM_RUN, 0) < 0 ? -errno : 0;
}
