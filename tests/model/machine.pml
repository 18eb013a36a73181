/* SPDX-License-Identifier: MIT */
/*
 * machine.pml - what every protocol runs on: PTEs, TLBs, store buffers,
 * interrupts; and the oracle, which is the property to hold.
 *
 * Ages stand for versions of a mapping, so that any number of flushes has few
 * states. A TLB is refilled at the moment of its flush, the earliest possible,
 * and so holds the oldest translation that it may hold.
 * -D: INITIATORS; TARGETS; MUTUAL: initiator n runs on target n.
 */
#if defined(MUTUAL) && !defined(TARGETS)
#define TARGETS INITIATORS
#endif

#define GONE 0  /* older than the last flush that returned: nobody may use it */
#define LAST 1  /* what the last flush that returned has put in place */
#define NEW  2  /* what the flush that is going on puts in place */
#define AGED(age) ((age) == GONE -> GONE : (age) - 1)

typedef translations { byte page[INITIATORS] = LAST };

byte pte[INITIATORS] = LAST;    /* as page walks see it */
byte pte_store[INITIATORS];     /* in the store buffer: 0, or the age of what is stored */
translations tlb[TARGETS];
bool in_guest[TARGETS];
bool irq[TARGETS];              /* the flush vector is pending */
byte handler[TARGETS];          /* next step of the flush handler; 0: not in it */

/* Parks, cancelled runs and new flushes may come without number, until calm
 * comes, at any time. Then all that is under way has to end by itself: a lost
 * interrupt or an endless wait becomes a deadlock, which Spin reports. */
bool calm;

/* An initiator's step can happen while its vCPU runs and is not in a handler.
 * One that is no target needs no such rule: a park is only a delay to it. */
#ifdef MUTUAL
#define RUNS(i) (in_guest[i] && handler[i] == 0)
#define IS_SELF(i, t) ((i) == (t))
#else
#define RUNS(i) true
#define IS_SELF(i, t) false
#endif

/* TSO: a store waits in its CPU's buffer until the hardware lets it go, or
 * until that CPU's next locked or serializing instruction. */
inline store_pte(i)
{
#ifdef NO_STORE_BUFFERS
	pte[i] = NEW
#else
	drain_pte(i);
	pte_store[i] = NEW
#endif
}

inline drain_pte(i)
{
	if
	:: (i) < INITIATORS && pte_store[i] -> pte[i] = pte_store[i]; pte_store[i] = 0
	:: else
	fi
}

inline flush_tlb(t)
{
	d_step {
		k = 0;
		do
		:: k < INITIATORS -> tlb[t].page[k] = pte[k]; k++
		:: else -> break
		od;
		k = 0
	}
}

/* It is certain that a vCPU outside the guest flushes before it enters again:
 * what its TLB holds counts for nothing from here on. The worst contents stand
 * for all, which saves states. */
inline will_flush(t)
{
#ifndef EXACT_TLBS
	d_step {
		k = 0;
		do
		:: k < INITIATORS -> tlb[t].page[k] = GONE; k++
		:: else -> break
		od;
		k = 0
	}
#else
	skip
#endif
}

/* --- the oracle: no vCPU in the guest holds what a returned flush retired --- */

inline flush_returns(i)
{
	d_step {
		k = 0;
		do
		:: k < TARGETS ->
			assert(!in_guest[k] || tlb[k].page[i] == NEW);
			tlb[k].page[i] = AGED(tlb[k].page[i]);
			k++
		:: else -> break
		od;
		k = 0;
		pte[i] = AGED(pte[i]);
		pte_store[i] = AGED(pte_store[i])
	}
}

inline enter_guest(t)
{
	d_step {
		in_guest[t] = true;
		k = 0;
		do
		:: k < INITIATORS -> assert(tlb[t].page[k] != GONE); k++
		:: else -> break
		od;
		k = 0
	}
}

/* --- the hardware and the end ------------------------------------------------- */

active proctype pte_stores()
{
end:
	do
	:: d_step { pte_store[0] -> drain_pte(0) }
#if INITIATORS > 1
	:: d_step { pte_store[1] -> drain_pte(1) }
#endif
#if INITIATORS > 2
	:: d_step { pte_store[2] -> drain_pte(2) }
#endif
	od
}

active proctype calm_comes()
{
	calm = true
}
