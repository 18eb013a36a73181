// SPDX-License-Identifier: MIT
/*
 * life.c - a hostile vCPU's life: it boots and measures exits, as any payload may, and turns
 * when the plan says so. Every vCPU walks at random through the acts of the plan, and one
 * of them, the finisher, or all, end with what the plan has for an end.
 *
 * Threads: every vCPU runs _start().
 */
#include "hostile.h"

_Static_assert(SD_PAYLOAD_GPA == 0x100000, "meson.build links for another address");

#define CALM_ROUNDS   2
#define WALK_DIVISOR  8         /* of a second: how long the finisher walks */
#define WALK_TICKS    (UINT64_C(1) << 28) /* the same while nobody knows the frequency */

const volatile struct plan plan = {
	.marker = { MARKER_0, MARKER_1 },
	.acts = 1,
	.jobs = AFTER_CALM,
};

struct walker walkers[SD_MAX_VCPUS];
uint32_t vcpus, initiators;
uint64_t tsc_hz;

static uint64_t walk_ends(void)
{
	return tsc() + (tsc_hz != 0 ? tsc_hz / WALK_DIVISOR : WALK_TICKS);
}

static void choose(uint32_t self)
{
	walkers[self] = (struct walker){
		.dice = mix(mix(plan.seed + 1) + self),
		.acts = plan.acts,
		.finisher = plan.finisher == EVERYBODY || plan.finisher % vcpus == self,
		.until_ticks = walk_ends(),
		.walks = true,
	};
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
			ends[plan.end % ENDS](walker);
			walker->until_ticks = walk_ends();
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
}

static bool is_time(uint64_t jobs, uint64_t rounds)
{
	return plan.jobs == AFTER_CALM ? rounds > CALM_ROUNDS : jobs >= plan.jobs;
}

__attribute__((noreturn))
void _start(uint32_t self);

void _start(uint32_t self)
{
	uint64_t rounds = 0;

	remember();
	set_gates();
	for (uint64_t jobs = 0;; jobs++) {
		rounds += jobs != 0 && control->job == SD_JOB_TOGGLE;
		if (is_time(jobs, rounds))
			walk(self);
		if (jobs != 0)
			obey(self);
		outl(SD_PORT_REQUEST, SD_REQ_READY);
		remember();
	}
}
