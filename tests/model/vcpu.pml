/* SPDX-License-Identifier: MIT */
/*
 * vcpu.pml - the processes: initiators, and vCPUs with their threads.
 *
 * A protocol includes this last. It has defined
 *   inline post(t)             ask one target: sets waits[t] and want[t]
 *   inline wait_for(t)         until it has served that
 *   inline protocol_park(t, owes)
 *   PARKED_PROMISE(t)          what lets initiators go on while t is parked
 * and with OWN_HANDLER also
 *   inline handle_ipi()        one step of the handler, from IPI to iret
 *   HANDLER_STEPS, HANDLER_VARIABLES; flush_own(me)
 * and with OWN_THREAD behind it
 *   proctype vcpu(byte me)
 * -D: PARKED_MAY_STAY: a parked vCPU need not come back, and nobody may wait.
 */

inline send_ipi(t)
{
	atomic { RUNS(me) -> irq[t] = true }
}

#ifndef flush_own
#define flush_own(me) flush_tlb(me)
#endif

/* Only in an initiator that is a target too does it matter. */
inline flush_own_tlb()
{
#ifdef MUTUAL
	atomic { RUNS(me) -> drain_initiator(me); flush_own(me) }
#else
	skip
#endif
}

inline wait(t)
{
#ifndef MUTANT_NO_WAIT
	wait_for(t);
#endif
	atomic { want[t] = 0; waits[t] = false }
}

/* DIGEST guest-payload/flush.c post_all a6fc8507fe0b
 * DIGEST guest-payload/flush.c wait_all b73f49b186bd
 * DIGEST guest-payload/flush.c g_flush_others e3363e70f0eb */
proctype initiator(byte me)
{
	byte t, k;
#ifdef POSTS_BY_BYTE
	byte old;
#endif
	byte want[TARGETS];
	bool waits[TARGETS];
	bool covered;

	do
	:: calm -> break
	:: atomic { !calm && MAY_ASK && RUNS(me) -> drain_initiator(me); store_pte(me) };
		do
		:: t == TARGETS -> break
		:: else -> if :: IS_SELF(me, t) :: else -> post(t) fi; t++
		od;
		t = 0;
		do      /* the gate: IPIs, then the local flush */
		:: t == TARGETS -> break
		:: else -> if :: waits[t] -> send_ipi(t) :: else fi; t++
		od;
		t = 0;
		flush_own_tlb();
		do
		:: t == TARGETS -> break
		:: else -> if :: waits[t] -> wait(t) :: else fi; t++
		od;
		t = 0;
		atomic { RUNS(me) -> covered = false; flush_returns(me) }
	od
}

#ifndef OWN_HANDLER
/* DIGEST guest-payload/entry.S isr_flush 94f43fc09596
 * DIGEST guest-payload/entry.S serve_begin 73c9cb2ddf09
 * DIGEST guest-payload/entry.S serve_end 01346775a860 */
inline handle_ipi()
{
	if
	:: atomic { handler[me] == 0 && irq[me] -> irq[me] = false; handler[me] = 1 }
	:: atomic { handler[me] == 1 -> sd_word_serve_begin(me, seen); handler[me] = 2 }
#ifdef MUTANT_SERVE_BEFORE_FLUSH
	:: atomic { handler[me] == 2 -> sd_word_serve_end(me, seen); seen = 0; handler[me] = 3 }
	:: atomic { handler[me] == 3 -> drain_vcpu(me); flush_tlb(me); handler[me] = 4 }
#else
	:: atomic { handler[me] == 2 -> drain_vcpu(me); flush_tlb(me); handler[me] = 3 }
	:: atomic { handler[me] == 3 -> sd_word_serve_end(me, seen); seen = 0; handler[me] = 4 }
#endif
	:: atomic { handler[me] == 4 -> drain_vcpu(me); handler[me] = 0 }       /* iret serializes */
	fi
}
#endif

/* Any exit may end the stay in the guest between any two steps. The guest
 * itself does nothing but to use its TLB all the time. */
inline run_guest()
{
	enter_guest(me);
end_idle:
	do
	:: handle_ipi()
	:: atomic { !calm -> in_guest[me] = false; kvm_exit(); break }
	od
}

#ifndef OWN_THREAD
inline may_stay_parked()
{
#ifdef PARKED_MAY_STAY
	if
	:: skip
	:: calm ->
end_parked:
		false
	fi
#else
	skip
#endif
}

/* One vCPU and its thread: a turn after the other, from unpark to park. */
proctype vcpu(byte me)
{
	byte k, old;
	byte seen;                              /* by the handler, before its flush */
#ifdef OWN_HANDLER
	HANDLER_VARIABLES
#endif
	bool owes;                              /* the VMM's */
	bool at_boundary, st_preempted, flush_requested;        /* KVM's, kvm.pml */

	do
	:: assert(PARKED_PROMISE(me));
		may_stay_parked();
		vcpu_unpark();
		do
		:: kvm_may_be_scheduled_out();
			if
			:: kvm_serve_requests();
				if
				:: run_guest()
				:: !calm -> run_is_cancelled()  /* a signal was pending */
				fi
			:: !calm -> run_is_cancelled(); break   /* immediate_exit, or out of time */
			fi
		od;
		vcpu_park()
	od
}
#endif

#include "init.pml"
