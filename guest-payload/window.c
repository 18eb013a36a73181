// SPDX-License-Identifier: MIT
/*
 * window.c - the contested mapping and its oracle (window.h).
 *
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

static struct sd_u64 *frame(uint32_t initiator, uint32_t set, uint32_t page)
{
	return (struct sd_u64 *)(uintptr_t)sd_frame_gpa(initiator, set, page,
							g_control()->pages);
}

static uint32_t groups(void)
{
	return (g_control()->vcpus + SD_GROUP_VCPUS - 1) / SD_GROUP_VCPUS;
}

void g_window_prepare(struct g_window *window)
{
	uint32_t next = (window->set + 1) % SD_FRAME_SETS;

	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(frame(window->initiator, next, page), window->epoch + 1);
}

static struct sd_u64 *entries(const struct g_window *window, uint32_t vcpu)
{
	return (struct sd_u64 *)(uintptr_t)sd_window_pte_gpa(vcpu, window->initiator, 0);
}

static void map_vcpu(const struct g_window *window, uint32_t vcpu, uint32_t set)
{
	struct sd_u64 *pte = entries(window, vcpu);
	uint32_t pages = g_control()->pages;

	for (uint32_t page = 0; page < pages; page++)
		sd_u64_store(&pte[page],
			     sd_pte(sd_frame_gpa(window->initiator, set, page, pages)));
}

static void remap_group(const struct g_window *window, uint32_t group, uint32_t set)
{
	uint32_t first = group * SD_GROUP_VCPUS, end = first + SD_GROUP_VCPUS;

	if (end > g_control()->vcpus)
		end = g_control()->vcpus;
	for (uint32_t vcpu = first; vcpu < end; vcpu++)
		map_vcpu(window, vcpu, set);
}

void g_window_remap(struct g_window *window)
{
	window->set = (window->set + 1) % SD_FRAME_SETS;
	window->epoch++;
	if (groups() > 1 && window->epoch % GROUP_MOVES == 0) {
		remap_group(window, window->group, SD_FRAME_SETS);
		window->group = (window->group + 1) % groups();
	}
	remap_group(window, window->group, window->set);
}

struct g_range g_window_range(const struct g_window *window)
{
	if (!g_control()->by_page)
		return G_EVERYTHING;
	return (struct g_range){
		.va = sd_window_va(window->initiator, 0),
		.pages = g_control()->pages,
	};
}

void g_window_open(const struct g_window *window)
{
	map_vcpu(window, window->initiator, window->set);
}

void g_window_close(const struct g_window *window)
{
	struct sd_u64 *pte = entries(window, window->initiator);

	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(&pte[page], 0);
}

void g_window_reopen(const struct g_window *window)
{
	bool watches = window->initiator / SD_GROUP_VCPUS == window->group;

	map_vcpu(window, window->initiator, watches ? window->set : SD_FRAME_SETS);
}

/* A group that rests keeps its last published epoch: a vCPU of it that missed
 * the flush still sees a poisoned page and is caught. */
void g_window_publish(struct g_window *window)
{
	uint32_t left = (window->set + SD_FRAME_SETS - 1) % SD_FRAME_SETS;

	/* PAIR(published-epoch): release here, acquire in g_window_watch(). */
	sd_u64_store_release(&g_published(window->initiator, window->group)->epoch,
			     window->epoch);
	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(frame(window->initiator, left, page), SD_EPOCH_RETIRED);
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

void g_window_use(const struct g_window *window, uint32_t rounds)
{
	/* Stands in for the published word: since the last move's flush returned,
	 * nothing older is right here. */
	struct sd_u64 expected = { window->epoch };
	struct sd_region *own = g_region(window->initiator);
	uint32_t pages = g_control()->pages;

	touch(window->initiator);
	for (uint32_t page = 0; page < pages; page++)
		watch_page(own, &expected, window_page(window->initiator, page), rounds);
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
