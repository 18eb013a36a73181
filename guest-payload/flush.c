// SPDX-License-Identifier: MIT
/*
 * flush.c - one shootdown (flush.h).
 *
 * Threads: an initiator's vCPU. Its stack holds the list of waiting targets.
 */
#include "flush.h"

#include <stddef.h>

#include "grace.h"
#include "range.h"

/* Looks of a waiting initiator between two passes (grace.h). */
#define PASS_LOOKS 64

/* Targets that got an IPI, in the order of the IPIs. */
struct waiting {
	uint32_t count;
	uint32_t destination[SD_MAX_VCPUS];     /* for the gate */
	uint32_t want[SD_MAX_VCPUS];            /* what served has to reach */
	uint16_t vcpu[SD_MAX_VCPUS];
};

/* TSC at the begin of a step, if it is recorded. */
static uint64_t step_begin(const struct g_flush *flush)
{
	return flush->trace.ring != NULL ? g_tsc_start() : 0;
}

static void step_record(const struct g_flush *flush, uint16_t kind, uint32_t target,
			uint16_t outcome, uint64_t start_ticks)
{
	struct sd_sample *sample = g_ring_next_spare(flush->trace.ring);

	if (sample == NULL)
		return;
	sample->start_ticks = start_ticks;
	sample->wall_ticks = g_tsc_start() - start_ticks;
	sample->seq = flush->trace.seq;
	sample->kind = kind;
	sample->target = (uint16_t)target;
	sample->outcome = outcome;
	g_ring_push(flush->trace.ring);
}

static void step_end(const struct g_flush *flush, uint16_t kind, uint32_t target,
		     uint16_t outcome, uint64_t start_ticks)
{
	if (flush->trace.ring != NULL)
		step_record(flush, kind, target, outcome, start_ticks);
}

static uint32_t vector_of(const struct g_protocol_ops *ops)
{
	return ops->vector != 0 ? ops->vector : SD_VECTOR_FLUSH;
}

/* Between the request and its IPI (range.h). */
static void tell_range(struct sd_region *target, uint32_t want, struct g_range range)
{
	if (range.pages != 0)
		sd_range_tell(target, sd_range_of(want, range.va, range.pages));
}

static void post_all(const struct g_protocol_ops *ops, uint32_t self, struct g_range range,
		     struct waiting *waiting, struct g_flush *flush)
{
	bool ranged = vector_of(ops) == SD_VECTOR_FLUSH;
	uint32_t vcpus = g_control()->vcpus;

	for (uint32_t vcpu = 0; vcpu < vcpus; vcpu++) {
		uint32_t *want = &waiting->want[waiting->count];
		uint16_t outcome = SD_REQUEST_SENT;
		uint64_t start;

		if (vcpu == self)
			continue;
		start = step_begin(flush);
		switch (ops->post(self, g_region(vcpu), want)) {
		case G_POST_WAIT:
			if (ranged)
				tell_range(g_region(vcpu), *want, range);
			waiting->destination[waiting->count] = g_destination(vcpu);
			waiting->vcpu[waiting->count++] = (uint16_t)vcpu;
			break;
		case G_POST_COVERED:
			flush->deferred++;
			outcome = SD_REQUEST_DEFERRED;
			break;
		case G_POST_SKIPPED:
			flush->skipped++;
			outcome = SD_REQUEST_SKIPPED;
			break;
		}
		step_end(flush, SD_SAMPLE_REQUEST, vcpu, outcome, start);
	}
}

/* How often an initiator has looked, and, where the VMM wants to hear of it, how
 * long it has spun. */
struct spin {
	struct sd_region *own;
	uint32_t looks;
	uint64_t since_ticks;
	uint64_t parks;                 /* of this vCPU up to then */
};

static void spin_begin(struct spin *spin)
{
	if (g_control()->ple_ticks == 0)
		return;
	spin->parks = sd_u64_load(&spin->own->parks);
	spin->since_ticks = g_tsc_raw();
}

/* A pause between two looks. A vCPU that was off its slot meanwhile has not spun for that
 * time: its count begins anew, as after the doorbell. */
static void spin_once(struct spin *spin)
{
	uint64_t limit_ticks = g_control()->ple_ticks;

	g_pause();
	if (++spin->looks % PASS_LOOKS == 0)
		sd_walk_pass(spin->own);
	if (limit_ticks == 0)
		return;
	if (sd_u64_load(&spin->own->parks) == spin->parks) {
		if (g_tsc_raw() - spin->since_ticks < limit_ticks)
			return;
		g_doorbell(SD_REQ_SPUN);
	}
	spin_begin(spin);
}

/* Without a time-out: a target may be off its CPU for hundreds of
 * milliseconds. The VMM watches for a guest that stands still. */
static void wait_one(const struct g_protocol_ops *ops, uint32_t self, uint32_t vcpu,
		     uint32_t want, struct spin *spin, struct g_flush *flush)
{
	bool (*served)(const struct sd_region *, uint32_t) =
		ops->served != NULL ? ops->served : sd_word_served;
	struct sd_region *target = g_region(vcpu);
	bool helped = ops->help == NULL;
	uint64_t start = step_begin(flush);

	while (!served(target, want)) {
		if (ops->cover != NULL && ops->cover(target)) {
			flush->taken_over++;
			step_end(flush, SD_SAMPLE_WAIT, vcpu, SD_WAIT_TAKEN_OVER, start);
			return;
		}
		if (!helped && sd_word_preempted(target)) {
			helped = true;
			ops->help(self, vcpu);
		}
		spin_once(spin);
	}
	step_end(flush, SD_SAMPLE_WAIT, vcpu, SD_WAIT_SERVED, start);
}

static void wait_all(const struct g_protocol_ops *ops, uint32_t self,
		     const struct waiting *waiting, struct g_flush *flush)
{
	struct spin spin = { .own = g_region(self) };
	uint64_t start;

	if (ops->wait_all != NULL) {
		start = step_begin(flush);
		ops->wait_all(self);
		step_end(flush, SD_SAMPLE_WAIT, SD_TARGET_ALL, SD_WAIT_SERVED, start);
		return;
	}
	spin_begin(&spin);
	for (uint32_t i = 0; i < waiting->count; i++)
		wait_one(ops, self, waiting->vcpu[i], waiting->want[i], &spin, flush);
}

void g_flush_others(const struct g_protocol_ops *ops, uint32_t self, struct g_range range,
		    struct g_flush *flush)
{
	struct waiting waiting;

	waiting.count = 0;
	*flush = (struct g_flush){ .targets = g_control()->vcpus - 1, .trace = flush->trace };
	if (ops->cover_all != NULL) {
		g_step(SD_STEP_POSTED);
		ops->cover_all(self, range);
		g_gate_shootdown(NULL, 0, 0, range);
		return;
	}
	if (ops->begin != NULL)
		ops->begin(self, flush->targets);
	post_all(ops, self, range, &waiting, flush);
	g_step(SD_STEP_POSTED);
	flush->ipis = waiting.count;
	g_gate_shootdown(waiting.destination, waiting.count, vector_of(ops), range);
	wait_all(ops, self, &waiting, flush);
}

static bool find_running(uint32_t self, uint32_t *running)
{
	uint32_t vcpus = g_control()->vcpus;

	for (uint32_t i = 1; i < vcpus; i++) {
		*running = (self + i) % vcpus;
		if (!sd_word_preempted(g_region(*running)))
			return true;
	}
	return false;
}

bool g_flush_floor(uint32_t self, struct g_range range)
{
	uint32_t running, destination, want;
	struct sd_region *target;
	uint64_t parks;

	if (!find_running(self, &running))
		return false;
	target = g_region(running);
	destination = g_destination(running);
	parks = sd_u64_load(&target->parks);
	want = sd_word_request(target);
	tell_range(target, want, range);
	g_gate_shootdown(&destination, 1, SD_VECTOR_FLUSH, range);
	while (!sd_word_served(target, want)) {
		/* Also a target that runs again: its park may have taken the IPI over. */
		if (sd_word_preempted(target) || sd_u64_load(&target->parks) != parks)
			return false;
		g_pause();
	}
	return sd_u64_load(&target->parks) == parks;
}
