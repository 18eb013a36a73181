/* SPDX-License-Identifier: MIT */
/*
 * ipi_pending_2017.pml - the IPI_PENDING handshake as it was proposed for the
 * kernel, and why it is not used: four errors.
 *
 * Follows: Peter Zijlstra, "Re: [PATCH v4 2/4] KVM: X86: Add paravirt remote
 *          TLB flush", 2017-11-13. One target; three states in KVM's byte.
 * -D: ERROR_1: the slip in the first loop, as written;
 *     ERROR_4: transfer and marking in two steps, as written;
 *     PARKS_SPARE_THE_HANDLER: no park between two steps of the handler.
 *     Errors 2 and 3 are in the handshake itself.
 */
#define TARGETS 1

#include "machine.pml"

#define KVM_VCPU_PREEMPTED    1
#define KVM_VCPU_SHOULD_FLUSH 2
#define KVM_VCPU_IPI_PENDING  4

byte state = KVM_VCPU_PREEMPTED;

/* flush_tlb_others(). Each try_cmpxchg loop is one step, as in word.pml. */
proctype initiator(byte me)
{
	byte k;
	bool in_flushmask;

	do
	:: calm -> break
	:: atomic { !calm -> store_pte(me) };
		atomic {
			drain_pte(me);
			if
			:: state & KVM_VCPU_PREEMPTED ->
				state = state | KVM_VCPU_SHOULD_FLUSH;
				in_flushmask = false
			:: else ->
				state = state | KVM_VCPU_IPI_PENDING;
				in_flushmask = true
			fi;
#ifdef ERROR_1
			in_flushmask = !in_flushmask
#endif
		};
		if
		:: in_flushmask ->
			irq[0] = true;
			!(state & KVM_VCPU_IPI_PENDING)
		:: else
		fi;
		atomic { in_flushmask = false; flush_returns(me) }
	od
}

/* The TLB invalidate handler. try_cmpxchg puts what it has found into seen. */
inline handle_ipi()
{
	if
	:: atomic { handler[0] == 0 && irq[0] -> irq[0] = false; handler[0] = 1 }
	:: atomic {
		handler[0] == 1 -> seen = state;
		if
		:: seen & KVM_VCPU_IPI_PENDING -> handler[0] = 2
		:: else -> handler[0] = 0; seen = 0
		fi
	   }
	:: atomic { handler[0] == 2 -> flush_tlb(0); handler[0] = 3 }
	:: atomic {
		handler[0] == 3 ->
		if
		:: !(seen & KVM_VCPU_IPI_PENDING) -> handler[0] = 0; seen = 0
		:: (seen & KVM_VCPU_IPI_PENDING) && seen == state ->
			state = state & ~KVM_VCPU_IPI_PENDING;
			handler[0] = 0;
			seen = 0
		:: (seen & KVM_VCPU_IPI_PENDING) && seen != state -> seen = state
		fi
	   }
	fi
}

/* VMEXIT. The marking is kvm_steal_time_set_preempted(), kinder than the plain
 * store that it was. */
inline transfer_and_mark()
{
	atomic {
		if
		:: state & KVM_VCPU_IPI_PENDING ->
			state = state & ~KVM_VCPU_IPI_PENDING | KVM_VCPU_SHOULD_FLUSH
		:: else
		fi
#ifdef ERROR_4
	};
	atomic {
#else
		;
#endif
		state = state | KVM_VCPU_PREEMPTED
	}
}

/* record_steal_time(). */
inline take_and_flush()
{
	atomic {
		seen_at_entry = state;
		state = 0;
		if
		:: seen_at_entry & KVM_VCPU_SHOULD_FLUSH -> flush_tlb(0)
		:: else
		fi;
		seen_at_entry = 0
	}
}

#ifdef PARKS_SPARE_THE_HANDLER
#define MAY_PARK (!calm && handler[0] == 0)
#else
#define MAY_PARK (!calm)
#endif

proctype target()
{
	byte k, seen, seen_at_entry;

	do
	:: take_and_flush();
		enter_guest(0);
end_idle:
		do
		:: handle_ipi()
		:: atomic { MAY_PARK -> in_guest[0] = false; break }
		od;
		transfer_and_mark()
	od
}

init {
	byte n;

	atomic {
		run target();
		do
		:: n < INITIATORS -> run initiator(n); n++
		:: else -> break
		od;
		n = 0
	}
}
