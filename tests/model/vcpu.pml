/* SPDX-License-Identifier: MIT */
/*
 * vcpu.pml - the processes: initiators, and vCPUs with their threads.
 *
 * A protocol includes this last. It has defined
 *   inline post(t)             ask one target: sets waits[t] and want[t]
 *   inline wait_for(t)         until it has served that
 *   inline protocol_park(t, owes)
 *   PARKED_PROMISE(t)          what lets initiators go on while t is parked
 * -D: PARKED_MAY_STAY: a parked vCPU need not come back, and nobody may wait.
 */

inline send_ipi(t)
{
	atomic { RUNS(me) -> irq[t] = true }
}

/* Only in an initiator that is a target too does it matter. */
inline flush_own_tlb()
{
#ifdef MUTUAL
	atomic { RUNS(me) -> drain_initiator(me); flush_tlb(me) }
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

/* DIGEST guest-payload/flush.c post_all fcc12cdb20c2
 * DIGEST guest-payload/flush.c wait_all a6f15e514049
 * DIGEST guest-payload/flush.c g_flush_others e05ce726d456 */
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
	:: atomic { !calm && MAY_ASK && RUNS(me) -> store_pte(me) };
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

/* Any exit may end the stay in the guest between any two steps. The guest
 * itself does nothing but to use its TLB all the time.
 * DIGEST guest-payload/entry.S g_isr_flush 34207badd136
 * DIGEST guest-payload/entry.S g_isr_flush_x2apic 1d18cbd4ed48 */
inline run_guest()
{
	enter_guest(me);
end_idle:
	do
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
	:: atomic { !calm -> in_guest[me] = false; kvm_exit(); break }
	od
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
	bool owes;                              /* the VMM's */
	bool at_boundary, st_preempted, flush_requested;        /* KVM's, kvm.pml */

	do
	:: assert(PARKED_PROMISE(me));
		may_stay_parked();
#ifdef MUTANT_VECTOR_CLEARED
		irq[me] = false;
#endif
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

init {
	byte n;

	atomic {
		do
		:: n < TARGETS -> run vcpu(n); n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < INITIATORS -> run initiator(n); n++
		:: else -> break
		od;
		n = 0
	}
}
