// SPDX-License-Identifier: MIT
/*
 * reclaim_mode.c - the scheme of vcpu->mode: a thread that frees waits for the readers of
 * this moment, and for nobody else (reclaim.h, vcpu_mode.h).
 *
 * A signal cannot hurry a reader, so only vCPUs that are in the guest are signalled,
 * if anybody wants to be; nobody waits for them: a vCPU in the guest knows no table.
 *
 * Threads: walkers; any thread frees.
 * Follows: Kivity, "KVM: MMU: Don't use RCU for lockless shadow walking", v3, 2012.
 *          There a walker has interrupts off, and the IPI waits for it. Here the thread
 *          that frees has to look at the walker itself.
 */
#include "reclaim.h"

static void mode_begin(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	(void)reclaim;
	vcpu_mode_read_begin(&reader->mode);
}

static void mode_end(struct reclaim *reclaim, struct reclaim_reader *reader)
{
	(void)reclaim;
	vcpu_mode_read_end(&reader->mode);
}

/* Walks that go on. */
#define READING_MAX 64

struct reading {
	const struct vcpu_mode *mode[READING_MAX];
	uint64_t walk[READING_MAX];
	uint32_t count;
};

static void kick_from_guest(struct reclaim *reclaim, uint32_t reader)
{
	if (reclaim->kick == NULL || !vcpu_mode_kick(&reclaim->readers[reader].mode))
		return;
	atomic_fetch_add(&reclaim->kicks, 1);
	reclaim->kick(reclaim->kick_context, reader);
}

/* All are looked at before any is waited for: a walk that begins meanwhile is no matter.
 * From reader @next on, as far as there is room; returns where to go on. */
static uint32_t look(struct reclaim *reclaim, uint32_t next, struct reading *reading)
{
	reading->count = 0;
	for (; next < reclaim->reader_count && reading->count < READING_MAX; next++) {
		const struct vcpu_mode *mode = &reclaim->readers[next].mode;
		/* PAIR(shadow-read-done): acquire, release at the walk's end. */
		uint64_t walk = vcpu_mode_reading(mode);

		kick_from_guest(reclaim, next);
		reading->mode[reading->count] = mode;
		reading->walk[reading->count] = walk;
		reading->count += walk != 0;
	}
	return next;
}

/* Until each word has changed: a reader that walks all the time is waited for once. */
static void await(const struct reading *reading)
{
	for (uint32_t i = 0; i < reading->count; i++)
		for (unsigned turns = 0; vcpu_mode_still(reading->mode[i], reading->walk[i]);
		     turns++)
			reclaim_pause(turns);
}

static void mode_wait(struct reclaim *reclaim)
{
	struct reading reading;
	uint32_t next = 0;

	/* PAIR(shadow-reading): a locked add is the full fence between the unlinking and
	 * the look at the words; the other one is the walker's exchange.
	 * Without: the unlinking is still in the store buffer when the words are read, and
	 * a walk that begins after that look finds the table. */
	(void)atomic_fetch_add(&reclaim->waits, 1);
	while (next < reclaim->reader_count) {
		next = look(reclaim, next, &reading);
		await(&reading);
	}
}

static bool mode_retire(struct reclaim *reclaim, struct retired *list)
{
	mode_wait(reclaim);
	reclaim_free(reclaim, list);
	return true;
}

const struct reclaim_ops reclaim_mode = {
	.name = "mode",
	.begin = mode_begin,
	.end = mode_end,
	.wait = mode_wait,
	.retire = mode_retire,
};
