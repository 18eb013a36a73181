// SPDX-License-Identifier: MIT
/*
 * costs.c - what the host's primitives cost, and whether they work (costs.h).
 *
 * Threads: vCPU 0 measures into ring 0; the others spin, in the guest and with
 *          interrupts on, until the job is stopped.
 */
#include "costs.h"

#include <stddef.h>

#include "flush.h"
#include "grace.h"
#include "pte.h"
#include "samples.h"


/* Each returns false when there was nothing to measure. */
static bool clock_once(void)
{
	return true;
}

static bool gate_once(void)
{
	g_gate_empty();
	return true;
}

static bool exit_once(void)
{
	g_doorbell(SD_REQ_NOTHING);
	return true;
}

/* xAPIC from ring 3; with x2APIC there is no way but the gate, whose cost the
 * floor shows. */
static bool ping_once(void)
{
	struct sd_u64 *pings = &g_region(g_control()->vcpus - 1)->pings;
	volatile uint32_t *high = (volatile uint32_t *)(uintptr_t)(SD_APIC_VA + SD_APIC_ICR_HIGH);
	volatile uint32_t *low = (volatile uint32_t *)(uintptr_t)(SD_APIC_VA + SD_APIC_ICR_LOW);
	uint64_t before = sd_u64_load_acquire(pings);

	*high = g_destination(g_control()->vcpus - 1);
	*low = SD_VECTOR_PING;
	while (sd_u64_load_acquire(pings) == before)
		g_pause();
	return true;
}

/* Not before the other vCPU has had its first slot. */
static bool floor_once(void)
{
	return g_flush_floor(0, G_EVERYTHING);
}

static void push_cost(struct g_ring *ring, uint32_t seq, uint64_t start, uint64_t ticks)
{
	struct sd_sample *sample = g_ring_next(ring);

	if (sample == NULL)
		return;
	*sample = (struct sd_sample){
		.start_ticks = start,
		.wall_ticks = ticks,
		.seq = seq,
		.kind = SD_SAMPLE_COST,
	};
	g_ring_push(ring);
}

static void measure(bool (*once)(void))
{
	struct g_ring ring;

	g_ring_open(&ring, 0);
	for (uint32_t i = 0; i < SD_COST_SAMPLES; i++) {
		uint64_t start;

		do {
			start = g_tsc_start();
		} while (!once());
		push_cost(&ring, i, start, g_tsc_end() - start);
	}
}

/* Each trip with a flush, less the trip without one just before it, because the speed of
 * the host changes from one second to the next. */
static void measure_entry(void)
{
	struct g_ring ring;

	g_ring_open(&ring, 0);
	for (uint32_t i = 0; i < SD_COST_SAMPLES; i++) {
		uint64_t start = g_tsc_start(), middle, without, with;

		g_doorbell(SD_REQ_FINISH);
		middle = g_tsc_start();
		g_doorbell(SD_REQ_FLUSH_ME);
		with = g_tsc_end() - middle;
		without = middle - start;
		push_cost(&ring, i, start, with > without ? with - without : 0);
	}
}

static uint64_t probe_load(void)
{
	return sd_u64_load((const struct sd_u64 *)(uintptr_t)SD_PROBE_VA);
}

/* Maps one of two frames where @vcpu sees its probe. */
static void probe_map(uint32_t vcpu, uint64_t frame)
{
	uint64_t index = (SD_PROBE_VA - SD_OWN_REGION_VA) / SD_PAGE_BYTES;

	sd_u64_store((struct sd_u64 *)(uintptr_t)(sd_table_gpa(vcpu, SD_TABLE_OWN) +
						  index * sizeof(uint64_t)), sd_pte(frame));
}

static uint64_t probe_frame(uint32_t i)
{
	return SD_PROBE_FRAMES_GPA + i % 2 * SD_PAGE_BYTES;
}

/* A spinning vCPU whose count goes up is in the guest, until it is kicked. */
static void wait_until_runs(const struct sd_region *target)
{
	uint32_t before = sd_u32_load(&target->pass);

	while (sd_u32_load(&target->pass) == before)
		g_pause();
}

/* As for the flush on entry. Where KVM shadows page tables and those of the target have
 * @changed, its flush also takes the vCPU that asked for it out of the guest. */
static void measure_kick(bool changed)
{
	uint32_t target = g_control()->vcpus - 1;
	struct g_ring ring;

	g_ring_open(&ring, 0);
	for (uint32_t i = 0; i < SD_COST_KICKS; i++) {
		uint64_t start, middle, without, with;

		wait_until_runs(g_region(target));
		start = g_tsc_start();
		g_doorbell(SD_REQ_NOTHING);
		without = g_tsc_end() - start;
		if (changed)
			probe_map(target, probe_frame(i));
		middle = g_tsc_start();
		g_protocols[SD_PROTOCOL_hypercall]->cover_all(0, G_EVERYTHING);
		with = g_tsc_end() - middle;
		push_cost(&ring, i, start, with > without ? with - without : 0);
	}
}

/*
 * A stale translation that has to go: load, change the entry, load again (old:
 * the translation was cached), exit and load (old where an exit alone flushes
 * nothing), have the VMM flush on entry, load (new).
 */
static void entry_flush_test(void)
{
	struct sd_region *own = g_region(0);
	uint64_t seen = 0, kept = 0, survived = 0;

	for (uint32_t i = 0; i < SD_ENTRY_FLUSH_ROUNDS; i++) {
		uint64_t frame = probe_frame(i);
		uint64_t before = probe_load(), cached;

		sd_u64_store((struct sd_u64 *)(uintptr_t)frame, i + 1);
		probe_map(0, frame);
		cached = probe_load();
		if (cached == before) {
			seen++;
			g_doorbell(SD_REQ_NOTHING);
			kept += probe_load() == before;
		}
		g_doorbell(SD_REQ_FLUSH_ME);
		survived += probe_load() != i + 1;
	}
	sd_u64_store(&own->checks, seen);
	sd_u64_store(&own->skipped, kept);
	sd_u64_store(&own->stale, survived);
}

/* Spins with a translation of the probe page in the TLB, whose entry may change meanwhile. */
static void spin(uint32_t self)
{
	while (!sd_u32_load(&g_control()->stop_observers)) {
		(void)probe_load();
		sd_walk_pass(g_region(self));
		g_pause();
	}
}

static void measure_job(uint32_t job)
{
	switch (job) {
	case SD_JOB_ENTRY_FLUSH:
		entry_flush_test();
		break;
	case SD_JOB_COST_CLOCK:
		measure(clock_once);
		break;
	case SD_JOB_COST_GATE:
		g_idt_set_gate(g_gate_entry_empty);
		measure(gate_once);
		g_idt_init();
		break;
	case SD_JOB_COST_EXIT:
		measure(exit_once);
		break;
	case SD_JOB_COST_ENTRY:
		measure_entry();
		break;
	case SD_JOB_COST_PING:
		measure(ping_once);
		break;
	case SD_JOB_COST_FLOOR:
		measure(floor_once);
		break;
	case SD_JOB_COST_KICK:
		measure_kick(false);
		break;
	case SD_JOB_COST_KICK_FLUSH:
		measure_kick(true);
		break;
	default:
		g_check(false, job, 0);
	}
}

void g_costs_run(uint32_t self, uint32_t job)
{
	if (self == 0) {
		measure_job(job);
		g_doorbell(SD_REQ_STOPPED);
	}
	spin(self);
}
