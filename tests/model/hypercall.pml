/* SPDX-License-Identifier: MIT */
/*
 * hypercall.pml - vmm/session/request_flush.c: the initiator asks the VMM, which asks
 * every target's thread, kicks those in the guest and returns when all are covered.
 *
 * No IPI and no handler in the guest. The asking thread and the entering one each
 * store and then look at what the other stores.
 * -D: MUTUAL: initiators are each other's targets; a vCPU's own thread asks.
 */
#define MORE_STORES

#include "machine.pml"

#define OUTSIDE  0              /* OUTSIDE_GUEST_MODE and so on; reading is outside too */
#define IN_GUEST 1
#define EXITING  2

byte mode[TARGETS] = OUTSIDE;
byte mode_store[TARGETS];       /* in the store buffer: 0, or the mode + 1 */
bool flush_asked[TARGETS];
bool immediate_exit[TARGETS];   /* a kick has landed */

inline drain_mode(t)
{
	if
	:: mode_store[t] -> mode[t] = mode_store[t] - 1; mode_store[t] = 0
	:: else
	fi
}

#ifdef MUTANT_ASKING_WITHOUT_FENCE
bool asked_store[INITIATORS];   /* in the store buffer: flush_asked[0] = true */

inline drain_asked(i)
{
	if
	:: asked_store[i] -> flush_asked[0] = true; asked_store[i] = false
	:: else
	fi
}
#else
#define drain_asked(i) skip
#endif

#define drain_more_of_vcpu(t) drain_mode(t)
#ifdef MUTUAL
bool rings[INITIATORS];         /* SD_REQ_FLUSH_OTHERS has left the guest */
#define drain_more_of_initiator(i) drain_mode(i)
#else
#define drain_more_of_initiator(i) drain_asked(i)
#endif

#include "word.pml"
#include "byte.pml"
#include "kvm.pml"

inline protocol_park(t, owes)
{
	sd_word_mark(t)
}

#include "park.pml"

/* --- the thread that asks ----------------------------------------------------------- */

inline ask(t)
{
#if defined(MUTANT_ASKING_WITHOUT_FENCE) && !defined(NO_STORE_BUFFERS)
	asked_store[me] = true
#else
	atomic { drain_initiator(me); flush_asked[t] = true }
#endif
}

/* Its compare-and-swap is a fence of its own, where there is one.
 * DIGEST vmm/session/request_flush.c kick 9ca2baa0c1e7 */
inline kick(t)
{
	if
	:: atomic { mode[t] == IN_GUEST -> drain_initiator(me); mode[t] = EXITING };
		immediate_exit[t] = true
#ifdef MUTANT_ASKING_WITHOUT_FENCE
	:: mode[t] != IN_GUEST
#else
	:: atomic { mode[t] != IN_GUEST -> drain_initiator(me) }
#endif
	fi
}

/* Two looks, again and again: at the mode, and if that is not enough at the request.
 * DIGEST vmm/session/request_flush.c is_covered e1b8baac64bd */
inline wait_until_covered(t)
{
	if
	:: mode[t] == OUTSIDE
#ifdef MUTANT_KICK_IS_ENOUGH
	:: mode[t] == EXITING
#endif
	:: mode[t] != OUTSIDE -> !flush_asked[t] || mode[t] == OUTSIDE
	fi
}

/* DIGEST vmm/session/request_flush.c request_flush_others cd27d2712706 */
inline request_flush_others()
{
	do
	:: u == TARGETS -> break
	:: else -> if :: IS_SELF(me, u) :: else -> ask(u); kick(u) fi; u++
	od;
	u = 0;
	do
	:: u == TARGETS -> break
	:: else -> if :: IS_SELF(me, u) :: else -> wait_until_covered(u) fi; u++
	od;
	u = 0
}

/* The exit and the entry drain what the guest and its thread have stored.
 * DIGEST guest-payload/protocols/hypercall.c hypercall_cover_all b2be86508ec5 */
inline ring_flush_others()
{
#ifdef MUTUAL
	atomic { RUNS(me) -> drain_initiator(me); rings[me] = true; in_guest[me] = false };
	RUNS(me) && !rings[me]
#else
	atomic { drain_initiator(me) };
	request_flush_others();
	atomic { drain_initiator(me) }
#endif
}

proctype initiator(byte me)
{
	byte k, u;

	do
	:: calm -> break
	:: atomic { !calm && RUNS(me) -> drain_initiator(me); store_pte(me) };
		ring_flush_others();
#ifdef MUTUAL
		atomic { RUNS(me) -> drain_initiator(me); flush_tlb(me) };
#endif
		atomic { RUNS(me) -> flush_returns(me) }
	od
}

/* --- the thread that enters --------------------------------------------------------- */

inline set_mode(value)
{
	atomic { drain_vcpu(me); mode[me] = value }
}

/* The request goes away and the debt comes in one step. */
inline take_debt()
{
	atomic {
		drain_vcpu(me);
		if
		:: flush_asked[me] -> flush_asked[me] = false; owes = true; will_flush(me)
		:: else
		fi
	}
}

/* The instruction is finished by a KVM_RUN that does not enter.
 * DIGEST vmm/session/park.c vcpu_settle_and_flush 195f800ceca9 */
inline pay_debt()
{
	kvm_may_be_scheduled_out();
	settle();
	vcpu_flush_on_entry()
}

/* -D: DEBT_IS_TAKEN_FIRST: the other order is as good.
 * DIGEST vmm/session/request_flush.c request_flush_enter c658a85e8e62 */
inline request_flush_enter()
{
#ifdef MUTANT_LOOK_BEFORE_MODE
	again = flush_asked[me];
	set_mode(IN_GUEST);
#else
#if defined(MUTANT_ENTERING_WITHOUT_FENCE) && !defined(NO_STORE_BUFFERS)
	atomic { drain_vcpu(me); mode_store[me] = IN_GUEST + 1 };
#else
	set_mode(IN_GUEST);
#endif
	again = flush_asked[me];
#endif
	if
	:: again ->
#ifdef DEBT_IS_TAKEN_FIRST
		take_debt();
		set_mode(OUTSIDE);
		pay_debt()
#else
		set_mode(OUTSIDE);
		take_debt();
		pay_debt()
#endif
	:: else
	fi
}

/* A release store, which may wait.
 * DIGEST vmm/session/request_flush.c request_flush_leave 815418582dd7 */
inline request_flush_leave()
{
#ifdef NO_STORE_BUFFERS
	mode[me] = OUTSIDE
#else
	mode_store[me] = OUTSIDE + 1
#endif
}

inline kvm_run()
{
	kvm_may_be_scheduled_out();
	if
	:: immediate_exit[me] -> run_is_cancelled()
	:: else ->
		kvm_serve_requests();
		if
		:: immediate_exit[me] -> run_is_cancelled()
		:: !calm -> run_is_cancelled()
		:: enter_guest(me);
end_idle:
			do
			:: atomic { (immediate_exit[me] || !calm) && in_guest[me] ->
				in_guest[me] = false; kvm_exit(); break }
#ifdef MUTUAL
			:: atomic { rings[me] -> kvm_exit(); break }
#endif
			od
		fi
	fi
}

/* DIGEST vmm/session/vcpu_loop.c run_once 0ba86cd21275 */
inline run_once()
{
	request_flush_enter();
	if
	:: again -> again = false
	:: else ->
#ifdef MUTANT_KICK_IS_FORGOTTEN
		immediate_exit[me] = false;
#endif
		kvm_run();
		request_flush_leave();
#ifdef MUTUAL
		if
		:: rings[me] -> request_flush_others(); rings[me] = false
		:: else
		fi
#endif
	fi
}

/* DIGEST vmm/session/vcpu_loop.c run_slice d50d436a8126 */
proctype vcpu(byte me)
{
	byte k, old, u;
	bool owes, again;
	bool at_boundary, st_preempted, flush_requested;        /* KVM's, kvm.pml */

	do
	:: vcpu_unpark();
		do
		:: immediate_exit[me] = false;
			run_once()
		:: !calm -> break               /* out of time */
		od;
		vcpu_park()
	od
}

active proctype thread_stores()
{
end:
	do
	:: d_step { mode_store[0] -> drain_mode(0) }
#if TARGETS > 1
	:: d_step { mode_store[1] -> drain_mode(1) }
#endif
#ifdef MUTANT_ASKING_WITHOUT_FENCE
	:: d_step { asked_store[0] -> drain_asked(0) }
#if INITIATORS > 1
	:: d_step { asked_store[1] -> drain_asked(1) }
#endif
#endif
	od
}

#include "init.pml"
