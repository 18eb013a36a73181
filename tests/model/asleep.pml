/* SPDX-License-Identifier: MIT */
/*
 * asleep.pml - include/asleep.h: an initiator sleeps until its last target has
 * flushed, and the VMM's part in that: sleeping, waking, and looking after sleepers.
 *
 * Nothing is taken over at park and nothing deferred, so that neither the words nor
 * KVM's byte matter, and a park is only a delay.
 * -D: MUTUAL: initiators are each other's targets, and interrupts wake them too.
 */
#include "machine.pml"

byte asked[TARGETS];            /* a bit each initiator */
byte left[INITIATORS];
bool asleep[INITIATORS];        /* what the initiator announces */
#ifdef MUTANT_NO_FENCE_BEFORE_SLEEP
bool asleep_store[INITIATORS];  /* in the store buffer: a 1 */
#endif

bool rings[INITIATORS];         /* SD_REQ_SLEEP has left the guest */
bool off_queue[INITIATORS];     /* the VMM's: member->asleep */
bool woken[INITIATORS];         /* member->woken */

inline drain(i)
{
	drain_pte(i)
#ifdef MUTANT_NO_FENCE_BEFORE_SLEEP
	;
	if
	:: asleep_store[i] -> asleep[i] = true; asleep_store[i] = false
	:: else
	fi
#endif
}

#ifdef MUTUAL
#define ASKED_AT_ALL (TARGETS - 1)
#define drain_vcpu(v) drain(v)
#else
#define ASKED_AT_ALL TARGETS
#define drain_vcpu(v) skip
#endif

/* --- VMM -------------------------------------------------------------------------- */

/* Under the slot's lock: one step.
 * DIGEST vmm/session/slot.c slot_wake 0ead57898df7 */
inline slot_wake(i)
{
	if
	:: off_queue[i] -> off_queue[i] = false
	:: else ->
#ifdef MUTANT_WAKE_IS_FORGOTTEN
		skip
#else
		woken[i] = true
#endif
	fi
}

/* The same, up to the wait. What ends it by itself is looked at on each dispatch of
 * the slot, and by a sleeper's thread while the slot is free: some time, again and
 * again.
 * DIGEST vmm/session/slot.c slot_sleep 8cc9f6da4ffa
 * DIGEST vmm/session/slot.c rouse_due e591d1f46e0d
 * DIGEST vmm/session/vcpu_thread.c vcpu_is_interrupted 17fa03e86d2e */
inline slot_sleep()
{
	atomic { off_queue[me] = !woken[me]; woken[me] = false };
	if
	:: !off_queue[me]
#if defined(MUTUAL) && !defined(MUTANT_INTERRUPTS_DO_NOT_WAKE)
	:: atomic { off_queue[me] && irq[me] -> off_queue[me] = false }
#endif
	fi
}

/* --- initiator -------------------------------------------------------------------- */

/* A plain store, but nobody looks at it before the locked ask after it.
 * DIGEST include/asleep.h sd_asleep_begin 8c1548596bd9 */
inline sd_asleep_begin()
{
	atomic { RUNS(me) -> left[me] = ASKED_AT_ALL }
}

/* DIGEST include/asleep.h sd_asleep_ask ca8e0921aa25 */
inline sd_asleep_ask(t)
{
	atomic { RUNS(me) -> drain(me); asked[t] = asked[t] | (1 << me) }
}

/* DIGEST include/asleep.h sd_asleep_over 1cabf7cd1832 */
#define sd_asleep_over(i) (left[i] == 0)

/* The half before the look.
 * DIGEST include/asleep.h sd_asleep_may effac6dc2313 */
inline announce()
{
#if defined(MUTANT_NO_FENCE_BEFORE_SLEEP) && !defined(NO_STORE_BUFFERS)
	atomic { RUNS(me) -> asleep_store[me] = true }
#else
	atomic { RUNS(me) -> drain(me); asleep[me] = true }
#endif
}

/* DIGEST include/asleep.h sd_asleep_awake 4ce6012b6fb9 */
inline sd_asleep_awake()
{
	atomic {
		RUNS(me) -> asleep[me] = false
#ifdef MUTANT_NO_FENCE_BEFORE_SLEEP
		; asleep_store[me] = false
#endif
	}
}

/* The doorbell ends when the vCPU is in the guest again. The exit drains. */
inline ring_sleep()
{
#ifdef MUTUAL
	atomic { RUNS(me) -> drain(me); rings[me] = true; in_guest[me] = false };
	RUNS(me) && !rings[me]
#else
	atomic { drain(me) };
	slot_sleep()
#endif
}

/* DIGEST guest-payload/protocols/sleep.c sleep_wait_all 5f510828a3e6 */
inline wait_all()
{
	do
	:: atomic { RUNS(me) && sd_asleep_over(me) -> break }
	:: atomic { RUNS(me) && !sd_asleep_over(me) -> may = true };
#ifndef MUTANT_LOOK_BEFORE_ANNOUNCING
		announce();
		atomic { RUNS(me) -> may = !sd_asleep_over(me) };
#else
		announce();
#endif
		if
		:: may -> may = false; ring_sleep()
		:: else
		fi;
		sd_asleep_awake()
#ifdef MUTANT_WAKE_IS_ENOUGH
		; break
#endif
	od
}

/* The order of g_flush_others().
 * DIGEST guest-payload/flush.c post_all a6fc8507fe0b
 * DIGEST guest-payload/flush.c g_flush_others e3363e70f0eb */
proctype initiator(byte me)
{
	byte t, k;
	bool may;

	do
	:: calm -> break
	:: atomic { !calm && RUNS(me) -> drain(me); store_pte(me) };
#ifndef MUTANT_BEGIN_AFTER_ASKING
		sd_asleep_begin();
#endif
		do
		:: t == TARGETS -> break
		:: else -> if :: IS_SELF(me, t) :: else -> sd_asleep_ask(t) fi; t++
		od;
		t = 0;
#ifdef MUTANT_BEGIN_AFTER_ASKING
		sd_asleep_begin();
#endif
		do      /* the gate: IPIs, then the local flush */
		:: t == TARGETS -> break
		:: else -> if :: IS_SELF(me, t) :: else -> atomic { RUNS(me) -> irq[t] = true } fi; t++
		od;
		t = 0;
#ifdef MUTUAL
		atomic { RUNS(me) -> drain(me); flush_tlb(me) };
#endif
		wait_all();
		atomic { RUNS(me) -> flush_returns(me) }
	od
}

/* --- handler ---------------------------------------------------------------------- */

/* DIGEST include/asleep.h sd_asleep_take d46b8689abb2 */
inline sd_asleep_take()
{
	drain_vcpu(me);
	bits = asked[me];
	asked[me] = 0
}

/* The locked count, for the lowest of the bits; the look at asleep is the next step.
 * DIGEST include/asleep.h sd_asleep_done 413ebc444b48 */
inline count_down()
{
	d_step {
		do
		:: !(bits & (1 << who)) -> who++
		:: else -> break
		od;
		bits = bits & ~(1 << who);
		left[who]--
	}
}

/* The doorbell is an exit, but its vCPU may be parked before and after it anyway.
 * DIGEST guest-payload/entry.S isr_flush_wake 4fa1beaa599f */
inline handle_ipi()
{
	if
	:: atomic { in_guest[me] && handler[me] == 0 && irq[me] -> irq[me] = false; handler[me] = 1 }
#ifdef MUTANT_BITS_TAKEN_AFTER_FLUSH
	:: atomic { handler[me] == 1 -> drain_vcpu(me); flush_tlb(me); handler[me] = 2 }
	:: atomic { handler[me] == 2 -> sd_asleep_take(); handler[me] = 3 }
#else
#ifdef MUTANT_TAKE_BY_COPY
	:: handler[me] == 1 -> bits = asked[me]; atomic { asked[me] = 0; handler[me] = 2 }
#else
	:: atomic { handler[me] == 1 -> sd_asleep_take(); handler[me] = 2 }
#endif
	:: atomic { handler[me] == 2 -> drain_vcpu(me); flush_tlb(me); handler[me] = 3 }
#endif
	:: atomic {
		handler[me] == 3 && bits -> count_down();
		if
		:: left[who] == 0 -> handler[me] = 4
		:: else -> who = 0
		fi
	   }
	:: atomic {
		handler[me] == 4 ->
		if
		:: asleep[who] -> handler[me] = 5
		:: else -> who = 0; handler[me] = 3
		fi
	   }
	:: atomic { handler[me] == 5 -> slot_wake(who); who = 0; handler[me] = 3 }
	:: atomic { handler[me] == 3 && !bits -> drain_vcpu(me); handler[me] = 0 }
	fi
}

/* One vCPU and its thread. Any exit may park it between any two steps. */
proctype vcpu(byte me)
{
	byte k, bits, who;

	do
	:: enter_guest(me);
end_idle:
		do
		:: handle_ipi()
		:: atomic { in_guest[me] && !calm -> in_guest[me] = false; break }
#ifdef MUTUAL
		:: rings[me] -> break
#endif
		od;
#ifdef MUTUAL
		if
		:: rings[me] -> slot_sleep(); rings[me] = false
		:: else
		fi
#endif
	od
}

#ifdef MUTANT_NO_FENCE_BEFORE_SLEEP
active proctype asleep_stores()
{
end:
	do
	:: d_step { asleep_store[0] -> drain(0) }
#if INITIATORS > 1
	:: d_step { asleep_store[1] -> drain(1) }
#endif
	od
}
#endif

#include "init.pml"
