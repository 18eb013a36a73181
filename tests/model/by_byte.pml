/* SPDX-License-Identifier: MIT */
/*
 * by_byte.pml - what the protocols on KVM's byte have in common: how they ask,
 * and a park that only marks.
 */
#define POSTS_BY_BYTE

#include "machine.pml"
#include "word.pml"
#include "byte.pml"
#include "kvm.pml"
#include "park.pml"

/* DIGEST guest-payload/protocol.h g_post_by_byte 8b661e9e80d5 */
inline post(t)
{
#ifdef MUTANT_CROSS_THREAD_OR
	/* Another thread of the VMM, which even knows for certain that the vCPU
	 * is not in the guest, asks for the flush in its place. */
	if
	:: atomic {
		RUNS(me) && !in_guest[t] -> drain_initiator(me);
		preempted[t] = preempted[t] | SD_BYTE_FLUSH_TLB;
		covered = true
	   }
	:: atomic { RUNS(me) && in_guest[t] -> covered = false }
	fi;
#else
	sd_byte_defer(t, covered);
#endif
	if
	:: covered -> waits[t] = false
	:: else -> sd_word_request(t, want[t]); waits[t] = true
	fi
}

inline protocol_park(t, owes)
{
	sd_word_mark(t)
}
