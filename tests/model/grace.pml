/* SPDX-License-Identifier: MIT */
/*
 * grace.pml - include/grace.h: when a page table is freed that a lockless walker may
 * be in, or of which a vCPU may hold the upper entry in its paging-structure caches.
 *
 * One table each initiator; a walk has two levels. The words of the flush are
 * word.pml's business: here a flush only has to reach every vCPU or to miss some.
 * -D: INITIATORS; TARGETS: vCPUs that walk; MUTUAL: initiator n runs on target n.
 *     How the flush goes, one of
 *       HELD: every target's handler, which a walk holds off;
 *       MISSED: so, but a preempted target flushes when it runs again;
 *       UNHEARD: no handler, and nothing that drains a store buffer: it is neither
 *           fence nor wait, and all depends on the grace period.
 *     GRACE: the table is freed after a grace period; if not, after the flush.
 *     PARKED_MAY_STAY: outside a walk, and when nobody waits for its handler.
 */
#ifdef MUTUAL
#define TARGETS INITIATORS
#define RUNS(i) (in_guest[i] && handler[i] == 0)
#define IS_SELF(i, t) ((i) == (t))
#else
#define RUNS(i) true
#define IS_SELF(i, t) false
#endif
#define WALKER_RUNS (in_guest[me] && handler[me] == 0)

/* What an entry leads to, in memory, in a register or in a cache. */
#define NOTHING 0
#define TABLE   1
#define FREED   2       /* a table that has been freed since, and may be another's */

typedef entries { byte upper[INITIATORS] };

byte entry[INITIATORS];         /* the upper one, as others see it */
byte entry_store[INITIATORS];   /* in the store buffer: 0, or what is stored + 1 */
entries cached[TARGETS];        /* the most that a paging-structure cache may hold */
byte found[TARGETS];            /* by the walk that is going on */
byte from[TARGETS];             /* whose entry that was */

bool in_guest[TARGETS];
bool irq[TARGETS];              /* the flush vector is pending */
bool off[TARGETS];              /* interrupts are */
byte handler[TARGETS];          /* next step of the flush handler; 0: not in it */
byte asked[TARGETS];            /* and not served: a bit each initiator */
bool preempted[TARGETS];        /* with should_flush one word */
bool should_flush[TARGETS];

bool in_walk[TARGETS];
byte in_walk_store[TARGETS];    /* in the store buffer: 0, or the value + 1 */

/* The count, for whom it matters: bit i is set when pass is no longer what initiator
 * i has noted. That it wraps around is a delay and nothing worse. */
#define ALL_INITIATORS ((1 << INITIATORS) - 1)
byte passed[TARGETS] = ALL_INITIATORS;

/* No more parks, walks and tables: all that is under way has to come to its end. */
bool calm;

/* --- store buffers ------------------------------------------------------------------ */

/* A vCPU may have the upper entry in its caches from the moment it is there. */
inline drain_entry(i)
{
	if
	:: entry_store[i] == TABLE + 1 ->
		entry[i] = TABLE;
		entry_store[i] = 0;
		k = 0;
		do
		:: k < TARGETS ->
			if
			:: cached[k].upper[i] == NOTHING -> cached[k].upper[i] = TABLE
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0
	:: entry_store[i] == NOTHING + 1 -> entry[i] = NOTHING; entry_store[i] = 0
	:: else
	fi
}

#ifdef MUTANT_PASS_BY_STORE
bool pass_store[TARGETS];       /* in the store buffer, after in_walk = 0 */

inline drain_pass(t)
{
	if
	:: pass_store[t] -> passed[t] = ALL_INITIATORS; pass_store[t] = false
	:: else
	fi
}
#else
#define drain_pass(t) skip
#endif

#ifdef MUTANT_OFF_BY_STORE
bool off_store[TARGETS];        /* in the store buffer: a 1 */

inline drain_off(t)
{
	if
	:: off_store[t] -> off[t] = true; off_store[t] = false
	:: else
	fi
}
#else
#define drain_off(t) skip
#endif

inline drain_walk(t)
{
	drain_pass(t);
	if
	:: in_walk_store[t] -> in_walk[t] = in_walk_store[t] - 1; in_walk_store[t] = 0
	:: else
	fi;
	drain_off(t)
}

#ifdef MUTUAL
#define drain_initiator(i) drain_entry(i); drain_walk(i)
#define drain_vcpu(t) drain_entry(t); drain_walk(t)
#else
#define drain_initiator(i) drain_entry(i)
#define drain_vcpu(t) drain_walk(t)
#endif

/* Two stores of one initiator are never in the buffer together: that the table was
 * there, and nobody could see it, is of no interest. */
inline store_entry(i, value)
{
	drain_entry(i);
#ifdef NO_STORE_BUFFERS
	entry_store[i] = (value) + 1;
	drain_entry(i)
#else
	entry_store[i] = (value) + 1
#endif
}

/* The second may go over the first: the locked count is right after it. */
inline store_in_walk(t, value)
{
#ifdef NO_STORE_BUFFERS
	in_walk[t] = value
#else
	in_walk_store[t] = (value) + 1
#endif
}

/* --- the oracle: what is freed is read by no walk, and in no cache of a running vCPU - */

inline free_table(i)
{
	d_step {
		k = 0;
		do
		:: k < TARGETS ->
			assert(!in_guest[k] || cached[k].upper[i] != TABLE);
			cached[k].upper[i] = (cached[k].upper[i] == NOTHING -> NOTHING : FREED);
			if
			:: found[k] == TABLE && from[k] == i -> found[k] = FREED
			:: else
			fi;
			passed[k] = passed[k] | (1 << i);       /* looked at no more */
			k++
		:: else -> break
		od;
		k = 0;
		entry[i] = (entry[i] == NOTHING -> NOTHING : FREED)
	}
}

/* Whatever a cache holds is used at any moment, in the handler too. */
inline enter_guest(t)
{
	d_step {
		in_guest[t] = true;
		k = 0;
		do
		:: k < INITIATORS -> assert(cached[t].upper[k] != FREED); k++
		:: else -> break
		od;
		k = 0
	}
}

inline flush_caches(t)
{
	d_step {
		k = 0;
		do
		:: k < INITIATORS -> cached[t].upper[k] = entry[k]; k++
		:: else -> break
		od;
		k = 0
	}
}

/* --- walker ------------------------------------------------------------------------- */

/* DIGEST include/grace.h sd_walk_begin 4a2b426318fe */
inline sd_walk_begin()
{
	atomic { !calm && WALKER_RUNS -> store_in_walk(me, 1) }
}

/* DIGEST include/grace.h sd_walk_pass ed21b90b6f2e */
inline sd_walk_pass()
{
#if defined(MUTANT_PASS_BY_STORE) && !defined(NO_STORE_BUFFERS)
	atomic { WALKER_RUNS -> drain_walk(me); pass_store[me] = true }
#else
	atomic { WALKER_RUNS -> drain_vcpu(me); passed[me] = ALL_INITIATORS }
#endif
}

/* The first half.
 * DIGEST include/grace.h sd_walk_end 13f88f8b2bbd */
inline leave_walk()
{
	atomic { WALKER_RUNS -> store_in_walk(me, 0) }
}

/* What matters of the fence is that interrupts are off before the first load; that it
 * drains in_walk too is not needed.
 * DIGEST guest-payload/walker.c interrupts_off 8e9bae32d24c */
inline interrupts_off()
{
#if defined(MUTANT_OFF_BY_STORE) && !defined(NO_STORE_BUFFERS)
	atomic { WALKER_RUNS -> off_store[me] = true }
#else
	atomic { WALKER_RUNS -> off[me] = true }
#endif
}

/* DIGEST guest-payload/walker.c interrupts_on f06e4fd23fd3 */
inline interrupts_on()
{
	atomic {
		WALKER_RUNS -> off[me] = false
#ifdef MUTANT_OFF_BY_STORE
		; off_store[me] = false
#endif
	}
}

/* Not the own tree. */
inline read_upper_entry()
{
	atomic {
		WALKER_RUNS ->
		if
		:: !IS_SELF(me, 0) -> from[me] = 0
#if INITIATORS > 1
		:: !IS_SELF(me, 1) -> from[me] = 1
#endif
		fi;
		found[me] = entry[from[me]]
	}
}

inline read_table()
{
	atomic { WALKER_RUNS -> assert(found[me] != FREED); found[me] = NOTHING; from[me] = 0 }
}

/* DIGEST guest-payload/walker.c walk b820e4fed7b9
 * DIGEST guest-payload/walker.c g_walk_section b93c18b61d2a */
inline walk_section()
{
	sd_walk_begin();
	interrupts_off();
	read_upper_entry();
	read_table();
	interrupts_on();
	leave_walk();
end_pass:
	sd_walk_pass()
}

/* A walker goes on for ever. When calm has come, only its count matters, and that only
 * to who waits for it. */
#define IS_WAITED_FOR(t) (passed[t] != ALL_INITIATORS)

proctype walker(byte me)
{
	byte k;

end_idle:
	do
	:: walk_section()
	:: calm && IS_WAITED_FOR(me) && WALKER_RUNS -> sd_walk_pass()
	od
}

/* --- initiator: the flush ----------------------------------------------------------- */

#ifdef MUTUAL
#define pass_while_waiting() sd_walk_pass()
#define MAY_PASS (IS_WAITED_FOR(me) && RUNS(me))
#else
#define pass_while_waiting() skip
#define MAY_PASS false
#endif

#ifdef UNHEARD
inline flush_others()
{
	d_step {
		k = 0;
		do
		:: k < TARGETS -> cached[k].upper[me] = NOTHING; k++
		:: else -> break
		od;
		k = 0
	}
}
#else
inline ask(t)
{
	atomic {
		RUNS(me) -> drain_initiator(me);
#ifdef MISSED
		covered = preempted[t];
#endif
		if
		:: covered -> should_flush[t] = true
		:: else -> asked[t] = asked[t] | (1 << me)
		fi
	};
	atomic { RUNS(me) -> irq[t] = irq[t] || !covered; covered = false }
}

#define HAS_ASKED(i, t) ((asked[t] & (1 << (i))) != 0)

inline flush_others()
{
	do
	:: t == TARGETS -> break
	:: else -> if :: IS_SELF(me, t) :: else -> ask(t) fi; t++
	od;
	t = 0;
#ifdef MUTUAL
	atomic { RUNS(me) -> drain_initiator(me); flush_caches(me) };
#endif
	do
	:: t == TARGETS -> break
	:: t < TARGETS && RUNS(me) && !HAS_ASKED(me, t) -> t++
#ifndef MUTANT_WAITER_COUNTS_NO_PASS
	:: t < TARGETS && HAS_ASKED(me, t) && MAY_PASS -> pass_while_waiting()
#endif
	od;
	t = 0
}
#endif

/* --- initiator: the grace period ---------------------------------------------------- */

/* DIGEST include/grace.h sd_grace_begin 11f1b47a8fe6 */
inline sd_grace_begin()
{
#ifdef MUTANT_NO_FENCE_BEFORE_NOTES
	skip
#else
	atomic { RUNS(me) -> drain_initiator(me) }
#endif
}

/* DIGEST include/grace.h sd_grace_note dc2abe043878 */
inline sd_grace_note(t)
{
	atomic { RUNS(me) -> passed[t] = passed[t] & ~(1 << me) }
}

/* DIGEST guest-payload/retired.c begin_grace c106fe5defc0 */
inline begin_grace()
{
	sd_grace_begin();
	do
	:: t == TARGETS -> break
	:: else -> if :: IS_SELF(me, t) :: else -> sd_grace_note(t) fi; t++
	od;
	t = 0
}

#define HAS_PASSED(t) ((passed[t] & (1 << me)) != 0)

/* One look that is not the last: the first of two things has been seen. */
#if defined(MUTANT_IN_WALK_FIRST)
#define FIRST_LOOK(t)  (!in_walk[t])
#define SECOND_LOOK(t) preempted[t]
#elif defined(MUTANT_PARKED_IS_QUIESCENT)
#define FIRST_LOOK(t)  preempted[t]
#define SECOND_LOOK(t) true
#else
#define FIRST_LOOK(t)  preempted[t]
#define SECOND_LOOK(t) (!in_walk[t])
#endif

/* The waiting loop and its looks; one at pass that finds nothing changes nothing.
 * DIGEST include/grace.h sd_grace_passed 6b4be4eb951f
 * DIGEST guest-payload/retired.c is_grace_over 7e1a94f1eef8
 * DIGEST guest-payload/retired.c look e28dac0b9eef
 * DIGEST guest-payload/retired.c g_retired_wait b04952fb5959 */
inline wait_until_grace_is_over()
{
	do
	:: t == TARGETS -> break
	:: t < TARGETS && IS_SELF(me, t) -> t++
	:: t < TARGETS && !IS_SELF(me, t) && RUNS(me) && HAS_PASSED(t) -> t++
	:: t < TARGETS && !IS_SELF(me, t) && RUNS(me) && FIRST_LOOK(t) ->
		if
		:: RUNS(me) && SECOND_LOOK(t) -> t++
		:: RUNS(me) && !SECOND_LOOK(t)
		fi
#ifndef MUTANT_WAITER_COUNTS_NO_PASS
	:: t < TARGETS && MAY_PASS -> pass_while_waiting()
#endif
	od;
	t = 0
}

/* A round of the workload. Between the flush and the end of the grace period it walks
 * or not: it is in no walk while it looks.
 * DIGEST guest-payload/tree.c g_tree_unlink d4ee3b7f20d1
 * DIGEST guest-payload/retired.c g_retire 89dc6e0683fe
 * DIGEST guest-payload/retired.c free_batch ba318825cb59 */
proctype initiator(byte me)
{
	byte t, k;
	bool covered;

	do
	:: calm -> break
	:: atomic { !calm && RUNS(me) -> store_entry(me, TABLE) };
#ifdef MUTUAL
		if
		:: walk_section()
		:: skip
		fi;
#endif
		atomic { RUNS(me) -> store_entry(me, NOTHING) };
		flush_others();
#ifdef GRACE
		begin_grace();
		wait_until_grace_is_over();
#endif
		atomic { RUNS(me) -> free_table(me) }
	od;
#ifdef MUTUAL
end_walks:      /* as the others do */
	do
	:: MAY_PASS -> pass_while_waiting()
	od
#endif
}

/* --- a vCPU and its thread ---------------------------------------------------------- */

/* It serves at once: a store to the served word that stays in the buffer is a delay and
 * nothing worse. */
inline handle_ipi()
{
	if
	:: atomic {
		in_guest[me] && handler[me] == 0 && irq[me] && !off[me] ->
		irq[me] = false;
		handler[me] = 1
	   }
	:: atomic { handler[me] == 1 -> seen = asked[me]; handler[me] = 2 }
#ifdef MUTANT_SERVE_BEFORE_FLUSH
	:: atomic { handler[me] == 2 -> asked[me] = asked[me] & ~seen; handler[me] = 3 }
	:: atomic {
		handler[me] == 3 ->
		drain_vcpu(me);
		flush_caches(me);
		seen = 0;
		handler[me] = 0
	   }
#else
	:: atomic { handler[me] == 2 -> drain_vcpu(me); flush_caches(me); handler[me] = 3 }
	:: atomic { handler[me] == 3 -> asked[me] = asked[me] & ~seen; seen = 0; handler[me] = 0 }
#endif
	fi
}

inline park()
{
	atomic { drain_vcpu(me); preempted[me] = true }
}

inline unpark()
{
	atomic {
		drain_vcpu(me);
		preempted[me] = false;
		if
		:: should_flush[me] -> should_flush[me] = false; flush_caches(me)
		:: else
		fi
	}
}

inline may_stay_parked()
{
#ifdef PARKED_MAY_STAY
	if
	:: skip
	:: calm && !in_walk[me] && !asked[me] ->
end_parked:
		!calm || asked[me]
	fi
#else
	skip
#endif
}

/* Any exit may end the stay in the guest between any two steps. */
proctype vcpu(byte me)
{
	byte k, seen;

	do
	:: unpark();
		enter_guest(me);
end_guest:
		do
		:: handle_ipi()
		:: atomic { !calm && in_guest[me] -> in_guest[me] = false; break }
		od;
		park();
		may_stay_parked()
	od
}

active proctype stores()
{
	byte k;

end:
	do
	:: d_step { entry_store[0] -> drain_entry(0) }
#if INITIATORS > 1
	:: d_step { entry_store[1] -> drain_entry(1) }
#endif
	:: d_step { in_walk_store[0] -> drain_walk(0) }
#if TARGETS > 1
	:: d_step { in_walk_store[1] -> drain_walk(1) }
#endif
#ifdef MUTANT_PASS_BY_STORE
	:: d_step { pass_store[0] -> drain_pass(0) }
#endif
	od
}

active proctype calm_comes()
{
	calm = true
}

init {
	byte n;

	atomic {
		do
		:: n < TARGETS ->
			run vcpu(n);
#ifndef MUTUAL
			run walker(n);
#endif
			n++
		:: else -> break
		od;
		n = 0;
		do
		:: n < INITIATORS -> run initiator(n); n++
		:: else -> break
		od;
		n = 0
	}
}
