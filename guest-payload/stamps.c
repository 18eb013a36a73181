// SPDX-License-Identifier: MIT
/*
 * stamps.c - reading the pages that the host moves about (stamps.h).
 *
 * The words of a batch lie in a few neighbouring pages, so that the VMM finds most of
 * its translations where it has just put them.
 *
 * Threads: any vCPU, ring 3.
 */
#include "stamps.h"

#include "guest.h"
#include "stamp.h"

#define NEIGHBOURS 16

_Static_assert(SD_STAMP_PAGES % NEIGHBOURS == 0, "neighbours run out of the range");

/* Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t draw(struct g_stamps *stamps)
{
	stamps->state ^= stamps->state << 13;
	stamps->state ^= stamps->state >> 7;
	stamps->state ^= stamps->state << 17;
	return stamps->state;
}

static void fill(struct g_stamps *stamps, struct sd_stamp_batch *batch)
{
	uint64_t first = draw(stamps) % (SD_STAMP_PAGES / NEIGHBOURS) * NEIGHBOURS;

	batch->count = SD_STAMP_BATCH;
	for (uint32_t i = 0; i < SD_STAMP_BATCH; i++) {
		uint64_t drawn = draw(stamps);
		uint64_t page = first + drawn % NEIGHBOURS;
		uint64_t word = drawn / NEIGHBOURS % (SD_PAGE_BYTES / 8);

		batch->address[i] = SD_STAMPS_GPA + page * SD_PAGE_BYTES + word * 8;
	}
}

/* This vCPU's own loads: what stands there by the CPU's TLB and by KVM's tables. */
static void read_stamps(struct sd_region *own, const struct sd_stamp_batch *batch)
{
	uint64_t wrong = 0;

	for (uint64_t i = 0; i < batch->count; i++)
		wrong += sd_u64_load((const struct sd_u64 *)(uintptr_t)batch->address[i]) !=
			sd_stamp(batch->address[i]);
	sd_u64_store(&own->stamp_loads, sd_u64_load(&own->stamp_loads) + batch->count);
	sd_u64_store(&own->stamps_wrong, sd_u64_load(&own->stamps_wrong) + wrong);
}

static void check_batch(struct g_stamps *stamps, struct sd_region *own)
{
	struct sd_stamp_batch batch;

	fill(stamps, &batch);
	read_stamps(own, &batch);
	sd_u64_store(&own->argument, (uint64_t)(uintptr_t)&batch);
	g_doorbell(SD_REQ_CHECK_STAMPS);
}

void g_stamps_poll(struct g_stamps *stamps, uint32_t self)
{
	const struct sd_control *control = g_control();
	uint64_t now;

	if (control->stamp_ticks == 0)
		return;
	now = g_tsc_raw();
	if ((int64_t)(now - stamps->next_ticks) < 0)
		return;
	if (stamps->state == 0)
		stamps->state = (control->seed + self) * 2 + 1;
	check_batch(stamps, g_region(self));
	stamps->next_ticks = g_tsc_raw() + control->stamp_ticks;
}
