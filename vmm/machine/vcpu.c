// SPDX-License-Identifier: MIT
/*
 * vcpu.c - one virtual CPU (vcpu.h).
 *
 * Threads: all of it on the vCPU's own thread; vcpu_destroy() on main.
 * Follows: Linux Documentation/virt/kvm/api.rst; Intel SDM volume 3, 9.8 (what
 *          64-bit mode needs), 10.4 (local APIC).
 */
#include "vcpu.h"

#include <asm/kvm_para.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pte.h"

#define CR0_START  0x80050033u  /* PG AM WP NE ET MP PE */
#define CR4_START  0x620u       /* PAE OSFXSR OSXMMEXCPT; no PGE, no PCID */
#define EFER_START 0x500u       /* LMA LME */
#define RFLAGS_START 0x3202u    /* IOPL 3, IF; see build_tss() for the port */
#define APIC_SPURIOUS 0xf0
#define APIC_ENABLED 0x1ffu     /* software enable, spurious vector 0xff */
#define APIC_BASE_BOOT   (UINT64_C(1) << 8)
#define APIC_BASE_X2APIC (UINT64_C(1) << 10)
#define APIC_BASE_ENABLE (UINT64_C(1) << 11)

static struct kvm_segment segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = selector & 3,
		.s = 1,
		.g = 1,
	};
}

static struct kvm_segment code_segment(void)
{
	struct kvm_segment code = segment(SD_USER_CS, 11);

	code.l = 1;
	return code;
}

static struct kvm_segment data_segment(void)
{
	struct kvm_segment data = segment(SD_USER_DS, 3);

	data.db = 1;
	return data;
}

static int set_sregs(struct vcpu *vcpu, bool x2apic, struct why *why)
{
	struct kvm_sregs sregs = {
		.cr0 = CR0_START,
		.cr3 = sd_table_gpa(vcpu->id, SD_TABLE_PML4),
		.cr4 = CR4_START,
		.efer = EFER_START,
		.cs = code_segment(),
		.gdt = { .base = SD_GDT_GPA, .limit = SD_PAGE_BYTES - 1 },
		.idt = { .base = SD_IDT_GPA, .limit = SD_PAGE_BYTES - 1 },
		.tr = {
			.base = SD_TSS_GPA + (uint64_t)vcpu->id * SD_TSS_STRIDE,
			.limit = SD_TSS_BYTES - 1,
			.selector = SD_TSS_SELECTOR,
			.type = 11,
			.present = 1,
		},
		.ldt = { .unusable = 1 },
		.apic_base = SD_APIC_GPA | APIC_BASE_ENABLE,
	};

	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data_segment();
	sregs.apic_base |= vcpu->id == 0 ? APIC_BASE_BOOT : 0;
	sregs.apic_base |= x2apic ? APIC_BASE_X2APIC : 0;
	return kvm_set_sregs(vcpu->fd, &sregs, why);
}

static int set_regs(struct vcpu *vcpu, uint64_t entry, struct why *why)
{
	/* A multiple of 16 before _start's call, as the System V ABI wants. */
	uint64_t top = SD_STACK_GPA + (uint64_t)(vcpu->id + 1) * SD_STACK_STRIDE - SD_PAGE_BYTES;
	struct kvm_regs regs = {
		.rip = entry,
		.rsp = top,
		.rdi = vcpu->id,
		.rflags = RFLAGS_START,
	};

	return kvm_set_regs(vcpu->fd, &regs, why);
}

static int enable_apic(struct vcpu *vcpu, struct why *why)
{
	struct kvm_lapic_state lapic;
	uint32_t enabled = APIC_ENABLED;
	int error = kvm_get_lapic(vcpu->fd, &lapic, why);

	if (error != 0)
		return error;
	memcpy(lapic.regs + APIC_SPURIOUS, &enabled, sizeof(enabled));
	return kvm_set_lapic(vcpu->fd, &lapic, why);
}

static int set_state(struct vcpu *vcpu, const struct machine *machine, struct why *why)
{
	uint64_t steal_time = (SD_REGION_GPA + (uint64_t)vcpu->id * SD_REGION_STRIDE) |
		KVM_MSR_ENABLED;
	struct why refused = { 0 };
	int error = 0;

	/* Without a CPUID a vCPU does all that a payload may rely on, but for
	 * x2APIC mode; setting it costs 250 us where CPUID traps. */
	if (machine->x2apic)
		error = kvm_set_cpuid(vcpu->fd, &machine->cpuid, why);

	if (error == 0)
		error = kvm_set_running(vcpu->fd, why);
	if (error == 0)
		error = set_sregs(vcpu, machine->x2apic, why);
	if (error == 0)
		error = enable_apic(vcpu, why);
	if (error == 0)
		error = set_regs(vcpu, machine->entry, why);
	/* KVM refuses this where the kernel keeps no scheduler statistics. */
	if (error == 0)
		vcpu->has_steal_time = kvm_set_msr(vcpu->fd, MSR_KVM_STEAL_TIME, steal_time,
						   &refused) == 0;
	return error;
}

int vcpu_create(struct vcpu *vcpu, const struct machine *machine, uint32_t id, struct why *why)
{
	int error;

	*vcpu = (struct vcpu){
		.id = id,
		.fd = { .fd = -1 },
		.run_bytes = machine->run_bytes,
		.region = guest_region(&machine->memory, id),
	};
	error = kvm_create_vcpu(machine->vm, id, &vcpu->fd, why);
	if (error != 0)
		return error;
	vcpu->run = mmap(NULL, vcpu->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd.fd, 0);
	if (vcpu->run == MAP_FAILED) {
		vcpu->run = NULL;
		error = why_set(why, EXIT_HOST, errno, "kvm_run of vCPU %u: %s", id, strerror(errno));
	}
	if (error == 0)
		error = set_state(vcpu, machine, why);
	if (error != 0)
		vcpu_destroy(vcpu);
	return error;
}

void vcpu_destroy(struct vcpu *vcpu)
{
	if (vcpu->run != NULL)
		munmap(vcpu->run, vcpu->run_bytes);
	if (vcpu->fd.fd >= 0)
		close(vcpu->fd.fd);
	*vcpu = (struct vcpu){ .id = vcpu->id, .fd = { .fd = -1 } };
}

int vcpu_finish_instruction(struct vcpu *vcpu, struct why *why)
{
	int error;

	__atomic_store_n(&vcpu->run->immediate_exit, 1, __ATOMIC_RELAXED);
	error = kvm_run(vcpu->fd);
	if (error == -EINTR)
		return 0;
	if (error != 0)
		return kvm_failed(vcpu->fd, "KVM_RUN", -error, why);
	/* A single out of one word has nothing more to ask for. */
	return why_set(why, EXIT_GUEST, EIO, "vCPU %u: exit %u (%s) while finishing an instruction",
		       vcpu->id, vcpu->run->exit_reason, vcpu_exit_name(vcpu->run->exit_reason));
}
