/* SPDX-License-Identifier: MIT */
/*
 * kvm.pml - what KVM does between KVM_RUN and the guest, as far as the
 * handshake can see it. Expanded inside the vCPU's process (vcpu.pml).
 *
 * Follows: Linux 6.1 arch/x86/kvm/x86.c: kvm_steal_time_set_preempted(),
 *          record_steal_time(), vcpu_run(), vcpu_enter_guest().
 * -D: HOST_MARKS: this KVM marks vCPUs itself (VMX, SVM).
 */

/* KVM's private memory, locals of the vCPU's process:
 *   at_boundary      arch.at_instruction_boundary, left true by the last exit
 *   st_preempted     arch.st.preempted
 *   flush_requested  KVM_REQ_TLB_FLUSH_GUEST; survives a cancelled run */

/* The host may schedule a thread out anywhere inside an ioctl of its vCPU: then
 * KVM marks the vCPU by a plain store. No store buffer here: the next access of
 * this CPU to anything shared is a locked one, so that a store that waits is
 * the same as a store that is made later. */
inline kvm_may_be_scheduled_out()
{
#ifdef HOST_MARKS
	if
	:: atomic {
		at_boundary && !st_preempted ->
		preempted[me] = SD_BYTE_PREEMPTED;
		st_preempted = true
	   }
	:: skip
	fi
#else
	skip
#endif
}

/* The top of vcpu_run(), and the requests: record_steal_time() takes the byte.
 * Flushing at once is the worst case: the oldest translations. */
inline kvm_serve_requests()
{
#ifdef MUTANT_TAKE_BY_COPY
	old = preempted[me];
#endif
	atomic {
		drain_vcpu(me);
#ifndef MUTANT_TAKE_BY_COPY
		old = preempted[me];
#endif
#ifdef MUTANT_PREEMPTED_STAYS
		preempted[me] = old & ~SD_BYTE_FLUSH_TLB;
#else
		preempted[me] = 0;
#endif
		at_boundary = false;
		st_preempted = false;
		if
		:: (old & SD_BYTE_FLUSH_TLB) || flush_requested -> flush_tlb(me)
		:: else
		fi;
		flush_requested = false;
		old = 0
	}
}

/* Any exit, taken for one at an instruction boundary: the worst case. */
inline kvm_exit()
{
#ifdef HOST_MARKS
	at_boundary = true
#else
	skip
#endif
}

/* KVM_SET_SREGS with CR4.PGE changed. */
inline kvm_set_sregs()
{
	kvm_may_be_scheduled_out();
	flush_requested = true
}

/* A cancelled run: KVM_RUN has returned without having entered the guest. */
inline run_is_cancelled()
{
#ifdef MUTANT_CANCELLED_RUN_DROPS_DEBT
	atomic { preempted[me] = preempted[me] & ~SD_BYTE_FLUSH_TLB; flush_requested = false }
#else
	skip
#endif
}
