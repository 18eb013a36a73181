// SPDX-License-Identifier: MIT
/*
 * toggle.c - initiators remap their windows and flush; everyone else watches.
 *
 * Owns:    the initiators' windows, which live from one job to the next.
 * Threads: each initiator's vCPU its own window; every vCPU its own region.
 */
#include "toggle.h"

#include <stddef.h>

#include "flush.h"
#include "samples.h"
#include "window.h"

/* Loads between two looks at the stop word, and between two of the clock. */
#define WATCH_ROUNDS 1024
#define PACE_ROUNDS 16

static struct g_window windows[SD_MAX_INITIATORS];

/* What a sample needs stands on one line, together with the window: the trip
 * through the gate leaves little in the caches. */
struct initiator {
	struct g_window *window;
	struct g_ring ring;
	uint64_t clock_ticks;           /* two readings of the TSC with nothing between */
	uint32_t seq;                   /* of the next recorded flush */
	uint16_t self;
	uint16_t pages;                 /* of a flush */
	const struct g_protocol_ops *ops;
	uint64_t share;                 /* recorded flushes to do */
	uint32_t until_floor;           /* flushes before the next floor sample */
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
	bool measured = g_flush_floor(in->self);
	struct moment to = moment_end(own);

	if (measured && recording && to.parked_ticks == from.parked_ticks)
		record(in, SD_SAMPLE_FLOOR, 0, from, to,
		       &(struct g_flush){ .targets = 1, .ipis = 1 });
}

static void flush_once(struct initiator *in, bool recording)
{
	struct sd_region *own = g_region(in->self);
	uint64_t pte_start, before, cost;
	struct moment from, to;
	struct g_flush flush;

	g_window_prepare(in->window);
	pte_start = g_tsc_start();
	g_window_remap(in->window);
	from = moment_start(own);
	g_flush_others(in->ops, in->self, &flush);
	to = moment_end(own);
	g_window_publish(in->window);
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
}

/* Watch the others' windows until it is time for the next flush. */
static void pace(const struct initiator *in, uint64_t until)
{
	const struct sd_control *control = g_control();

	while ((int64_t)(g_tsc_raw() - until) < 0 && !sd_u32_load(&control->stop_initiators))
		for (uint32_t other = 0; other < control->initiators; other++)
			if (other != in->self)
				g_window_watch(in->self, other, PACE_ROUNDS);
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

static void initiate(uint32_t self)
{
	const struct sd_control *control = g_control();
	struct initiator in = {
		.self = (uint16_t)self,
		.window = &windows[self],
		.ops = g_protocols[control->protocol],
		.until_floor = control->floor_interval,
		.share = share_of(self),
		.pages = (uint16_t)control->pages,
		.clock_ticks = clock_cost(),
	};

	in.window->initiator = self;
	sd_u64_store(&g_region(self)->started_ticks, g_tsc_raw());
	g_ring_open(&in.ring, self);
	while (in.seq < in.share && !sd_u32_load(&control->stop_initiators)) {
		bool recording = sd_u32_load(&control->recording);

		flush_once(&in, recording);
		if (control->pace_ticks != 0)
			pace(&in, g_tsc_raw() + control->pace_ticks);
		if (control->floor_interval != 0 && --in.until_floor == 0) {
			in.until_floor = control->floor_interval;
			floor_once(&in, recording);
			if (control->pace_ticks != 0)
				pace(&in, g_tsc_raw() + control->pace_ticks);
		}
	}
	g_doorbell(SD_REQ_STOPPED);
}

static void observe(uint32_t self)
{
	const struct sd_control *control = g_control();
	uint32_t rounds = WATCH_ROUNDS / control->initiators;

	while (!sd_u32_load(&control->stop_observers))
		for (uint32_t initiator = 0; initiator < control->initiators; initiator++)
			g_window_watch(self, initiator, rounds);
}

/* Initiators stop first: one that still waited for a vCPU that has gone would
 * wait for ever. Those that have stopped serve and watch until the last has. */
void g_toggle_run(uint32_t self)
{
	const struct sd_control *control = g_control();

	g_check(control->protocol < SD_PROTOCOLS, control->protocol, SD_PROTOCOLS);
	g_check(control->pages >= 1 && control->pages <= SD_MAX_PAGES, control->pages,
		SD_MAX_PAGES);
	if (self < control->initiators)
		initiate(self);
	observe(self);
}
