/* SPDX-License-Identifier: MIT */
/*
 * word.pml - the transitions of include/word.h on the request and served words.
 *
 * Same bits as in the C; only the generation is shorter, so that it wraps. An
 * atomic block is one access to memory. A locked one drains its CPU's store
 * buffer. DIGEST lines: steps_are_current_test.py.
 * -D: MAX_POSTS: how many generations each target is asked for at most; 0: no
 *     limit, only where a single initiator waits for each.
 */
#define GENERATIONS 16
#ifndef MAX_POSTS
#define MAX_POSTS 4
#endif

#define SD_WORD_PREEMPTED    1
#define SD_WORD_SHOULD_FLUSH 2
#define SD_WORD_FLAGS        3
#define SD_WORD_GENERATION   4
#define WORD(value) ((value) & (GENERATIONS * SD_WORD_GENERATION - 1))
#define WITHOUT_FLAGS(word) ((word) & ~SD_WORD_FLAGS)

/* The second request wraps around. */
#define FIRST ((GENERATIONS - 2) * SD_WORD_GENERATION)

byte request[TARGETS] = FIRST + SD_WORD_PREEMPTED;      /* as vcpu_mark_created() leaves it */
byte served[TARGETS] = FIRST;
byte served_store[TARGETS];     /* in the store buffer: 0, or the value and IS_STORED */
#define IS_STORED 1

/* A handler or a waiter may fall behind by all that is asked meanwhile, and the
 * compare is right for less than half of all generations; in C that is 2^29. */
#if MAX_POSTS >= GENERATIONS / 2
#error "the compare is not right for so many"
#endif
#if MAX_POSTS
#define ASKED(t) (WORD(request[t] - FIRST) / SD_WORD_GENERATION)
#ifdef MUTUAL
#define MAY_ASK_ONE(t) (ASKED(t) + INITIATORS - 1 <= MAX_POSTS)
#if MAX_POSTS < INITIATORS - 1
#error "nobody may ask: that proves nothing"
#endif
#else
#define MAY_ASK_ONE(t) (ASKED(t) + INITIATORS <= MAX_POSTS)
#if MAX_POSTS < INITIATORS
#error "nobody may ask: that proves nothing"
#endif
#endif
#else
#define MAY_ASK_ONE(t) true
#endif
#if TARGETS == 1
#define MAY_ASK MAY_ASK_ONE(0)
#elif TARGETS == 2
#define MAY_ASK (MAY_ASK_ONE(0) && MAY_ASK_ONE(1))
#else
#define MAY_ASK (MAY_ASK_ONE(0) && MAY_ASK_ONE(1) && MAY_ASK_ONE(2))
#endif

/* --- served, by way of the store buffer ------------------------------------------ */

inline store_served(t, value)
{
#ifdef NO_STORE_BUFFERS
	served[t] = value
#else
	served_store[t] = (value) | IS_STORED
#endif
}

inline drain_served(t)
{
	if
	:: served_store[t] -> served[t] = WITHOUT_FLAGS(served_store[t]); served_store[t] = 0
	:: else
	fi
}

/* A protocol with more stores that may wait defines MORE_STORES and
 * inline drain_more_of_initiator(i), inline drain_more_of_vcpu(t). */
inline drain_initiator(i)
{
	drain_pte(i)
#ifdef MORE_STORES
	; drain_more_of_initiator(i)
#endif
#ifdef MUTUAL
	; drain_served(i)
#endif
}

inline drain_vcpu(t)
{
	drain_served(t)
#ifdef MORE_STORES
	; drain_more_of_vcpu(t)
#endif
#ifdef MUTUAL
	; drain_pte(t)
#endif
}

/* DIGEST include/word.h sd_word_preempted 0e3b1278d136 */
#define sd_word_preempted(t) ((request[t] & SD_WORD_PREEMPTED) != 0)

/* --- initiator -------------------------------------------------------------------- */

/* The compare-and-swap loop is one step. It succeeds at a moment when the word
 * is what was read, and what it does depends on that alone; attempts that fail
 * write nothing but what the store buffer holds, which it may do at any time.
 * DIGEST include/word.h sd_word_post 7e822ab9e6c8 */
inline sd_word_post(t, covered, want)
{
	if
#ifdef MUTANT_LOOK_IS_ENOUGH
	:: atomic { RUNS(me) && (request[t] & SD_WORD_FLAGS) == SD_WORD_FLAGS -> covered = true }
#endif
	:: atomic {
		RUNS(me) -> drain_initiator(me);
		covered = sd_word_preempted(t);
		if
		:: covered -> request[t] = request[t] | SD_WORD_SHOULD_FLUSH; will_flush(t)
		:: else ->
			request[t] = WORD(request[t] + SD_WORD_GENERATION);
			want = WITHOUT_FLAGS(request[t])
		fi
	   }
	fi
}

/* DIGEST include/word.h sd_word_request 581881b67a42 */
inline sd_word_request(t, want)
{
	atomic {
		RUNS(me) -> drain_initiator(me);
		request[t] = WORD(request[t] + SD_WORD_GENERATION);
		want = WITHOUT_FLAGS(request[t])
	}
}

/* DIGEST include/word.h sd_word_reached e069150c2cad */
#define sd_word_reached(is, want) \
	(WORD((is) - (want)) < GENERATIONS / 2 * SD_WORD_GENERATION)

/* DIGEST include/word.h sd_word_served d0d8fbf8d0f3 */
#define sd_word_served(t, want) sd_word_reached(served[t], want)

/* --- handler ------------------------------------------------------------------------ */

/* DIGEST include/word.h sd_word_serve_begin 60ca39088b04 */
inline sd_word_serve_begin(t, seen)
{
	seen = request[t]
}

/* DIGEST include/word.h sd_word_serve_end e9a0a72a90b0 */
inline sd_word_serve_end(t, seen)
{
#ifdef MUTANT_SERVE_READS_AGAIN
	seen = request[t];
#endif
	store_served(t, WITHOUT_FLAGS(seen))
}

/* --- VMM ---------------------------------------------------------------------------- */

/* DIGEST include/word.h sd_word_mark 9c68cb6413aa */
inline sd_word_mark(t)
{
	atomic { drain_vcpu(t); request[t] = request[t] | SD_WORD_PREEMPTED }
}

/* What sd_word_park() does with the generation that it has read. Nobody else writes
 * served: the vCPU is out of the guest, so load and store are one step. */
inline transfer(t, owes)
{
	atomic {
		if
		:: served[t] == WITHOUT_FLAGS(old)
		:: else -> store_served(t, WITHOUT_FLAGS(old)); owes = true; will_flush(t)
		fi;
		old = 0
	}
}

/* owes is set where the C returns true, and else left alone.
 * DIGEST include/word.h sd_word_park b0b32c41f644 */
inline sd_word_park(t, owes)
{
#ifdef MUTANT_TRANSFER_BEFORE_MARK
	atomic { drain_vcpu(t); old = request[t] };
	transfer(t, owes);
	sd_word_mark(t)
#else
	sd_word_mark(t);
	old = request[t];
	transfer(t, owes)
#endif
}

/* The two steps of unpark. */
inline clear_preempted(t)
{
#ifdef MUTANT_PREEMPTED_STAYS
	skip
#else
	atomic { drain_vcpu(t); request[t] = request[t] & ~SD_WORD_PREEMPTED }
#endif
}

inline take_mark(t, owes)
{
	if
	:: request[t] & SD_WORD_SHOULD_FLUSH ->
		atomic {
			drain_vcpu(t);
			request[t] = request[t] & ~SD_WORD_SHOULD_FLUSH;
			owes = true
		}
	:: else
	fi
}

/* The same.
 * DIGEST include/word.h sd_word_unpark 7802a4a25c96 */
inline sd_word_unpark(t, owes)
{
#ifdef MUTANT_UNPARK_BY_COPY
	old = request[t];
	atomic {
		drain_vcpu(t);
		request[t] = WITHOUT_FLAGS(old);
		if
		:: old & SD_WORD_SHOULD_FLUSH -> owes = true
		:: else
		fi;
		old = 0
	}
#else
#ifdef MUTANT_UNPARK_LOOKS_FIRST
	take_mark(t, owes);
	clear_preempted(t)
#else
	clear_preempted(t);
	take_mark(t, owes)
#endif
#endif
}

active proctype served_stores()
{
end:
	do
	:: d_step { served_store[0] -> drain_served(0) }
#if TARGETS > 1
	:: d_step { served_store[1] -> drain_served(1) }
#endif
#if TARGETS > 2
	:: d_step { served_store[2] -> drain_served(2) }
#endif
	od
}
