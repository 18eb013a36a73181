// SPDX-License-Identifier: MIT
/*
 * life.c - a hostile vCPU's life: it measures exits in CALM_ROUNDS rounds, as any payload
 * may, and then turns. Every vCPU walks at random through the acts, and one of them, the
 * finisher, ends with something that no guest survives.
 *
 * Only some acts are in a seed's walk, so that the violent ones leave others a chance.
 * Threads: every vCPU runs _start().
 */
#include "hostile.h"

_Static_assert(SD_PAYLOAD_GPA == 0x100000, "meson.build links for another address");

#define CALM_ROUNDS   2
#define WALK_DIVISOR  8         /* of a second: how long the finisher walks */

struct walker walkers[SD_MAX_VCPUS];
uint32_t vcpus, initiators;
uint64_t tsc_hz, seed;

static void choose(uint32_t self)
{
	struct walker *walker = &walkers[self];
	uint64_t dice = mix(seed + 1), violence = (seed + seed / ENDS) % 3;

	*walker = (struct walker){
		.dice = mix(dice + self),
		.end = (uint32_t)(seed % ENDS),
		.finisher = self == dice % vcpus,
		.until_ticks = tsc() + tsc_hz / WALK_DIVISOR,
		.walks = true,
	};
	/* The same for all vCPUs: half of the mild ones, some more in two guests of three,
	 * and one of the violent in one. */
	walker->acts = dice >> 8 & ((1u << MILD_ACTS) - 1);
	if (violence >= 1)
		walker->acts |= dice >> 24 & ((1u << MIDDLE_ACTS) - 1);
	if (violence == 2)
		walker->acts |= 1u << (MIDDLE_ACTS + (dice >> 48) % (ACTS - MIDDLE_ACTS));
	walker->acts |= 1u << dice % MILD_ACTS;
}

void walk(uint32_t self)
{
	struct walker *walker = &walkers[self];

	/* The neighbours' interrupts may be here first. */
	if (!walker->walks)
		choose(self);
	sd_u64_store(&own->ring, SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
	for (;;) {
		uint64_t act = below(walker, ACTS);

		if (walker->finisher && tsc() >= walker->until_ticks) {
			ends[walker->end % ENDS](walker);
			walker->until_ticks = tsc() + tsc_hz / WALK_DIVISOR;
		}
		if (walker->acts >> act & 1)
			acts[act](walker);
	}
}

/* An exit and its sample: what these rounds are about. */
static void measure(uint32_t self, uint32_t seq)
{
	struct sd_sample *ring = (struct sd_sample *)
		(SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
	uint64_t head = sd_u64_load(&own->ring_head), start = tsc();

	while (head - sd_u64_load_acquire(&own->ring_tail) >= SD_RING_SAMPLES)
		__asm__ volatile("pause");
	outl(SD_PORT_REQUEST, SD_REQ_NOTHING);
	ring[head % SD_RING_SAMPLES] = (struct sd_sample){
		.start_ticks = start, .wall_ticks = tsc() - start, .seq = seq, .targets = 1,
		.pages = 1,
	};
	sd_u64_store_release(&own->ring_head, head + 1);
	sd_u64_store(&own->flushes, sd_u64_load(&own->flushes) + 1);
}

static void obey(uint32_t self)
{
	bool measures = control->job == SD_JOB_TOGGLE && self < control->initiators;
	uint64_t share = measures ? control->flush_quota / control->initiators : 0;

	if (measures) {
		sd_u64_store(&own->ring, SD_RING_GPA + (uint64_t)self * SD_RING_STRIDE);
		sd_u64_store(&own->started_ticks, tsc());
	}
	for (uint32_t seq = 0; seq < share; seq++) {
		while (!sd_u32_load(&control->recording))
			__asm__ volatile("pause");
		measure(self, seq);
	}
	if (measures || self == 0)
		outl(SD_PORT_REQUEST, SD_REQ_STOPPED);
	while (!sd_u32_load(&control->stop_observers))
		__asm__ volatile("pause");
}

static void remember(void)
{
	vcpus = control->vcpus;
	initiators = control->initiators;
	tsc_hz = control->tsc_hz;
	seed = control->seed;
}

__attribute__((noreturn))
void _start(uint32_t self);

void _start(uint32_t self)
{
	uint32_t rounds = 0;

	set_gates();
	for (;;) {
		outl(SD_PORT_REQUEST, SD_REQ_READY);
		rounds += control->job == SD_JOB_TOGGLE;
		if (rounds > CALM_ROUNDS)
			walk(self);
		remember();
		obey(self);
	}
}
