/* SPDX-License-Identifier: MIT */
/*
 * byte.pml - the transitions of include/word.h on KVM's preempted byte.
 *
 * KVM's own two transitions of the same byte are in kvm.pml.
 */
#define SD_BYTE_PREEMPTED 1
#define SD_BYTE_FLUSH_TLB 2

byte preempted[TARGETS] = SD_BYTE_PREEMPTED;    /* as vcpu_mark_created() leaves it */

/* DIGEST include/word.h sd_byte_defer c1efe8589d3e */
inline sd_byte_defer(t, covered)
{
	atomic { RUNS(me) -> old = preempted[t]; covered = false };
	if
	:: !(old & SD_BYTE_PREEMPTED)
#ifdef MUTANT_LOOK_IS_ENOUGH
	:: atomic { (old & SD_BYTE_PREEMPTED) && (old & SD_BYTE_FLUSH_TLB) -> covered = true }
#endif
	:: atomic {
		(old & SD_BYTE_PREEMPTED) && RUNS(me) -> drain_initiator(me);
		if
		:: preempted[t] == old -> preempted[t] = old | SD_BYTE_FLUSH_TLB; covered = true; will_flush(t)
		:: else
		fi;
#ifdef MUTANT_CAS_TEST_INVERTED
		covered = !covered
#endif
	   }
	fi;
	old = 0
}

/* DIGEST include/word.h sd_byte_mark 6dcce8546f6f */
inline sd_byte_mark(t)
{
#ifdef MUTANT_MARK_OVERWRITES
	atomic { drain_vcpu(t); preempted[t] = SD_BYTE_PREEMPTED }
#else
	atomic { drain_vcpu(t); preempted[t] = preempted[t] | SD_BYTE_PREEMPTED }
#endif
}

/* DIGEST include/word.h sd_byte_ask_flush 91589fe98b40 */
inline sd_byte_ask_flush(t)
{
	atomic { drain_vcpu(t); preempted[t] = preempted[t] | SD_BYTE_FLUSH_TLB }
}

/* owes is set where the C returns true, and else left alone.
 * DIGEST include/word.h sd_byte_take a5e9506fb628 */
inline sd_byte_take(t, owes)
{
#ifdef MUTANT_TAKE_BY_COPY
	old = preempted[t];
#endif
	atomic {
		drain_vcpu(t);
#ifndef MUTANT_TAKE_BY_COPY
		old = preempted[t];
#endif
		preempted[t] = 0;
		if
		:: old & SD_BYTE_FLUSH_TLB -> owes = true
		:: else
		fi;
		old = 0
	}
}
