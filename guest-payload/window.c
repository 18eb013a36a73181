// SPDX-License-Identifier: MIT
/*
 * window.c - the contested mapping and its oracle (window.h).
 *
 * Owns:    the windows, one an initiator; they live from one job to the next.
 * Threads: watch on any vCPU; all others on the initiator's.
 *
 *   initiator                              watcher
 *   ---------                              -------
 *   frame[next] = epoch                    p = published        (acquire)
 *   PTE of every vCPU = frame[next]        v = *window
 *   flush                                  stale if v < p
 *   published = epoch       (release)
 *   frame[left] = 0
 */
#include "window.h"

#include <stddef.h>

#include "pte.h"

/* Moves between two changes of the watching group. */
#define GROUP_MOVES 64

static struct window {
	uint32_t group;                 /* that watches */
	uint32_t set;                   /* of frames now mapped */
	uint64_t epoch;                 /* of the last move */
} __attribute__((aligned(SD_CACHE_LINE))) windows[SD_MAX_INITIATORS];

static struct sd_u64 *frame(uint32_t initiator, uint32_t set, uint32_t page)
{
	return (struct sd_u64 *)(uintptr_t)sd_frame_gpa(initiator, set, page,
							g_control()->pages);
}

static uint32_t groups(void)
{
	return (g_control()->vcpus + SD_GROUP_VCPUS - 1) / SD_GROUP_VCPUS;
}

void g_window_prepare(uint32_t initiator)
{
	const struct window *window = &windows[initiator];
	uint32_t next = (window->set + 1) % SD_FRAME_SETS;

	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(frame(initiator, next, page), window->epoch + 1);
}

static struct sd_u64 *entries(uint32_t initiator, uint32_t vcpu)
{
	return (struct sd_u64 *)(uintptr_t)sd_window_pte_gpa(vcpu, initiator, 0);
}

static void map_vcpu(uint32_t initiator, uint32_t vcpu, uint32_t set)
{
	struct sd_u64 *pte = entries(initiator, vcpu);
	uint32_t pages = g_control()->pages;

	for (uint32_t page = 0; page < pages; page++)
		sd_u64_store(&pte[page], sd_pte(sd_frame_gpa(initiator, set, page, pages)));
}

static void remap_group(uint32_t initiator, uint32_t group, uint32_t set)
{
	uint32_t first = group * SD_GROUP_VCPUS, end = first + SD_GROUP_VCPUS;

	if (end > g_control()->vcpus)
		end = g_control()->vcpus;
	for (uint32_t vcpu = first; vcpu < end; vcpu++)
		map_vcpu(initiator, vcpu, set);
}

void g_window_remap(uint32_t initiator)
{
	struct window *window = &windows[initiator];

	window->set = (window->set + 1) % SD_FRAME_SETS;
	window->epoch++;
	if (groups() > 1 && window->epoch % GROUP_MOVES == 0) {
		remap_group(initiator, window->group, SD_FRAME_SETS);
		window->group = (window->group + 1) % groups();
	}
	remap_group(initiator, window->group, window->set);
}

struct g_range g_window_range(uint32_t initiator)
{
	if (!g_control()->by_page)
		return G_EVERYTHING;
	return (struct g_range){
		.va = sd_window_va(initiator, 0),
		.pages = g_control()->pages,
	};
}

void g_window_open(uint32_t initiator)
{
	map_vcpu(initiator, initiator, windows[initiator].set);
}

void g_window_close(uint32_t initiator)
{
	struct sd_u64 *pte = entries(initiator, initiator);

	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(&pte[page], 0);
}

void g_window_reopen(uint32_t initiator)
{
	const struct window *window = &windows[initiator];
	bool watches = initiator / SD_GROUP_VCPUS == window->group;

	map_vcpu(initiator, initiator, watches ? window->set : SD_FRAME_SETS);
}

/* A group that rests keeps its last published epoch: a vCPU of it that missed
 * the flush still sees a poisoned page and is caught. */
void g_window_publish(uint32_t initiator)
{
	const struct window *window = &windows[initiator];
	uint32_t left = (window->set + SD_FRAME_SETS - 1) % SD_FRAME_SETS;

	/* PAIR(published-epoch): release here, acquire in g_window_watch(). */
	sd_u64_store_release(&g_published(initiator, window->group)->epoch,
			     window->epoch);
	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(frame(initiator, left, page), SD_EPOCH_RETIRED);
}

static void count_stale(struct sd_region *own, uint64_t saw, uint64_t expected)
{
	sd_u64_store(&own->stale, sd_u64_load(&own->stale) + 1);
	sd_u64_store(&own->stale_saw, saw);
	sd_u64_store(&own->stale_expected, expected);
}

static void count_checks(struct sd_region *own, uint64_t loads)
{
	sd_u64_store(&own->checks, sd_u64_load(&own->checks) + loads);
}

static struct sd_u64 *window_page(uint32_t initiator, uint32_t page)
{
	return (struct sd_u64 *)(uintptr_t)sd_window_va(initiator, page);
}

/* The loop that the bench spends its time in: two loads and a compare. */
static void watch_page(struct sd_region *own, const struct sd_u64 *published,
		       const struct sd_u64 *page, uint32_t rounds)
{
	for (uint32_t i = 0; i < rounds; i++) {
		/* PAIR(published-epoch) */
		uint64_t expected = sd_u64_load_acquire(published);
		uint64_t saw = sd_u64_load(page);

		if (__builtin_expect(saw < expected, 0))
			count_stale(own, saw, expected);
	}
}

/* Behind the epoch in the frame; nobody reads it. */
static void touch(uint32_t initiator)
{
	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(window_page(initiator, page) + 1, page);
}

void g_window_use(uint32_t initiator, uint32_t rounds)
{
	/* Stands in for the published word: since the last move's flush returned,
	 * nothing older is right here. */
	struct sd_u64 expected = { windows[initiator].epoch };
	struct sd_region *own = g_region(initiator);
	uint32_t pages = g_control()->pages;

	touch(initiator);
	for (uint32_t page = 0; page < pages; page++)
		watch_page(own, &expected, window_page(initiator, page), rounds);
	count_checks(own, (uint64_t)rounds * pages);
}

void g_window_watch(uint32_t self, uint32_t initiator, uint32_t rounds)
{
	const struct sd_published *published = g_published(initiator, self / SD_GROUP_VCPUS);
	struct sd_region *own = g_region(self);
	uint32_t pages = g_control()->pages;

	for (uint32_t page = 0; page < pages; page++)
		watch_page(own, &published->epoch, window_page(initiator, page), rounds);
	count_checks(own, (uint64_t)rounds * pages);
}
