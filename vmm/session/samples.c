// SPDX-License-Identifier: MIT
/*
 * samples.c - reading the initiators' sample rings (samples.h).
 *
 * Threads: main.
 */
#include "samples.h"

#include "guest_pointer.h"

#define BATCH (SD_PAGE_BYTES / sizeof(struct sd_sample))

/* The next samples of a ring, by the address that its initiator has given. */
struct batch {
	struct sd_sample samples[BATCH];
	uint64_t count;
};

static int read_batch(struct session *session, uint32_t initiator, uint64_t tail, uint64_t head,
		      struct batch *batch, struct why *why)
{
	uint64_t index = tail & (SD_RING_SAMPLES - 1);
	uint64_t ring = sd_u64_load(&guest_region(&session->machine.memory, initiator)->ring);
	uint64_t address = ring + index * sizeof(struct sd_sample);
	struct shadow_reader *reader = shadow_reader(session->shadow, session->shape.vcpus);
	int error;

	batch->count = head - tail < BATCH ? head - tail : BATCH;
	if (batch->count > SD_RING_SAMPLES - index)
		batch->count = SD_RING_SAMPLES - index;
	error = shadow_copy_from_guest(reader, guest_pointer_root(initiator), address,
				       batch->samples, batch->count * sizeof(struct sd_sample));
	if (error == 0)
		return 0;
	return why_set(why, error == -ENOMEM ? EXIT_HOST : EXIT_GUEST, -error,
		       "initiator %u: sample ring at 0x%llx %s", initiator,
		       (unsigned long long)ring, guest_walk_text(error));
}

static int drain_ring(struct session *session, uint32_t initiator, sample_sink sink,
		      void *context, struct why *why)
{
	struct sd_region *region = guest_region(&session->machine.memory, initiator);
	/* PAIR(ring-head): acquire here, release in the guest's g_ring_push(). */
	uint64_t head = sd_u64_load_acquire(&region->ring_head);
	uint64_t tail = session->tails[initiator];
	struct batch batch;

	if (head - tail > SD_RING_SAMPLES)
		return why_set(why, EXIT_GUEST, EIO,
			       "initiator %u: sample ring head %llu out of reach of tail %llu", initiator,
			       (unsigned long long)head, (unsigned long long)tail);
	while (tail != head) {
		int error = read_batch(session, initiator, tail, head, &batch, why);

		if (error != 0)
			return error;
		for (uint64_t i = 0; i < batch.count; i++) {
			/* The ring says whose sample it is, whatever the guest has written. */
			batch.samples[i].initiator = (uint16_t)initiator;
			sink(context, &batch.samples[i]);
		}
		tail += batch.count;
		session->tails[initiator] = tail;
	}
	/* PAIR(ring-tail): release here, acquire in the guest's g_ring_next(). */
	sd_u64_store_release(&region->ring_tail, tail);
	return 0;
}

int samples_drain(struct session *session, sample_sink sink, void *context, struct why *why)
{
	int error = 0;

	/* The guest has run since the last time. */
	shadow_exit_begin(shadow_reader(session->shadow, session->shape.vcpus));
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
