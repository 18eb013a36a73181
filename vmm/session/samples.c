// SPDX-License-Identifier: MIT
/*
 * samples.c - reading the initiators' sample rings (samples.h).
 *
 * Threads: main.
 */
#include "samples.h"

static int drain_ring(struct session *session, uint32_t initiator, sample_sink sink,
		      void *context, struct why *why)
{
	struct sd_region *region = guest_region(&session->machine.memory, initiator);
	const struct sd_sample *ring = guest_ring(&session->machine.memory, initiator);
	/* PAIR(ring-head): acquire here, release in the guest's g_ring_push(). */
	uint64_t head = sd_u64_load_acquire(&region->ring_head);
	uint64_t tail = session->tails[initiator];

	if (head - tail > SD_RING_SAMPLES)
		return why_set(why, EXIT_GUEST, EIO,
			       "initiator %u: sample ring head %llu out of reach of tail %llu", initiator,
			       (unsigned long long)head, (unsigned long long)tail);
	for (; tail != head; tail++) {
		struct sd_sample sample = ring[tail & (SD_RING_SAMPLES - 1)];

		/* Whose ring it is, is known better here. */
		sample.initiator = (uint16_t)initiator;
		sink(context, &sample);
	}
	session->tails[initiator] = tail;
	/* PAIR(ring-tail): release here, acquire in the guest's g_ring_next(). */
	sd_u64_store_release(&region->ring_tail, tail);
	return 0;
}

int samples_drain(struct session *session, sample_sink sink, void *context, struct why *why)
{
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < session->shape.initiators; i++)
		error = drain_ring(session, i, sink, context, why);
	return error;
}

uint64_t samples_origin(const struct session *session)
{
	uint64_t origin = 0;

	for (uint32_t i = 0; i < session->shape.initiators; i++) {
		const struct sd_region *region = guest_region(&session->machine.memory, i);
		uint64_t started = sd_u64_load(&region->started_ticks);

		if (started != 0 && (origin == 0 || started < origin))
			origin = started;
	}
	return origin;
}
