/* SPDX-License-Identifier: MIT */
/*
 * yield.pml - ipi, and who waits for a preempted target names it to the VMM once: that
 * target comes first on its slot, and where the slot is shared it gets it at once.
 *
 * All vCPUs are targets and have slots, on each of which one runs at a time. Before calm a
 * slice ends whenever somebody else waits for the slot. From then on it ends when nothing
 * else can happen, or with a yield, and MOST_SLICES have to be enough for all flushes that
 * are under way.
 * -D: SLOTS; MUTUAL, with TARGETS where only the first ones flush.
 */
#define OWN_THREAD

#include "machine.pml"
#include "word.pml"
#include "byte.pml"
#include "kvm.pml"

inline protocol_park(t, owes)
{
	sd_word_mark(t)
}

#include "park.pml"

#define NOBODY  TARGETS
#define SLOT(t) ((t) % SLOTS)

chan queue[SLOTS] = [TARGETS] of { byte };
byte holder[SLOTS] = NOBODY;
byte slices;                    /* ended since calm */

/* Once round the slots until all is posted, once until all is served, and once until
 * who waits has seen it. A yield changes the order, and makes nobody wait for more. */
#define MOST_SLICES (3 * TARGETS)

bool helped[INITIATORS];        /* in this wait */
bool rings[TARGETS];            /* SD_REQ_YIELD_TO is to leave the guest */
byte yields_to[TARGETS];

/* --- initiator ---------------------------------------------------------------------- */

inline post(t)
{
	sd_word_request(t, want[t]);
	waits[t] = true
}

/* DIGEST guest-payload/protocols/yield.c yield_help 32f44774cf8a */
inline yield_help(t)
{
	atomic { RUNS(me) -> yields_to[me] = t; rings[me] = true };
	RUNS(me) && !rings[me]
}

#ifdef MUTANT_HELPS_AT_EACH_LOOK
#define MAY_HELP true
#else
#define MAY_HELP (!helped[me])
#endif

/* DIGEST guest-payload/flush.c wait_one a8644c10fdf6 */
inline wait_for(t)
{
	do
	:: RUNS(me) && sd_word_served(t, want[t]) -> break
	:: atomic { RUNS(me) && MAY_HELP && sd_word_preempted(t) -> helped[me] = true };
		yield_help(t)
#ifdef MUTANT_YIELD_IS_ENOUGH
		; break
#endif
	od;
	helped[me] = false
}

/* --- VMM ---------------------------------------------------------------------------- */

/* Under the slot's lock: one step.
 * DIGEST vmm/session/slot.c slot_prefer 0269b28f5c96 */
inline slot_prefer(t)
{
	if
	:: queue[SLOT(t)] ?? [eval(t)] ->
		queue[SLOT(t)] ?? eval(t);
#ifndef MUTANT_PREFERRED_IS_LOST
		n = len(queue[SLOT(t)]);
		queue[SLOT(t)] ! t;
		do      /* and those in front of it behind it */
		:: n -> queue[SLOT(t)] ? next; queue[SLOT(t)] ! next; n--
		:: else -> break
		od
#endif
	:: else
	fi
}

/* The same. By the holder, which waits at the end from here on.
 * DIGEST vmm/session/slot.c slot_pass 740ddaa94939
 * DIGEST vmm/session/slot.c dispatch cab9fd78b28c
 * DIGEST vmm/session/slot.c give b6f9abd87e55 */
inline slot_pass()
{
	d_step {
#ifndef MUTANT_YIELDER_IS_NOT_QUEUED
		queue[SLOT(me)] ! me;
#endif
		if
		:: queue[SLOT(me)] ? [next] -> queue[SLOT(me)] ? next; holder[SLOT(me)] = next
		:: else -> holder[SLOT(me)] = NOBODY
		fi;
		next = 0;
		if
		:: calm -> slices++; assert(slices <= MOST_SLICES)
		:: else
		fi
	}
}

/* slot_queue() and slot_open(), in any order. */
inline join_slot()
{
	d_step {
		if
		:: holder[SLOT(me)] == NOBODY -> holder[SLOT(me)] = me
		:: else -> queue[SLOT(me)] ! me
		fi
	}
}

#define IS_WANTED(slot) (len(queue[slot]) != 0)

/* DIGEST vmm/session/doorbell.c yield_to 5f314794c365 */
inline yield_to(t)
{
	d_step {
		slot_prefer(t);
		over = SLOT(t) == SLOT(me) && IS_WANTED(SLOT(me));
		rings[me] = false
	}
}

/* As the guest sees it: then somebody may help. */
#define PARKED_PROMISE(t) (!in_guest[t] && sd_word_preempted(t))

/* --- the vCPU's thread -------------------------------------------------------------- */

#define IS_FLUSHING(i) (pte[i] == NEW || pte_store[i] == NEW)
#if INITIATORS > 1
#define SOMEBODY_FLUSHES (IS_FLUSHING(0) || IS_FLUSHING(1))
#else
#define SOMEBODY_FLUSHES IS_FLUSHING(0)
#endif
#define SLICE_ENDS(slot) (IS_WANTED(slot) && (!calm || timeout && SOMEBODY_FLUSHES))

#include "vcpu.pml"

inline run_guest_on_slot()
{
	enter_guest(me);
end_idle:
	do
	:: handle_ipi()
	:: atomic { rings[me] && handler[me] == 0 -> in_guest[me] = false; kvm_exit(); break }
	:: atomic { !calm -> in_guest[me] = false; kvm_exit(); break }
	:: atomic { SLICE_ENDS(SLOT(me)) -> in_guest[me] = false; kvm_exit(); over = true; break }
	od
}

inline kvm_run()
{
	kvm_may_be_scheduled_out();
	if
	:: kvm_serve_requests();
		if
		:: run_guest_on_slot();
			if
			:: rings[me] && !over -> yield_to(yields_to[me])
			:: else
			fi
		:: !calm -> run_is_cancelled()
		fi
	:: !calm -> run_is_cancelled()
	fi
}

/* DIGEST vmm/session/vcpu_loop.c run_slice d50d436a8126 */
proctype vcpu(byte me)
{
	byte k, old, n, next;
	byte seen;                              /* by the handler, before its flush */
	bool owes, over;                        /* the VMM's */
	bool at_boundary, st_preempted, flush_requested;        /* KVM's, kvm.pml */

	join_slot();
	do
	:: assert(PARKED_PROMISE(me));
end_queued:
		holder[SLOT(me)] == me;
		vcpu_unpark();
		do
		:: over -> over = false; break
		:: !over -> kvm_run()
		:: !over && !calm && IS_WANTED(SLOT(me)) -> break       /* out of time */
		od;
		vcpu_park();
		slot_pass()
	od
}
