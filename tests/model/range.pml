/* SPDX-License-Identifier: MIT */
/*
 * range.pml - include/range.h: the handler flushes the page of one request alone,
 * where the slot says for certain which that is, and else the whole TLB.
 *
 * Each initiator has a page of its own. The slot is one word: its tag and its page
 * are written and read as one. A deferral, and what park takes over, is a full
 * flush on entry as ever.
 * -D: PARK_MARKS: protocols without transfer (ipi and its kin); else generation.
 */
#define MORE_STORES
#define OWN_HANDLER

#define NO_TAG    1             /* no request without flags is that: 2^30 are asked first */
#define ALL_PAGES INITIATORS
#define HANDLER_STEPS 6
#define HANDLER_VARIABLES byte flushes; /* a page, or ALL_PAGES */
#define flush_own(me) flush_page(me, me)

#include "machine.pml"

byte range_tag[TARGETS] = NO_TAG;
byte range_page[TARGETS];
byte range_store[INITIATORS];   /* in the store buffer: 0, or the tag + 1 */
byte range_store_to[INITIATORS];

inline flush_page(t, p)
{
	tlb[t].page[p] = pte[p]
}

inline drain_range(i)
{
	if
	:: range_store[i] ->
		range_tag[range_store_to[i]] = range_store[i] - 1;
		range_page[range_store_to[i]] = i;
		range_store[i] = 0;
		range_store_to[i] = 0
	:: else
	fi
}

#define drain_more_of_initiator(i) drain_range(i)
#ifdef MUTUAL
#define drain_more_of_vcpu(t) drain_range(t)
#else
#define drain_more_of_vcpu(t) skip
#endif

#include "word.pml"
#include "byte.pml"
#include "kvm.pml"
#include "park.pml"

/* --- initiator -------------------------------------------------------------------- */

/* The buffer is empty: the request came right before.
 * DIGEST include/range.h sd_range_of 25c272c12e9c
 * DIGEST include/range.h sd_range_tell c5092548ebb0 */
inline sd_range_tell(t, tag)
{
#ifdef MUTANT_SLOT_IN_TWO_WORDS
	atomic { RUNS(me) -> range_page[t] = me };
	atomic { RUNS(me) -> range_tag[t] = tag }
#else
	atomic {
		RUNS(me) ->
#ifdef NO_STORE_BUFFERS
		range_tag[t] = tag;
		range_page[t] = me
#else
		range_store[me] = tag + 1;
		range_store_to[me] = t
#endif
	}
#endif
}

/* -D: MAY_ASK_FOR_ALL: who wants the whole TLB flushed leaves the slot as it is. */
inline post(t)
{
#ifdef PARK_MARKS
	sd_word_request(t, want[t]);
	waits[t] = true;
#else
	sd_word_post(t, covered, want[t]);
	waits[t] = !covered;
#endif
	if
	:: waits[t] -> sd_range_tell(t, want[t])
#ifdef MAY_ASK_FOR_ALL
	:: true
#else
	:: !waits[t]
#endif
	fi
}

inline wait_for(t)
{
	RUNS(me) && sd_word_served(t, want[t])
}

/* --- handler ---------------------------------------------------------------------- */

/* The two halves of sd_range_holds(), in the handler's order.
 * DIGEST include/range.h sd_range_holds 397bc675bb09 */
#ifdef MUTANT_TAG_NOT_CHECKED
#define TAG_IS(t, request) true
#else
#define TAG_IS(t, request) (range_tag[t] == (request))
#endif
#ifdef MUTANT_OUTSTANDING_NOT_CHECKED
#define ONE_IS_OUTSTANDING(t, request) true
#else
#define ONE_IS_OUTSTANDING(t, request) (WORD((request) - served[t]) == SD_WORD_GENERATION)
#endif

/* Served has left the store buffer when a handler begins: after an iret or a park.
 * CR3 writes and INVLPG serialize.
 * DIGEST guest-payload/entry.S isr_flush_by_page 59a17b060d4c */
inline handle_ipi()
{
	if
	:: atomic { handler[me] == 0 && irq[me] -> irq[me] = false; handler[me] = 1 }
	:: atomic { handler[me] == 1 -> sd_word_serve_begin(me, seen); handler[me] = 2 }
	:: atomic {
		handler[me] == 2 ->
		if
		:: TAG_IS(me, seen) -> flushes = range_page[me]; handler[me] = 3
		:: else -> flushes = ALL_PAGES; handler[me] = 4
		fi
	   }
	:: atomic {
		handler[me] == 3 ->
#ifdef MUTANT_SLOT_IN_TWO_WORDS
		flushes = range_page[me];
#endif
		if
		:: ONE_IS_OUTSTANDING(me, seen)
		:: else -> flushes = ALL_PAGES
		fi;
		handler[me] = 4
	   }
	:: atomic {
		handler[me] == 4 -> drain_vcpu(me);
		if
		:: flushes == ALL_PAGES -> flush_tlb(me)
		:: else -> flush_page(me, flushes)
		fi;
		flushes = 0;
		handler[me] = 5
	   }
	:: atomic { handler[me] == 5 -> sd_word_serve_end(me, seen); seen = 0; handler[me] = 6 }
	:: atomic { handler[me] == 6 -> drain_vcpu(me); handler[me] = 0 }
	fi
}

/* --- VMM -------------------------------------------------------------------------- */

inline protocol_park(t, owes)
{
#ifdef PARK_MARKS
	sd_word_mark(t)
#else
	sd_word_park(t, owes)
#endif
}

#ifdef PARK_MARKS
#define PARKED_PROMISE(t) true
#else
#define PARKED_PROMISE(t) \
	((request[t] & SD_WORD_PREEMPTED) && served[t] == WITHOUT_FLAGS(request[t]))
#endif

active proctype range_stores()
{
end:
	do
	:: d_step { range_store[0] -> drain_range(0) }
#if INITIATORS > 1
	:: d_step { range_store[1] -> drain_range(1) }
#endif
#if INITIATORS > 2
	:: d_step { range_store[2] -> drain_range(2) }
#endif
	od
}

#include "vcpu.pml"
