/* SPDX-License-Identifier: MIT */
/*
 * shadow_notifier.pml - vmm/shadow/shadow.c and notifier.c: faults against the host that
 * moves frames and the guest's vCPUs that flush: nobody reads a frame that was let go.
 *
 * A frame that is let go is poisoned for good; there are enough for all moves. One
 * walker has one entry, which leads to whatever page its PTE names.
 * The lock and the locked instructions order all that matters here; what a walk and a
 * wait do to each other by store buffers is shadow_mode.pml's, so a walk is a bit.
 * -D: MOVES, SPURIOUS, FLUSHES: how many of each at most.
 */
#ifndef WALKERS
#define WALKERS 1
#endif
#ifndef MOVES
#define MOVES 2                 /* by each of the ways: page, range */
#endif
#ifndef SPURIOUS
#define SPURIOUS 1              /* invalidations by another thread, without a move */
#endif
#ifndef FLUSHES
#define FLUSHES 0
#endif
#define PAGES (FLUSHES + 1)
#define FRAMES (PAGES + 2 * MOVES)

bool freed[FRAMES];
byte at[PAGES];                 /* frame of each page */
byte pte;                       /* the page that the walkers' address is mapped to */
byte generation[WALKERS];

bool present[WALKERS];          /* the walker's entry */
byte entry[WALKERS];            /* its frame */
byte mapped[WALKERS];           /* its page: the rmap */
byte tag[WALKERS];

byte sequence, ranges, waits;
bool reading[WALKERS];
bool lock;

inline acquire()
{
	atomic { !lock -> lock = true }
}

inline release()
{
	lock = false
}

/* --- the walker's thread ----------------------------------------------------------- */

/* DIGEST vmm/shadow/shadow.c walk_and_copy ec5479c37f2c
 * DIGEST vmm/shadow/shadow.c copy_part 33e887791f4a */
inline walk()
{
	reading[me] = true;
	g = generation[me];
	atomic {
		found = present[me] && tag[me] == g;
		frame = entry[me]
	};
	if
	:: found ->
		assert(!freed[frame]);
		assert(!freed[frame])
	:: else
	fi;
	reading[me] = false;
	frame = 0
}

/* DIGEST vmm/shadow/notifier.c notifier_overtook 47fcef77c5c8 */
#ifdef MUTANT_NO_RETRY
#define notifier_overtook(s) false
#else
#ifdef MUTANT_NO_RANGE_COUNT
#define notifier_overtook(s) (sequence != (s))
#else
#ifdef MUTANT_NO_SEQUENCE
#define notifier_overtook(s) (ranges != 0)
#else
#define notifier_overtook(s) (ranges != 0 || sequence != (s))
#endif
#endif
#endif

/* Replayed by the walker's loop. In the loop of SHADOW_LOOP the same steps follow.
 * DIGEST vmm/shadow/notifier.c notifier_fault_begin 635f727cfb25
 * DIGEST vmm/shadow/shadow.c try_fault 195ebf6397f2
 * DIGEST vmm/shadow/shadow.c is_overtaken 4e93b1c962bc
 * DIGEST vmm/shadow/shadow.c map 8f1766e559fe */
inline try_fault()
{
	s = sequence;
#ifndef MUTANT_GENERATION_READ_LATE
	g = generation[me];
#endif
	page = pte;
	frame = at[page];
#ifdef MUTANT_SEQUENCE_READ_LATE
	s = sequence;
#endif
#ifdef MUTANT_GENERATION_READ_LATE
	g = generation[me];
#endif
	acquire();
	if
	:: notifier_overtook(s) || generation[me] != g
	:: else ->
		mapped[me] = page;
		atomic { present[me] = true; entry[me] = frame; tag[me] = g }
	fi;
	release();
	s = 0; page = 0; frame = 0
}

/* DIGEST vmm/shadow/shadow.c fault fff43d92d72b */
proctype walker(byte me)
{
	byte s, g, page, frame;
	bool found;

end:
	do
	:: walk();
		if
		:: !found -> try_fault()
		:: else -> found = false
		fi;
		g = 0
	od
}

/* --- the host ------------------------------------------------------------------------ */

/* DIGEST vmm/shadow/shadow.c zap_pages 5d59dfb49b29
 * DIGEST vmm/shadow/space.c space_zap_page 436b14e5522c */
inline zap_pages(p)
{
	do
	:: w == WALKERS -> break
	:: else ->
		if
		:: present[w] && mapped[w] == p -> present[w] = false; zapped = true
		:: else
		fi;
		w++
	od;
	w = 0
}

/* DIGEST vmm/shadow/shadow.c zap 51751a8e0076
 * DIGEST vmm/shadow/notifier.c notifier_is_waiting a5bd1e55024b
 * DIGEST vmm/shadow/notifier.c notifier_will_wait f58b23d563a2 */
inline zap(p)
{
	zap_pages(p);
#ifdef MUTANT_ZAP_IGNORES_OTHERS
	waiting = zapped;
#else
	waiting = zapped || waits != 0;
#endif
	zapped = false;
	if
	:: waiting -> waits++
	:: else
	fi
}

/* DIGEST vmm/shadow/shadow.c wait_for_readers 2aa7ae405c94
 * DIGEST vmm/shadow/notifier.c notifier_waited 216236cc352d */
inline wait_for_readers()
{
	if
	:: waiting ->
#ifndef MUTANT_NO_WAIT
		do
		:: w == WALKERS -> break
		:: w < WALKERS && !reading[w] -> w++
		od;
		w = 0;
#endif
		waits--;
		waiting = false
	:: else
	fi
}

/* DIGEST vmm/shadow/shadow.c shadow_invalidate_range_start a08d936dbaea
 * DIGEST vmm/shadow/notifier.c notifier_range_start b72122672198 */
inline shadow_invalidate_range_start(p)
{
	acquire();
	ranges++;
	zap(p);
	release();
	wait_for_readers()
}

/* DIGEST vmm/shadow/shadow.c shadow_invalidate_range_end 057f9142d2c4
 * DIGEST vmm/shadow/notifier.c notifier_range_end 7904e10f1090
 * DIGEST vmm/shadow/notifier.c notifier_changed e5d1a0cfe39f */
inline shadow_invalidate_range_end()
{
	acquire();
#ifdef MUTANT_END_IN_TWO_STEPS
	ranges--;
	release();
	acquire();
	sequence++;
#else
	sequence++;
	ranges--;
#endif
	release()
}

/* DIGEST vmm/shadow/shadow.c shadow_invalidate_page 6e8eed6645e1
 * DIGEST vmm/shadow/notifier.c notifier_page 1d8c5632fff2 */
inline shadow_invalidate_page(p)
{
	acquire();
	sequence++;
	zap(p);
	release();
	wait_for_readers()
}

/* DIGEST vmm/shadow/frames.c frames_move c2405b6e9b42 */
inline frames_move(p)
{
	old = at[p];
	at[p] = spare;
	spare++
}

/* A frame, once poisoned, is not used again here.
 * DIGEST vmm/shadow/frames.c frames_release 75fc043f9cdc */
inline frames_release()
{
	freed[old] = true;
	old = 0
}

/* DIGEST vmm/shadow/mover.c move_one 5694b09f8368
 * DIGEST vmm/shadow/mover.c move_range c441adb83e03 */
proctype mover()
{
	byte w, old, p, ones, ranged;
	byte spare = PAGES;
	bool zapped, waiting;

	do
	:: atomic { p < PAGES - 1 -> p++ }
	:: atomic { p > 0 -> p-- }
	:: ones < MOVES -> ones++;
#ifdef MUTANT_PAGE_BEFORE_THE_MOVE
		shadow_invalidate_page(p);
		frames_move(p);
#else
		frames_move(p);
		shadow_invalidate_page(p);
#endif
		frames_release()
	:: ranged < MOVES -> ranged++;
		shadow_invalidate_range_start(p);
		frames_move(p);
		frames_release();
		shadow_invalidate_range_end()
	:: break
	od
}

/* Others may invalidate what does not move. */
proctype other()
{
	byte w, count;
	bool zapped, waiting;

	do
	:: count == SPURIOUS -> break
	:: count < SPURIOUS -> count++;
		shadow_invalidate_page(0)
	:: count < SPURIOUS -> count++;
		shadow_invalidate_range_start(0);
		shadow_invalidate_range_end()
	od
}

/* --- another vCPU's flush --------------------------------------------------------------- */

/* Maps the next page, flushes all walkers, and writes over the page of before. The page
 * is not moved meanwhile: the guest writes it.
 * DIGEST vmm/shadow/shadow.c shadow_flush c9e5c33a32f4
 * DIGEST vmm/shadow/shadow.c next_generation 39eb9b0b51bc */
proctype flusher()
{
	byte w, count;

	do
	:: count == FLUSHES -> break
	:: else -> count++;
		pte++;
		do
		:: w == WALKERS -> break
		:: else ->
			generation[w]++;
			w++
		od;
		w = 0;
		do
		:: w == WALKERS -> break
		:: else ->
#ifndef MUTANT_FLUSH_DOES_NOT_WAIT
			!reading[w];
#endif
			w++
		od;
		w = 0;
		freed[at[pte - 1]] = true
	od
}

init {
	byte k;

	atomic {
		for (k : 0 .. PAGES - 1) { at[k] = k }
		for (k : 0 .. WALKERS - 1) { run walker(k) }
#if MOVES
		run mover();
#endif
#if SPURIOUS
		run other();
#endif
#if FLUSHES
		run flusher()
#endif
	}
}
