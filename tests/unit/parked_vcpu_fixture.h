/* SPDX-License-Identifier: MIT */
/*
 * parked_vcpu_fixture.h - one vCPU to park and unpark, and a KVM_RUN that ends as the case says.
 */
#ifndef PARKED_VCPU_FIXTURE_H
#define PARKED_VCPU_FIXTURE_H

#include <pthread.h>
#include <signal.h>

#include "../fake_kvm.h"
#include "park.h"
#include "session.h"
#include "unit_test.h"
#include "vcpu_signals.h"

#define CR4_START 0x620u

static struct session g_session;
static struct vcpu_thread g_thread;
static struct sd_region g_region;
static struct kvm_run g_run;

static struct {
	struct fake_registers registers;
	int sregs_error;                /* of KVM_GET_SREGS */
	int lapic_error;                /* of KVM_GET_LAPIC */
	unsigned runs;
	unsigned kicks;                 /* to come in between, before KVM_RUN looks */
	bool takes_byte;                /* KVM_RUN gets as far as that, unless it was kicked */
	int run_result;
	bool too_early;                 /* KVM_RUN told to return before it has looked */
	bool marked_early;              /* PREEMPTED before the last KVM_RUN */
	bool unsignalled;               /* KVM_RUN without a signal to end it */
} g_kvm;

static struct fake_registers *fake_registers(struct kvm_vcpu_fd vcpu)
{
	(void)vcpu;
	return &g_kvm.registers;
}

static int fake_ioctl(struct kvm_vcpu_fd vcpu, enum fake_ioctl ioctl, struct why *why)
{
	int error = ioctl == FAKE_GET_SREGS ? g_kvm.sregs_error :
		    ioctl == FAKE_GET_LAPIC ? g_kvm.lapic_error : 0;

	(void)vcpu;
	return error == 0 ? 0 : why_set(why, EXIT_HOST, error, "ioctl");
}

int kvm_run(struct kvm_vcpu_fd vcpu)
{
	sigset_t pending;

	(void)vcpu;
	g_kvm.runs++;
	g_kvm.too_early |= g_run.immediate_exit;
	sigpending(&pending);
	g_kvm.unsignalled |= !sigismember(&pending, VCPU_SETTLE_SIGNAL);
	g_kvm.marked_early |= sd_word_preempted(&g_region);
	g_run.immediate_exit = g_kvm.kicks != 0;
	g_kvm.kicks -= g_kvm.kicks != 0;
	if (g_kvm.takes_byte && !g_run.immediate_exit)
		(void)sd_byte_take(&g_region);
	return g_run.immediate_exit ? -EINTR : g_kvm.run_result;
}

static int set_up(void **state)
{
	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(&g_thread, 0, sizeof(g_thread));
	memset(&g_region, 0, sizeof(g_region));
	memset(&g_kvm, 0, sizeof(g_kvm));
	g_kvm.registers.cr4 = CR4_START;
	g_kvm.run_result = -EINTR;
	g_session.park.protocol = &protocol_transfer;
	g_session.park.entry_flush = ENTRY_FLUSH_STEAL;
	g_thread.session = &g_session;
	g_thread.policy = &g_session.park;
	g_thread.vcpu.region = &g_region;
	g_thread.vcpu.run = &g_run;
	slot_member_enter(&g_thread.member);
	return 0;
}

#endif
