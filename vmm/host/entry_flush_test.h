/* SPDX-License-Identifier: MIT */
/*
 * entry_flush_test.h - which way of flushing on entry works on this host.
 */
#ifndef ENTRY_FLUSH_TEST_H
#define ENTRY_FLUSH_TEST_H

#include "session.h"

/* What the guest saw. */
struct entry_flush_test {
	uint64_t seen;          /* stale translations that were there to go */
	uint64_t kept;          /* of them, still there after a plain exit */
	uint64_t survived;      /* still there after the flush on entry */
	uint64_t steal_failed;  /* survived the steal-time bit, so that AUTO went on without it */
};

/**
 * entry_flush_choose - try @wanted (or, with AUTO, the steal-time bit and then
 * KVM_SET_SREGS) on a stale translation that has to go, and use it.
 *
 * Returns: 0; the way is set in @session. @test is zeroed before. test->seen is 0 where
 *          this host drops translations by itself, so that no way could be seen to work.
 * Errors:  EXIT_HOST: a stale translation survived; EXIT_GUEST, if only a payload that is
 *          not the built-in one says so, or if what it counts cannot be.
 */
__attribute__((warn_unused_result))
int entry_flush_choose(struct session *session, enum entry_flush wanted,
		       struct entry_flush_test *test, struct why *why);

#endif
