// SPDX-License-Identifier: MIT
/*
 * entry_flush_test.c - which way of flushing on entry works (entry_flush_test.h).
 *
 * Threads: main, while no vCPU runs.
 * Tested:  tests/unit/entry_flush_falls_back_test.c
 */
#include "entry_flush_test.h"

#include "job.h"

/* A payload may write anything: counts that cannot be are its failure. */
static int read_counts(const struct session *session, struct entry_flush_test *test,
		       struct why *why)
{
	const struct sd_region *region = guest_region(&session->machine.memory, 0);

	test->seen = sd_u64_load(&region->checks);
	test->kept = sd_u64_load(&region->skipped);
	test->survived = sd_u64_load(&region->stale);
	if (test->seen <= SD_ENTRY_FLUSH_ROUNDS && test->kept <= test->seen &&
	    test->survived <= test->seen)
		return 0;
	return why_set(why, EXIT_GUEST, EIO,
		       "test of the flush on entry: %llu kept, %llu survived of %llu stale translations of %u, counts the payload",
		       (unsigned long long)test->kept, (unsigned long long)test->survived,
		       (unsigned long long)test->seen, SD_ENTRY_FLUSH_ROUNDS);
}

static int try_way(struct session *session, enum entry_flush way, struct entry_flush_test *test,
		   struct why *why)
{
	const struct session_job job = { .kind = SD_JOB_ENTRY_FLUSH, .initiators_to_stop = 1 };
	int error;

	session_set_entry_flush(session, way);
	error = session_run(session, &job, why);
	return error != 0 ? error : read_counts(session, test, why);
}

static int way_failed(const struct session *session, const struct entry_flush_test *test,
		      struct why *why)
{
	return why_set(why, session->claims ? EXIT_GUEST : EXIT_HOST, EIO,
		       "flush on entry by %s: %llu of %llu stale translations survived it%s",
		       session->park.entry_flush == ENTRY_FLUSH_STEAL ? "the steal-time bit"
								 : "KVM_SET_SREGS",
		       (unsigned long long)test->survived, (unsigned long long)test->seen,
		       session->claims ? ", says the payload" : "");
}

int entry_flush_choose(struct session *session, enum entry_flush wanted,
		       struct entry_flush_test *test, struct why *why)
{
	enum entry_flush way = wanted == ENTRY_FLUSH_SREGS ? ENTRY_FLUSH_SREGS : ENTRY_FLUSH_STEAL;
	int error;

	if (way == ENTRY_FLUSH_STEAL && !session->threads[0].vcpu.has_steal_time) {
		if (wanted == ENTRY_FLUSH_STEAL)
			return why_set(why, EXIT_HOST, ENOTSUP,
				       "--entry-flush steal: this KVM offers no steal time or no PV TLB flush");
		way = ENTRY_FLUSH_SREGS;
	}
	error = try_way(session, way, test, why);
	if (error == 0 && test->survived != 0 && wanted == ENTRY_FLUSH_AUTO &&
	    way == ENTRY_FLUSH_STEAL) {
		test->steal_failed = test->survived;
		way = ENTRY_FLUSH_SREGS;
		error = try_way(session, way, test, why);
	}
	if (error == 0 && test->survived != 0)
		return way_failed(session, test, why);
	return error;
}
