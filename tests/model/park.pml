/* SPDX-License-Identifier: MIT */
/*
 * park.pml - vmm/session/park.c: the VMM's side, on the vCPU's own thread.
 *
 * Expanded inside the vCPU's process (vcpu.pml); owes is the thread's owes_flush.
 * The protocol says how to park the word: inline protocol_park(t, owes).
 * -D: FLUSH_BY_SREGS: the other way of flushing on entry.
 */

#if defined(HOST_MARKS) && !defined(MUTANT_NO_SETTLE)
#define SETTLES
#endif

/* DIGEST vmm/session/park.c settle 2e8c33a55051 */
inline settle()
{
#ifdef SETTLES
	kvm_may_be_scheduled_out();
	kvm_serve_requests()            /* and out again before the guest: a signal is pending */
#else
	skip
#endif
}

/* DIGEST vmm/session/park.c vcpu_park 3c4b10373320 */
inline vcpu_park()
{
	settle();
	protocol_park(me, owes)
#ifndef MUTANT_BYTE_NOT_MARKED
	; sd_byte_mark(me)
#endif
}

/* DIGEST vmm/session/park.c vcpu_flush_on_entry 6c37124458dd
   DIGEST vmm/session/park.c pay_debt 47d755c214ee */
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

/* KVM_GET_LAPIC, an ioctl as any other: once here for all the looks at a sleeping vCPU,
 * by other threads too, and at one whose request was taken over.
 * -D: CLEARS_PENDING: take the IPI of such a request back. A handler's vector is in
 * service up to its last step but one.
 * DIGEST vmm/session/park.c settle_spurious 1941ffd37d7e
 * DIGEST vmm/session/vcpu_thread.c vcpu_is_interrupted 17fa03e86d2e
 * DIGEST vmm/protocols/transfer.c transfer_is_served fcd6f9db689b
 * DIGEST vmm/machine/lapic.c lapic_clear_pending b64b7c1860d5 */
#ifndef HANDLER_STEPS
#define HANDLER_STEPS 4
#endif
#ifdef MUTANT_CLEARED_IN_SERVICE
#define IN_SERVICE(t) false
#else
#define IN_SERVICE(t) (0 < handler[t] && handler[t] < HANDLER_STEPS)
#endif

inline look_at_lapic()
{
	kvm_may_be_scheduled_out();
#ifdef CLEARS_PENDING
	if
	:: irq[me] && !IN_SERVICE(me) && sd_word_served(me, WITHOUT_FLAGS(request[me])) ->
		kvm_may_be_scheduled_out();
		irq[me] = false
	:: else
	fi
#endif
}

/* DIGEST vmm/session/park.c vcpu_unpark c519f6e99701 */
inline vcpu_unpark()
{
	look_at_lapic();
#ifdef MUTANT_UNPARK_DROPS_DEBT
	owes = false;
#endif
	sd_word_unpark(me, owes);
	vcpu_flush_on_entry()
}
