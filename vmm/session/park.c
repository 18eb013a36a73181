// SPDX-License-Identifier: MIT
/*
 * park.c - park, unpark and the flush on entry (park.h).
 *
 * Threads: the vCPU's own thread, outside KVM_RUN: nobody else may set bits in
 *          KVM's byte, because KVM overwrites it with a plain store when a
 *          thread inside KVM_RUN is scheduled out.
 * Follows: include/word.h; Linux arch/x86/kvm/x86.c, record_steal_time() and
 *          kvm_steal_time_set_preempted().
 */
#include "park.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include "exits.h"
#include "lapic.h"
#include "vcpu_signals.h"

#define CR4_PGE (1u << 7)

void vcpu_mark_created(struct vcpu_thread *thread)
{
	sd_word_mark(thread->vcpu.region);
	sd_byte_mark(thread->vcpu.region);
	thread->parked_ticks = __rdtsc();
}

/*
 * Where KVM marks vCPUs itself, its last exit has left at_instruction_boundary
 * set, and the next KVM_RUN may store a plain 1 over the byte before it gets to
 * read it: a flush asked for would be lost. One more KVM_RUN that a pending
 * signal ends before entry clears that. immediate_exit would not: it returns
 * too early, and so does a kick that comes in between: then once more. The
 * signal is blocked here and let through inside KVM_RUN.
 */
static int settle(struct vcpu_thread *thread)
{
	const struct timespec now = { 0 };
	sigset_t set;
	int error;

	(void)syscall(SYS_tgkill, getpid(), thread->member.thread, VCPU_SETTLE_SIGNAL);
	do {
		__atomic_store_n(&thread->vcpu.run->immediate_exit, 0, __ATOMIC_RELAXED);
		error = vcpu_run(thread);
	} while (error == -EINTR &&
		 __atomic_load_n(&thread->vcpu.run->immediate_exit, __ATOMIC_RELAXED) != 0);
	sigemptyset(&set);
	sigaddset(&set, VCPU_SETTLE_SIGNAL);
	(void)sigtimedwait(&set, NULL, &now);
	if (error == -EINTR)
		return 0;
	if (error != 0)
		return kvm_failed(thread->vcpu.fd, "KVM_RUN", -error, &thread->why);
	/* The vCPU stands between two instructions, so only the guest can have left more to do. */
	return why_set(&thread->why, EXIT_GUEST, EIO, "vCPU %u: exit %u (%s) while it was parked",
		       thread->vcpu.id, thread->vcpu.run->exit_reason,
		       vcpu_exit_name(thread->vcpu.run->exit_reason));
}

int vcpu_park(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;
	int error = 0;

	thread->parked_ticks = __rdtsc();
	exit_end(thread, thread->parked_ticks);
	trace_add(thread->trace, TRACE_RUNNING, thread->running_ticks, thread->parked_ticks,
		  thread->slot_number);
	if (thread->policy->settles)
		error = settle(thread);
	/* Before the mark: whoever sees the vCPU served by this park also sees
	 * that there was one. */
	sd_u64_store(&region->parks, sd_u64_load(&region->parks) + 1);
	thread->transferred = thread->policy->protocol->park(region);
	thread->owes_flush |= thread->transferred;
	thread->counts.transfers += thread->transferred;
	if (thread->transferred)
		trace_add(thread->trace, TRACE_TRANSFER, thread->parked_ticks, __rdtsc(), 0);
	thread->counts.switches++;
	sd_byte_mark(region);
	return error;
}

/*
 * The IPI of a request that park has taken over is still in the APIC, and its handler
 * will run for nothing. It can be taken back here, between the two steps in which
 * initiators of this protocol send no IPI that counts; one of another vector that
 * comes between the two ioctls would be lost, hence only if asked for.
 */
static int settle_spurious(struct vcpu_thread *thread)
{
	const struct protocol_ops *protocol = thread->policy->protocol;
	struct kvm_lapic_state lapic;
	int error = kvm_get_lapic(thread->vcpu.fd, &lapic, &thread->why);

	if (error != 0 || !lapic_is_pending(&lapic, protocol->vector) ||
	    !protocol->is_served(thread->vcpu.region))
		return error;
	thread->counts.spurious_ipis++;
	if (!thread->policy->clears_pending ||
	    !lapic_clear_pending(&lapic, protocol->vector))
		return 0;
	thread->counts.cleared_ipis++;
	return kvm_set_lapic(thread->vcpu.fd, &lapic, &thread->why);
}

/* A change of CR4.PGE flushes the whole TLB (SDM volume 3, 4.10.4.1). */
static int flush_by_sregs(struct vcpu_thread *thread)
{
	struct kvm_sregs sregs;
	int error = kvm_get_sregs(thread->vcpu.fd, &sregs, &thread->why);

	for (int i = 0; error == 0 && i < 2; i++) {
		sregs.cr4 ^= CR4_PGE;
		error = kvm_set_sregs(thread->vcpu.fd, &sregs, &thread->why);
	}
	return error;
}

static int pay_debt(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;
	int error;

	if (thread->policy->entry_flush == ENTRY_FLUSH_STEAL) {
		/* The debt is KVM's from here on: the bit stays in the byte until
		 * record_steal_time() takes it and flushes, also over KVM_RUNs that
		 * were cancelled. */
		if (thread->owes_flush)
			sd_byte_ask_flush(region);
		thread->owes_flush = false;
		return 0;
	}
	thread->owes_flush |= sd_byte_take(region);
	if (!thread->owes_flush)
		return 0;
	error = flush_by_sregs(thread);
	thread->owes_flush = error != 0;
	return error;
}

/* The debt, and what initiators have left in KVM's byte. */
static int pay_debt_traced(struct vcpu_thread *thread)
{
	bool flushes = thread->owes_flush ||
		sd_u8_load(&thread->vcpu.region->preempted) & SD_BYTE_FLUSH_TLB;
	uint64_t start = __rdtsc();
	int error = pay_debt(thread);

	if (flushes)
		trace_add(thread->trace, TRACE_ENTRY_FLUSH, start, __rdtsc(), 0);
	return error;
}

int vcpu_flush_on_entry(struct vcpu_thread *thread)
{
	return thread->trace == NULL ? pay_debt(thread) : pay_debt_traced(thread);
}

int vcpu_settle_and_flush(struct vcpu_thread *thread)
{
	int error = thread->policy->settles ? settle(thread) : 0;

	return error != 0 ? error : vcpu_flush_on_entry(thread);
}

int vcpu_unpark(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;
	int error = 0;

	if (thread->transferred)
		error = settle_spurious(thread);
	thread->owes_flush |= sd_word_unpark(region);
	if (thread->policy->protocol->unpark != NULL)
		thread->owes_flush |= thread->policy->protocol->unpark(region);
	if (error == 0)
		error = vcpu_flush_on_entry(thread);
	thread->running_ticks = __rdtsc();
	sd_u64_store(&region->parked_ticks, sd_u64_load(&region->parked_ticks) +
		     (thread->running_ticks - thread->parked_ticks));
	trace_add(thread->trace, TRACE_PARKED, thread->parked_ticks, thread->running_ticks,
		  trace_parked(vcpu_state_of(thread), thread->exit_kind));
	return error;
}
