// SPDX-License-Identifier: MIT
/*
 * initiator.c - a round of an initiator, and its sample (initiator.h).
 *
 * Threads: an initiator's vCPU.
 */
#include "initiator.h"

#include <stddef.h>

#include "flush.h"
#include "samples.h"
#include "stamps.h"
#include "window.h"

/* What a sample needs stands on one line: the trip through the gate leaves little
 * in the caches. */
struct initiator {
	struct g_ring ring;
	uint64_t clock_ticks;           /* two readings of the TSC with nothing between */
	uint32_t seq;                   /* of the next recorded flush */
	uint16_t self;
	uint16_t pages;                 /* of a flush */
	const struct g_protocol_ops *ops;
	const struct g_workload *workload;
	struct g_range range;           /* of a flush */
	uint64_t share;                 /* recorded flushes to do */
	uint32_t until_floor;           /* flushes before the next floor sample */
	struct g_stamps stamps;
} __attribute__((aligned(SD_CACHE_LINE)));

_Static_assert(offsetof(struct initiator, ops) <= SD_CACHE_LINE, "a sample needs two lines");

/* A moment, and the time parked up to it: read as one, so that a park between
 * the two counts on the same side in both. */
struct moment {
	uint64_t ticks;
	uint64_t parked_ticks;
};

static struct moment moment_start(const struct sd_region *own)
{
	struct moment moment;

	do {
		moment.parked_ticks = sd_u64_load(&own->parked_ticks);
		moment.ticks = g_tsc_start();
	} while (sd_u64_load(&own->parked_ticks) != moment.parked_ticks);
	return moment;
}

static struct moment moment_end(const struct sd_region *own)
{
	struct moment moment;

	do {
		moment.parked_ticks = sd_u64_load(&own->parked_ticks);
		moment.ticks = g_tsc_end();
	} while (sd_u64_load(&own->parked_ticks) != moment.parked_ticks);
	return moment;
}

static void record(struct initiator *in, uint16_t kind, uint64_t pte_ticks,
		   struct moment from, struct moment to, const struct g_flush *flush)
{
	struct sd_sample *sample = g_ring_next(&in->ring);

	if (sample == NULL)
		return;
	sample->start_ticks = from.ticks;
	sample->wall_ticks = to.ticks - from.ticks;
	sample->parked_ticks = to.parked_ticks - from.parked_ticks;
	sample->pte_ticks = pte_ticks;
	sample->seq = in->seq;
	sample->kind = kind;
	sample->initiator = in->self;
	sample->targets = (uint16_t)flush->targets;
	sample->ipis = (uint16_t)flush->ipis;
	sample->deferred = (uint16_t)flush->deferred;
	sample->taken_over = (uint16_t)flush->taken_over;
	sample->pages = in->pages;
	g_ring_push(&in->ring);
}

static void floor_once(struct initiator *in, bool recording)
{
	struct sd_region *own = g_region(in->self);
	struct moment from = moment_start(own);
	bool measured = g_flush_floor(in->self, in->range);
	struct moment to = moment_end(own);

	if (measured && recording && to.parked_ticks == from.parked_ticks)
		record(in, SD_SAMPLE_FLOOR, 0, from, to,
		       &(struct g_flush){ .targets = 1, .ipis = 1 });
}

/* The VMM looks at everybody while it is fresh. */
static void tell_slow(struct moment from, struct moment to)
{
	uint64_t limit_ticks = g_control()->break_ticks;

	if (limit_ticks != 0 &&
	    to.ticks - from.ticks - (to.parked_ticks - from.parked_ticks) > limit_ticks)
		g_doorbell(SD_REQ_BREAK);
}

static struct g_trace trace_of(struct initiator *in, bool recording)
{
	return (struct g_trace){
		.ring = recording && g_control()->trace ? &in->ring : NULL,
		.seq = in->seq,
	};
}

static void flush_once(struct initiator *in, bool recording)
{
	struct sd_region *own = g_region(in->self);
	uint64_t pte_start, before, cost;
	struct moment from, to;
	struct g_flush flush = { .trace = trace_of(in, recording) };

	in->workload->before(in->self);
	pte_start = g_tsc_start();
	in->workload->move(in->self);
	from = moment_start(own);
	g_flush_others(in->ops, in->self, in->range, &flush);
	to = moment_end(own);
	g_step(SD_STEP_PUBLISH);
	in->workload->returned(in->self);
	sd_u64_store(&own->flushes, sd_u64_load(&own->flushes) + 1);
	sd_u64_store(&own->skipped, sd_u64_load(&own->skipped) + flush.skipped);
	if (!recording)
		return;
	before = g_tsc_raw();
	record(in, SD_SAMPLE_FLUSH, from.ticks - pte_start, from, to, &flush);
	in->seq++;
	cost = g_tsc_raw() - before;
	cost -= cost > in->clock_ticks ? in->clock_ticks : cost;
	if (sd_u64_load(&own->parked_ticks) == to.parked_ticks)
		sd_u64_store(&own->sample_ticks, sd_u64_load(&own->sample_ticks) + cost);
	tell_slow(from, to);
}

static void pause(struct initiator *in)
{
	if (in->workload->pause != NULL)
		in->workload->pause(in->self);
	g_stamps_poll(&in->stamps, in->self);
}

static uint64_t clock_cost(void)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < 16; i++) {
		uint64_t before = g_tsc_raw(), cost = g_tsc_raw() - before;

		least = cost < least ? cost : least;
	}
	return least;
}

/* The first initiators take what does not divide evenly. */
static uint64_t share_of(uint32_t self)
{
	uint64_t quota = g_control()->flush_quota;
	uint32_t initiators = g_control()->initiators;

	if (quota == 0)
		return UINT64_MAX;
	return quota / initiators + (self < quota % initiators);
}

/* One flush, and a floor sample after it when its time has come. */
static void round_once(struct initiator *in)
{
	bool recording = sd_u32_load(&g_control()->recording);
	uint32_t floor_interval = g_control()->floor_interval;

	flush_once(in, recording);
	pause(in);
	if (floor_interval == 0 || --in->until_floor != 0)
		return;
	in->until_floor = floor_interval;
	floor_once(in, recording);
	pause(in);
}

void g_initiator_boot(uint32_t self)
{
	g_window_boot(self);
}

void g_initiator_run(const struct g_workload *workload, uint32_t self)
{
	const struct sd_control *control = g_control();
	struct initiator in = {
		.self = (uint16_t)self,
		.ops = g_protocols[control->protocol],
		.workload = workload,
		.range = workload->range != NULL ? workload->range(self) : G_EVERYTHING,
		.until_floor = control->floor_interval,
		.share = share_of(self),
		.pages = (uint16_t)control->pages,
		.clock_ticks = clock_cost(),
	};

	sd_u64_store(&g_region(self)->started_ticks, g_tsc_raw());
	g_ring_open(&in.ring, self);
	while (in.seq < in.share && !sd_u32_load(&control->stop_initiators))
		round_once(&in);
	if (workload->after != NULL)
		workload->after(self);
	g_doorbell(SD_REQ_STOPPED);
}
