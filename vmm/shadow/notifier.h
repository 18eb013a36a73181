/* SPDX-License-Identifier: MIT */
/*
 * notifier.h - who was first: a fault that looks a frame up, or the host that takes it
 * away.
 *
 *   fault                               host, one page          host, a range
 *   -----                               --------------          -------------
 *   s = sequence                        the page moves          lock: ranges += 1, zap
 *   look the frame up                   lock: sequence += 1,    wait for readers
 *   lock                                      zap               the pages move
 *     ranges != 0 || sequence != s?     wait for readers        lock: sequence += 1,
 *       drop it, and try again          the old frame is free         ranges -= 1
 *     else map it                                               the old frames are free
 *
 * One page: a lookup from before the move is either mapped before the zap, and zapped,
 * or has an old sequence and is dropped. A range: while it goes on nothing is
 * mapped; the sequence catches a fault that began during it and ends after it. Both
 * words are on one line and read together, so that the range costs a fault nothing.
 *
 * Follows: Arcangeli, "mmu notifier #v12", linux-kernel, 22 April 2008.
 * Tested:  tests/unit/shadow_notifier_overtakes_test.c, tests/model/shadow_notifier.pml
 */
#ifndef NOTIFIER_H
#define NOTIFIER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

/* What a fault does that a change of memory has overtaken. */
enum shadow_retry {
	SHADOW_REPLAY,          /* gives its CPU away once and starts the access again */
	SHADOW_LOOP,            /* stays in the fault until no range goes on */
};

/* All writers but notifier_waited() hold the owner's lock. */
struct notifier {
	_Alignas(SD_CACHE_LINE) _Atomic uint64_t sequence; /* of changes that are over */
	_Atomic uint32_t ranges;        /* that go on */
	_Atomic uint32_t waits;         /* zaps whose readers may still be reading */
};

/* notifier_fault_begin - before the frame is looked up; without the lock.
 * PAIR(notifier-sequence): acquire here, release in notifier_changed(): a sequence that
 * counts a move is seen before the lookup, which then finds where the page has gone. */
uint64_t notifier_fault_begin(const struct notifier *notifier);

/* notifier_overtook - is what was looked up since @sequence in doubt? Under the lock. */
bool notifier_overtook(const struct notifier *notifier, uint64_t sequence);

/* notifier_goes_on - does any range go on? A look, without the lock. */
bool notifier_goes_on(const struct notifier *notifier);

/* notifier_range_start, notifier_range_end - around a change; under the lock, with the
 * zap of the range in the same hold as the start. They nest and overlap. */
void notifier_range_start(struct notifier *notifier);
void notifier_range_end(struct notifier *notifier);

/* notifier_page - a change of one page that has happened; under the lock, with its zap
 * in the same hold. */
void notifier_page(struct notifier *notifier);

/* notifier_will_wait - entries have been zapped that a walk may be using; whoever did it
 * waits for readers after the unlock, then calls notifier_waited(). Under the lock. */
void notifier_will_wait(struct notifier *notifier);

/* notifier_waited - PAIR(notifier-waits): release here, acquire in
 * notifier_is_waiting(): what readers did is over for who finds nobody waiting. */
void notifier_waited(struct notifier *notifier);

/* notifier_is_waiting - does anybody still wait for readers? Then a thread that finds no entry
 * to zap has to wait too: another one may just have zapped it. Under the lock. */
bool notifier_is_waiting(const struct notifier *notifier);

#endif
