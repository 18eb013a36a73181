/* SPDX-License-Identifier: MIT */
/*
 * shadow_mode.pml - vmm/shadow/vcpu_mode.h and reclaim_mode.c: nobody frees a table
 * that a walker is using.
 *
 * Each freer has a cell; walkers look into any. A table is linked in one cell, then
 * unlinked, waited for and freed, and its memory is used again. Stores wait in store
 * buffers, the walkers' two deep and in order, until the hardware lets them go or a
 * locked instruction of their CPU drains them.
 * -D: WALKERS, FREERS: how many.
 */
#ifndef WALKERS
#define WALKERS 2
#endif
#ifndef FREERS
#define FREERS 1
#endif
#define TABLES (2 * FREERS)

#define OUTSIDE_GUEST_MODE         0
#define READING_SHADOW_PAGE_TABLES 1
#define IN_GUEST_MODE              2
#define EXITING_GUEST_MODE         4
#define VCPU_MODE_BITS             7
#define VCPU_MODE_ONE_WALK         8
#define WALK_NUMBERS (2 * VCPU_MODE_ONE_WALK)   /* in C, 2^61 of them */

byte cell[FREERS];              /* the table linked there, counted from 1; 0: none */
bool freed[TABLES + 1];
byte word[WALKERS];

/* In a store buffer: the value and IS_STORED. */
#define IS_STORED 128
byte word_store[WALKERS];       /* the older one */
byte word_store_2[WALKERS];
byte cell_store[FREERS];

inline drain_one(w)
{
	if
	:: word_store[w] ->
		word[w] = word_store[w] & ~IS_STORED;
		word_store[w] = word_store_2[w];
		word_store_2[w] = 0
	:: else
	fi
}

inline drain_walker(w)
{
	drain_one(w);
	drain_one(w)
}

inline drain_freer(f)
{
	if
	:: cell_store[f] -> cell[f] = cell_store[f] & ~IS_STORED; cell_store[f] = 0
	:: else
	fi
}

inline store_word(w, value)
{
#ifdef NO_STORE_BUFFERS
	word[w] = value
#else
	if
	:: !word_store[w] -> word_store[w] = (value) | IS_STORED
	:: else -> word_store_2[w] = (value) | IS_STORED
	fi
#endif
}

inline unlink(f)
{
#ifdef NO_STORE_BUFFERS
	cell[f] = 0
#else
	cell_store[f] = IS_STORED
#endif
}

#define HAS_ROOM(w) (word_store_2[w] == 0)

/* --- the walker's own transitions ------------------------------------------------- */

/* What the walker itself would load: the last value that it has stored, without the
 * mode, which is kept beside as `walks`.
 * DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_walks b7c1f455db38
 * DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_read_begin 5f1a03f09153 */
inline vcpu_mode_read_begin()
{
#ifdef MUTANT_READER_STORES_PLAINLY
	atomic { HAS_ROOM(me) -> store_word(me, walks | READING_SHADOW_PAGE_TABLES) }
#else
	atomic { drain_walker(me); word[me] = walks | READING_SHADOW_PAGE_TABLES }
#endif
}

/* DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_read_end 99047454f564 */
inline vcpu_mode_read_end()
{
	atomic {
		HAS_ROOM(me) ->
		walks = (walks + VCPU_MODE_ONE_WALK) % WALK_NUMBERS;
		store_word(me, walks)
	}
}

/* DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_enter_guest 03428804e561 */
inline vcpu_mode_enter_guest()
{
	atomic { drain_walker(me); word[me] = walks | IN_GUEST_MODE }
}

/* DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_leave_guest dcb20346c4c4 */
inline vcpu_mode_leave_guest()
{
	atomic { HAS_ROOM(me) -> store_word(me, walks) }
}

/* One entry stands for the way from the root to the leaf and the data after it.
 * DIGEST vmm/shadow/space.h space_find d2746e251e04
 * DIGEST vmm/shadow/shadow.c walk_and_copy ec5479c37f2c */
proctype walker(byte me)
{
	byte walks, table, i;

end:
	do
	:: true -> vcpu_mode_read_begin();
		if
		:: table = cell[0]
#if FREERS > 1
		:: table = cell[1]
#endif
		fi;
		assert(table == 0 || !freed[table]);    /* the entry, then the data */
#ifdef MUTANT_END_BEFORE_THE_COPY
		vcpu_mode_read_end();
		assert(table == 0 || !freed[table]);
#else
		assert(table == 0 || !freed[table]);
		vcpu_mode_read_end();
#endif
		table = 0
	:: true -> vcpu_mode_enter_guest();
		vcpu_mode_leave_guest()
	od
}

/* --- who frees --------------------------------------------------------------------- */

/* DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_reading 14d01077cfc7 */
#define vcpu_mode_reading(w) \
	((word[w] & READING_SHADOW_PAGE_TABLES) -> word[w] : 0)

/* DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_still 0998d42baab0 */
#define vcpu_mode_still(w, walk) (word[w] == (walk))

/* A compare-and-swap: locked, whether it succeeds or not. A look that finds another
 * mode is none.
 * DIGEST vmm/shadow/vcpu_mode.h vcpu_mode_kick c1d6a4dc117a
 * DIGEST vmm/shadow/reclaim_mode.c kick_from_guest 3336c80f89d1 */
inline kick_from_guest(w)
{
	atomic {
		if
		:: (word[w] & VCPU_MODE_BITS) == IN_GUEST_MODE ->
			drain_freer(me);
			word[w] = (word[w] & ~VCPU_MODE_BITS) | EXITING_GUEST_MODE
		:: true
		fi
	}
}

/* DIGEST vmm/shadow/reclaim_mode.c look da21bd6564d2
 * DIGEST vmm/shadow/reclaim_mode.c await 66b3203f81bb
 * DIGEST vmm/shadow/reclaim_mode.c mode_wait e17d8f710ea0 */
inline mode_wait()
{
#ifndef MUTANT_FREER_HAS_NO_FENCE
	atomic { drain_freer(me) };
#endif
	do
	:: w == WALKERS -> break
	:: else ->
		seen[w] = vcpu_mode_reading(w);
#ifndef NO_KICKS
		kick_from_guest(w);
#endif
		w++
	od;
	w = 0;
	do
	:: w == WALKERS -> break
	:: else ->
#ifdef MUTANT_LOOKS_ONCE
		skip;
#else
		if
		:: seen[w] == 0
		:: seen[w] && !vcpu_mode_still(w, seen[w])
		fi;
#endif
		seen[w] = 0;
		w++
	od;
	w = 0
}

inline free(table)
{
	freed[table] = true
}

/* Memory that is used again is another's: freed is undone when it is linked.
 * DIGEST vmm/shadow/space.c unlink_table 98681393fb8e
 * DIGEST vmm/shadow/space.c link_table 0c60dfaa75ae
 * DIGEST vmm/shadow/reclaim_mode.c mode_retire fe604e42bd42 */
proctype freer(byte me)
{
	byte old, next, w, i;
	byte seen[WALKERS];

	next = 2 * me + 1;
end:
	do
	:: atomic { freed[next] = false; cell[me] = next };
		old = next;
		next = 2 * me + 1 + (next == 2 * me + 1 -> 1 : 0);
		unlink(me);
#ifdef MUTANT_FREED_WITHOUT_WAIT
		atomic { drain_freer(me) };
#else
		mode_wait();
#endif
		/* Whatever frees it has locked instructions of its own. */
		atomic { drain_freer(me); free(old) };
		old = 0
	od
}

/* --- the hardware -------------------------------------------------------------------- */

active proctype stores()
{
end:
	do
	:: d_step { word_store[0] -> drain_one(0) }
#if WALKERS > 1
	:: d_step { word_store[1] -> drain_one(1) }
#endif
#if WALKERS > 2
	:: d_step { word_store[2] -> drain_one(2) }
#endif
	:: d_step { cell_store[0] -> drain_freer(0) }
#if FREERS > 1
	:: d_step { cell_store[1] -> drain_freer(1) }
#endif
	od
}

init {
	byte k;

	atomic {
		for (k : 0 .. WALKERS - 1) { run walker(k) }
		for (k : 0 .. FREERS - 1) { run freer(k) }
	}
}
