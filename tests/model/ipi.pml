/* SPDX-License-Identifier: MIT */
/*
 * ipi.pml - interrupt every target, wait for every one (ipi), and its negative
 * control skip-preempted.
 */

#include "machine.pml"
#include "word.pml"
#include "byte.pml"
#include "kvm.pml"
#include "park.pml"

inline post(t)
{
#ifdef MUTANT_SKIP_PREEMPTED
	if
	:: atomic { RUNS(me) && sd_word_preempted(t) -> waits[t] = false }
	:: atomic { RUNS(me) && !sd_word_preempted(t) -> waits[t] = true };
		sd_word_request(t, want[t])
	fi
#else
	sd_word_request(t, want[t]);
	waits[t] = true
#endif
}

inline wait_for(t)
{
	RUNS(me) && sd_word_served(t, want[t])
}

inline protocol_park(t, owes)
{
	sd_word_mark(t)
}

#define PARKED_PROMISE(t) true

#include "vcpu.pml"
