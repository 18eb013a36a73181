/* SPDX-License-Identifier: MIT */
/*
 * fake_kvm.h - the ioctls of a vCPU without KVM: kvm_ functions of kvm.h on registers that the
 * test has. KVM_RUN is the test's own.
 *
 * Included once by a program; it defines what the VMM's files under test call.
 */
#ifndef FAKE_KVM_H
#define FAKE_KVM_H

#include <string.h>

#include "kvm.h"

#define FAKE_CR4_PGE (1u << 7)

struct fake_registers {
	uint64_t cr4;
	unsigned flips;                 /* changes of CR4.PGE: whole flushes */
	struct kvm_lapic_state lapic;
	unsigned lapic_writes;
	unsigned posted_meanwhile;      /* a vector that somebody posts after KVM_GET_LAPIC */
};

enum fake_ioctl { FAKE_GET_SREGS, FAKE_SET_SREGS, FAKE_GET_LAPIC, FAKE_SET_LAPIC };

/* Of the test: the vCPU's registers, and what happens before an ioctl; not 0: it fails so. */
static struct fake_registers *fake_registers(struct kvm_vcpu_fd vcpu);
static int fake_ioctl(struct kvm_vcpu_fd vcpu, enum fake_ioctl ioctl, struct why *why);

/* SDM volume 3, table 11-1: 32 vectors each 16 bytes. */
#define FAKE_ISR 0x100
#define FAKE_IRR 0x200

static inline char *lapic_byte(struct kvm_lapic_state *lapic, unsigned registers, unsigned vector)
{
	return &lapic->regs[registers + vector / 32 * 16 + vector % 32 / 8];
}

static inline void lapic_set(struct kvm_lapic_state *lapic, unsigned registers, unsigned vector)
{
	char *byte = lapic_byte(lapic, registers, vector);

	*byte = (char)(*byte | 1 << vector % 8);
}

static inline void lapic_clear(struct kvm_lapic_state *lapic, unsigned registers, unsigned vector)
{
	char *byte = lapic_byte(lapic, registers, vector);

	*byte = (char)(*byte & ~(1 << vector % 8));
}

static inline bool lapic_is_set(struct kvm_lapic_state *lapic, unsigned registers, unsigned vector)
{
	return *lapic_byte(lapic, registers, vector) >> vector % 8 & 1;
}

int kvm_get_sregs(struct kvm_vcpu_fd vcpu, struct kvm_sregs *sregs, struct why *why)
{
	int error = fake_ioctl(vcpu, FAKE_GET_SREGS, why);

	memset(sregs, 0, sizeof(*sregs));
	sregs->cr4 = fake_registers(vcpu)->cr4;
	return error;
}

int kvm_set_sregs(struct kvm_vcpu_fd vcpu, const struct kvm_sregs *sregs, struct why *why)
{
	int error = fake_ioctl(vcpu, FAKE_SET_SREGS, why);
	struct fake_registers *registers = fake_registers(vcpu);

	registers->flips += ((sregs->cr4 ^ registers->cr4) & FAKE_CR4_PGE) != 0;
	registers->cr4 = sregs->cr4;
	return error;
}

int kvm_get_lapic(struct kvm_vcpu_fd vcpu, struct kvm_lapic_state *lapic, struct why *why)
{
	int error = fake_ioctl(vcpu, FAKE_GET_LAPIC, why);
	struct fake_registers *registers = fake_registers(vcpu);

	*lapic = registers->lapic;
	if (registers->posted_meanwhile != 0)
		lapic_set(&registers->lapic, FAKE_IRR, registers->posted_meanwhile);
	return error;
}

/* What was posted meanwhile is written over. */
int kvm_set_lapic(struct kvm_vcpu_fd vcpu, const struct kvm_lapic_state *lapic, struct why *why)
{
	int error = fake_ioctl(vcpu, FAKE_SET_LAPIC, why);

	fake_registers(vcpu)->lapic = *lapic;
	fake_registers(vcpu)->lapic_writes++;
	return error;
}

/* --- those that change nothing here ------------------------------------------------------ */

int kvm_get_regs(struct kvm_vcpu_fd vcpu, struct kvm_regs *regs, struct why *why)
{
	(void)vcpu, (void)why;
	memset(regs, 0, sizeof(*regs));
	return 0;
}

int kvm_set_regs(struct kvm_vcpu_fd vcpu, const struct kvm_regs *regs, struct why *why)
{
	(void)vcpu, (void)regs, (void)why;
	return 0;
}

int kvm_set_cpuid(struct kvm_vcpu_fd vcpu, const struct kvm_cpuid_table *table, struct why *why)
{
	(void)vcpu, (void)table, (void)why;
	return 0;
}

int kvm_set_running(struct kvm_vcpu_fd vcpu, struct why *why)
{
	(void)vcpu, (void)why;
	return 0;
}

int kvm_set_signal_mask(struct kvm_vcpu_fd vcpu, uint64_t blocked, struct why *why)
{
	(void)vcpu, (void)blocked, (void)why;
	return 0;
}

int kvm_set_msr(struct kvm_vcpu_fd vcpu, uint32_t index, uint64_t value, struct why *why)
{
	(void)vcpu, (void)index, (void)value, (void)why;
	return 0;
}

int kvm_set_tsc_offset(struct kvm_vcpu_fd vcpu, uint64_t ticks, struct why *why)
{
	(void)vcpu, (void)ticks, (void)why;
	return 0;
}

#endif
