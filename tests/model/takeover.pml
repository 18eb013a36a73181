/* SPDX-License-Identifier: MIT */
/*
 * takeover.pml - like deferred, but who waits for a target that becomes
 * preempted marks it by its own cmpxchg and goes on.
 */

#include "by_byte.pml"

/* The second guard only keeps a waiter for a running target from going round
 * and round: sd_byte_defer() looks again. */
inline wait_for(t)
{
	do
	:: RUNS(me) && sd_word_served(t, want[t]) -> break
#ifdef WAITER_ONLY_LOOKS
	:: RUNS(me) && preempted[t] == (SD_BYTE_PREEMPTED | SD_BYTE_FLUSH_TLB) -> break
#endif
	:: RUNS(me) && (preempted[t] & SD_BYTE_PREEMPTED) ->
		sd_byte_defer(t, covered);
		if
		:: covered -> break
		:: else
		fi
	od
}

#define PARKED_PROMISE(t) (preempted[t] & SD_BYTE_PREEMPTED)

#include "vcpu.pml"
