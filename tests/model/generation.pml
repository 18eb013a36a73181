/* SPDX-License-Identifier: MIT */
/*
 * generation.pml - requests are generations, and the VMM's park takes over in
 * one atomic step what the target has not served.
 */
#include "machine.pml"
#include "word.pml"
#include "byte.pml"
#include "kvm.pml"
#include "park.pml"

inline post(t)
{
	sd_word_post(t, covered, want[t]);
	waits[t] = !covered
}

inline wait_for(t)
{
	RUNS(me) && sd_word_served(t, want[t])
}

inline protocol_park(t, owes)
{
#ifdef MUTANT_PARK_ONLY_MARKS
	sd_word_mark(t)
#else
	sd_word_park(t, owes)
#endif
}

/* Nothing is outstanding, and nothing can become so. */
#define PARKED_PROMISE(t) \
	((request[t] & SD_WORD_PREEMPTED) && served[t] == WITHOUT_FLAGS(request[t]))

#include "vcpu.pml"
