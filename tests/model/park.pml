/* SPDX-License-Identifier: MIT */
/*
 * park.pml - vmm/session/park.c: the VMM's side, on the vCPU's own thread.
 *
 * Expanded inside the vCPU's process (vcpu.pml); owes is the thread's owes_flush.
 * The protocol says how to park the word: inline protocol_park(t, owes).
 * -D: FLUSH_BY_SREGS: the other way of flushing on entry.
 */

#if defined(HOST_MARKS) && !defined(FLUSH_BY_SREGS) && !defined(MUTANT_NO_SETTLE)
#define SETTLES
#endif

/* DIGEST vmm/session/park.c settle 171ecdedb6e7 */
inline settle()
{
#ifdef SETTLES
	kvm_may_be_scheduled_out();
	kvm_serve_requests()            /* and out again before the guest: a signal is pending */
#else
	skip
#endif
}

/* DIGEST vmm/session/park.c vcpu_park 7f9327f4da54 */
inline vcpu_park()
{
	settle();
	protocol_park(me, owes)
#ifndef MUTANT_BYTE_NOT_MARKED
	; sd_byte_mark(me)
#endif
}

/* DIGEST vmm/session/park.c vcpu_flush_on_entry ce0956d40809 */
inline vcpu_flush_on_entry()
{
#ifdef FLUSH_BY_SREGS
	sd_byte_take(me, owes);
	if
	:: owes -> kvm_set_sregs(); owes = false
	:: else
	fi
#else
	if
	:: atomic { owes -> sd_byte_ask_flush(me); owes = false }
	:: else
	fi
#endif
}

/* KVM_GET_LAPIC, for the count of spurious IPIs: an ioctl as any other. */
inline look_at_lapic()
{
#if defined(LAPIC_IS_READ) || defined(MUTANT_LAPIC_OF_ALL_PARKED)
	kvm_may_be_scheduled_out()
#else
	skip
#endif
}

/* DIGEST vmm/session/park.c vcpu_unpark b2e393c34b89 */
inline vcpu_unpark()
{
	look_at_lapic();
#ifdef MUTANT_UNPARK_DROPS_DEBT
	owes = false;
#endif
	sd_word_unpark(me, owes);
	vcpu_flush_on_entry()
}
