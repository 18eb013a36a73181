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
 *   PTE of its group = frame[next]         v = *window
 *   flush                                  stale if v < p
 *   published of the group = epoch (release)
 *   frame[left] = 0
 *
 * A set belongs to one group: one move has mapped it, and nobody maps it any more when that
 * group has moved on. From one move of a group to its next there is at most one more than
 * there are groups, and so fewer than there are sets.
 */
#include "window.h"

#include <stddef.h>

#include "pte.h"

_Static_assert(SD_MAX_GROUPS + 1 < SD_FRAME_SETS, "a set would be mapped twice");

static struct window {
	uint64_t epoch;                 /* of the last move */
	uint64_t left;                  /* of the move before that of the same group */
	uint32_t group;                 /* of the next move, once prepared, or of the last */
	uint64_t moved[SD_MAX_GROUPS];  /* epoch of each group's last move */
} __attribute__((aligned(SD_CACHE_LINE))) windows[SD_MAX_INITIATORS];

/* Published by each initiator when a vCPU last looked, in this job. */
static uint64_t looked[SD_MAX_VCPUS][SD_MAX_INITIATORS];

#define NOT_LOOKED UINT64_MAX

static uint32_t set_of(uint64_t epoch)
{
	return (uint32_t)(epoch % SD_FRAME_SETS);
}

static struct sd_u64 *frame(uint32_t initiator, uint32_t set, uint32_t page)
{
	return (struct sd_u64 *)(uintptr_t)sd_frame_gpa(initiator, set, page,
							g_control()->pages);
}

static uint32_t groups(void)
{
	return (g_control()->vcpus + SD_GROUP_VCPUS - 1) / SD_GROUP_VCPUS;
}

/* The groups take turns, and each round begins one move later, so that the flushes of a
 * group are not always the even ones. */
static uint32_t group_of(uint64_t epoch)
{
	return (uint32_t)((epoch - epoch / groups()) % groups());
}

void g_window_prepare(uint32_t initiator)
{
	struct window *window = &windows[initiator];
	uint64_t next = window->epoch + 1;

	window->group = group_of(next);
	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(frame(initiator, set_of(next), page), next);
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

void g_window_boot(uint32_t initiator)
{
	struct window *window = &windows[initiator];

	g_window_prepare(initiator);
	window->epoch++;
	for (uint32_t group = 0; group < groups(); group++) {
		window->moved[group] = window->epoch;
		remap_group(initiator, group, set_of(window->epoch));
	}
}

void g_window_remap(uint32_t initiator)
{
	struct window *window = &windows[initiator];
	uint32_t group = window->group;

	window->left = window->moved[group];
	window->moved[group] = ++window->epoch;
	remap_group(initiator, group, set_of(window->epoch));
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
	map_vcpu(initiator, initiator, set_of(windows[initiator].epoch));
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

	map_vcpu(initiator, initiator, set_of(window->moved[initiator / SD_GROUP_VCPUS]));
}

void g_window_publish(uint32_t initiator)
{
	const struct window *window = &windows[initiator];

	/* PAIR(published-epoch): release here, acquire in g_window_watch(). */
	sd_u64_store_release(&g_published(initiator, window->group)->epoch,
			     window->epoch);
	for (uint32_t page = 0; page < g_control()->pages; page++)
		sd_u64_store(frame(initiator, set_of(window->left), page), SD_EPOCH_RETIRED);
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

/* The word after the epoch in the frame, which nobody reads. */
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

void g_window_begin(uint32_t self)
{
	for (uint32_t initiator = 0; initiator < g_control()->initiators; initiator++)
		looked[self][initiator] = NOT_LOOKED;
}

/* From now on what @self loads would show a flush that it has missed: the one before
 * @published, if @self has looked before that too. */
static void count_watched(uint32_t self, uint32_t initiator, uint64_t published)
{
	struct sd_u64 *watched = &g_region(self)->watched;
	uint64_t last = looked[self][initiator];

	looked[self][initiator] = published;
	if (last != NOT_LOOKED && last != published)
		sd_u64_store(watched, sd_u64_load(watched) + 1);
}

void g_window_watch(uint32_t self, uint32_t initiator, uint32_t rounds)
{
	const struct sd_published *published = g_published(initiator, self / SD_GROUP_VCPUS);
	struct sd_region *own = g_region(self);
	uint32_t pages = g_control()->pages;

	/* PAIR(published-epoch) */
	count_watched(self, initiator, sd_u64_load_acquire(&published->epoch));
	for (uint32_t page = 0; page < pages; page++)
		watch_page(own, &published->epoch, window_page(initiator, page), rounds);
	count_checks(own, (uint64_t)rounds * pages);
}
