// SPDX-License-Identifier: MIT
/*
 * watchdog.c - does the guest get anywhere? (watchdog.h)
 *
 * Threads: main.
 * Tested:  tests/unit/standstill_is_found_out_test.c
 */
#include "watchdog.h"

#include "clock.h"
#include "host_load.h"
#include "sample.h"
#include "session_life.h"
#include "standstill.h"

#ifndef PATIENCE_NS
#define PATIENCE_NS (30 * NS_PER_S)
#endif
#define UNSEEN_MOST_NS NS_PER_S         /* of a guest that stands still, between two looks */
#define UNTHROTTLED_LEAST 64            /* one part in so many counts, however throttled */

void watchdog_begin(struct session *session)
{
	session->checked_ns = clock_ns();
	session->still_ns = 0;
	session->throttled_ns = throttle_read(&session->throttle).ns;
}

/* The warm-up's, which ends by itself: nothing else believes the guest's numbers. Modulo
 * 2^64: only that it changes counts. */
static uint64_t flushes_counted_by_guest(const struct session *session)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < session->shape.initiators; i++)
		sum += sd_u64_load(&guest_region(&session->machine.memory, i)->flushes);
	return sum;
}

/* A job that measures a primitive fills a ring that is read when it is over: the most that was
 * ever in it grows, and has an end. */
static void note_samples(struct session *session)
{
	const struct sd_region *region = guest_region(&session->machine.memory, 0);
	uint64_t unread = sd_u64_load(&region->ring_head) - session->tails[0];

	if (unread <= SD_RING_SAMPLES && unread > session->unread_most)
		session->unread_most = unread;
}

/* Of work that has to be done once. Otherwise a guest could use up all patience on each bit
 * of it, and last for hours. */
static uint64_t quarters(uint64_t done, uint64_t of)
{
	return of == 0 ? 0 : 4 * (done < of ? done : of) / of;
}

/* Changes as long as the guest gets anywhere. A guest that only looks busy is found
 * out: flushes count while recorded, which the quota or the time ends; when the job is
 * being stopped, only what a vCPU has to do once. */
static uint64_t progress_of(const struct session *session)
{
	uint32_t stopped = atomic_load(&session->stopped), to_stop = session->initiators_to_stop;
	uint64_t done = atomic_load(&session->ready) + (stopped < to_stop ? stopped : to_stop);
	uint64_t sum = quarters(done, (uint64_t)session->shape.vcpus + to_stop);

	if (session->stopping)
		return sum + quarters(session->unread_most, session->samples_expected);
	return sum + (session->recording ? session->recorded : flushes_counted_by_guest(session));
}

static uint64_t patience_ns(const struct session *session)
{
	uint64_t a_slot = (session->shape.vcpus + session->shape.slots - 1) / session->shape.slots;
	uint64_t rotations = 4 * a_slot * session->shape.slice_ns;

	return rotations > PATIENCE_NS ? rotations : PATIENCE_NS;
}

/* Of @unseen_ns, what a guest could have used: not the time in which our cgroups were
 * throttled, CPU by CPU. A little is left, so that one that stands still under the
 * smallest quota is found out too. */
static uint64_t usable_ns(struct session *session, uint64_t unseen_ns)
{
	uint64_t throttled_ns = throttle_read(&session->throttle).ns;
	uint64_t since_ns = (throttled_ns - session->throttled_ns) / host_load_cpus(session);
	uint64_t most_ns = unseen_ns - unseen_ns / UNTHROTTLED_LEAST;

	session->throttled_ns = throttled_ns;
	return unseen_ns - (since_ns < most_ns ? since_ns : most_ns);
}

static void note_progress(struct session *session, uint64_t progress, uint64_t now_ns)
{
	uint64_t unseen_ns = now_ns - session->checked_ns;

	if (progress != session->progress)
		session->still_ns = 0;
	else
		session->still_ns += usable_ns(session, unseen_ns < UNSEEN_MOST_NS ? unseen_ns
										   : UNSEEN_MOST_NS);
	session->progress = progress;
	session->checked_ns = now_ns;
}

int session_check(struct session *session, uint64_t now_ns, struct why *why)
{
	int error = session_failure(session, why);
	uint64_t progress;

	note_samples(session);
	progress = progress_of(session);
	guest_log_print(&session->log, stderr);
	if (error != 0)
		return error;
	note_progress(session, progress, now_ns);
	if (session->still_ns < patience_ns(session))
		return 0;
	session_end_threads(session);
	error = why_set(why, EXIT_GUEST, ETIMEDOUT, "the guest made no progress for %llu s",
			(unsigned long long)(patience_ns(session) / NS_PER_S));
	why->more = standstill_text(session);
	return error;
}
