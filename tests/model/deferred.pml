/* SPDX-License-Identifier: MIT */
/*
 * deferred.pml - mainline's way: a preempted target is marked in KVM's byte by
 * one cmpxchg, every other one gets an IPI and is waited for.
 */

#include "by_byte.pml"

inline wait_for(t)
{
	RUNS(me) && sd_word_served(t, want[t])
}

#define PARKED_PROMISE(t) true

#include "vcpu.pml"
