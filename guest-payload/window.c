// SPDX-License-Identifier: MIT
/*
 * window.c - the contested mapping and its oracle (window.h).
 *
 * Threads: prepare, remap, publish on the initiator's vCPU; watch on any.
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

static void remap_group(const struct g_window *window, uint32_t group, uint32_t set)
{
	uint32_t first = group * SD_GROUP_VCPUS, end = first + SD_GROUP_VCPUS;
	uint32_t pages = g_control()->pages;

	if (end > g_control()->vcpus)
		end = g_control()->vcpus;
	for (uint32_t vcpu = first; vcpu < end; vcpu++) {
		struct sd_u64 *pte = (struct sd_u64 *)(uintptr_t)
			sd_window_pte_gpa(vcpu, window->initiator, 0);

		for (uint32_t page = 0; page < pages; page++)
			sd_u64_store(&pte[page], sd_pte(sd_frame_gpa(window->initiator, set,
								     page, pages)));
	}
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

void g_window_watch(uint32_t self, uint32_t initiator, uint32_t rounds)
{
	const struct sd_published *published = g_published(initiator, self / SD_GROUP_VCPUS);
	struct sd_region *own = g_region(self);
	uint32_t pages = g_control()->pages;

	for (uint32_t page = 0; page < pages; page++)
		watch_page(own, &published->epoch,
			   (const struct sd_u64 *)(uintptr_t)sd_window_va(initiator, page), rounds);
	sd_u64_store(&own->checks, sd_u64_load(&own->checks) + (uint64_t)rounds * pages);
}
