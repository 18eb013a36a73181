// SPDX-License-Identifier: MIT
/*
 * shadow_invalidation_drops_translations_test.c - after an invalidation nobody uses
 * what stood in its range, all else is still found, and while a range goes on nothing
 * is filled.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "mover.h"
#include "shadow_fixture.h"

static struct shadow_counts counts(const struct fixture *f)
{
	return shadow_count(f->shadow);
}

static void page(const struct fixture *f, uint64_t gpa, uint64_t bytes)
{
	(void)bytes;
	shadow_invalidate_page(f->shadow, gpa);
}

static void range(const struct fixture *f, uint64_t gpa, uint64_t bytes)
{
	shadow_invalidate_range_start(f->shadow, gpa, bytes);
	shadow_invalidate_range_end(f->shadow);
}

/* Which of the first 8 pages have to be filled again: bits. */
static uint32_t gone(const struct fixture *f)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < FIXTURE_PAGES; i++) {
		uint64_t before = counts(f).faults;

		assert_true(fixture_read(f, fixture_gpa(i)) == fixture_gpa(i));
		bits |= (uint32_t)(counts(f).faults - before) << i;
	}
	return bits;
}

static void exactly_the_pages_of_the_range(void **state)
{
	static const struct {
		void (*how)(const struct fixture *f, uint64_t gpa, uint64_t bytes);
		uint64_t offset, bytes;         /* from the first page */
		uint32_t gone;
	} cases[] = {
		{ page, 0, 0, 1 << 0 }, { page, 0xfff, 0, 1 << 0 }, { page, 0x3008, 0, 1 << 3 },
		{ range, 0, 0x1000, 1 << 0 }, { range, 0, 1, 1 << 0 }, { range, 0x1000, 0, 0 },
		{ range, 0xfff, 1, 1 << 0 }, { range, 0xfff, 2, 3 }, { range, 0x1000, 0x1001, 6 },
		{ range, 0x2000, 0x3000, 0x1c }, { range, 0, 0x8000, 0xff },
		{ range, 0, UINT64_MAX, 0xff },
	};
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	assert_int_equal(gone(&f), 0xff);
	assert_int_equal(gone(&f), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		uint64_t before = counts(&f).zapped;

		cases[i].how(&f, fixture_gpa(0) + cases[i].offset, cases[i].bytes);
		assert_int_equal(counts(&f).zapped - before, __builtin_popcount(cases[i].gone));
		if (gone(&f) != cases[i].gone)
			fail_msg("case %zu", i);
	}
	range(&f, 0, fixture_gpa(0));
	range(&f, fixture_gpa(FIXTURE_PAGES), UINT64_MAX);
	range(&f, UINT64_MAX, UINT64_MAX);
	range(&f, f.memory.bytes, 1);
	page(&f, f.memory.bytes, 0);
	page(&f, UINT64_MAX, 0);
	assert_int_equal(gone(&f), 0);
	range(&f, 0, UINT64_MAX);
	assert_int_equal(gone(&f), 0xff);
	fixture_destroy(&f);
}

/* By every address and every vCPU that has it, whatever exit it is of. */
static void every_way_to_the_page(void **state)
{
	struct fixture f;
	uint64_t word;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	fixture_map(&f, 0, fixture_gpa(1));
	fixture_map(&f, 5, fixture_gpa(1));
	for (uint32_t vcpu = 0; vcpu < FIXTURE_VCPUS; vcpu++)
		assert_int_equal(shadow_copy_from_guest(shadow_reader(f.shadow, vcpu),
							fixture_root(vcpu), fixture_gpa(1), &word, 8), 0);
	fixture_read(&f, sd_window_va(0, 0));
	fixture_read(&f, sd_window_va(0, 5));
	shadow_exit_begin(f.reader);
	page(&f, fixture_gpa(1), 0);
	assert_int_equal(counts(&f).zapped, FIXTURE_VCPUS + 2);
	page(&f, fixture_gpa(1), 0);
	assert_int_equal(counts(&f).zapped, FIXTURE_VCPUS + 2);
	fixture_destroy(&f);
}

/* An entry that has been filled with another page belongs to that one. */
static void an_entry_belongs_to_its_last_page(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	for (uint32_t i = 1; i < 4; i++) {
		fixture_map(&f, 0, fixture_gpa(i));
		shadow_exit_begin(f.reader);
		fixture_read(&f, sd_window_va(0, 0));
	}
	page(&f, fixture_gpa(1), 0);
	page(&f, fixture_gpa(2), 0);
	assert_int_equal(counts(&f).zapped, 0);
	page(&f, fixture_gpa(3), 0);
	assert_int_equal(counts(&f).zapped, 1);
	fixture_destroy(&f);
}

/* A translation that outlived the move would find poison. */
static void a_moved_page_is_read_where_it_is(void **state)
{
	for (int s = 0; s < RECLAIM_SCHEMES; s++)
		for (uint32_t count = 1; count <= 2; count++) {
			struct fixture f;

			(void)state;
			fixture_create(&f, (struct shadow_config){ .reclaim = reclaim_schemes[s] });
			for (uint32_t i = 0; i < 100; i++) {
				uint32_t first = i % (FIXTURE_PAGES - 1);

				assert_int_equal(mover_move(f.shadow, &f.frames, fixture_gpa(first),
							    count), 0);
				for (uint32_t p = 0; p < FIXTURE_PAGES; p++)
					assert_true(fixture_read(&f, fixture_gpa(p) + 8) ==
						    fixture_gpa(p) + 8);
			}
			fixture_destroy(&f);
		}
}

/* --- a range that goes on ----------------------------------------------------------------- */

struct asker {
	pthread_t thread;
	struct fixture *f;
	uint64_t word;
	_Atomic bool asked, done;
};

static void *ask(void *argument)
{
	struct asker *asker = argument;

	shadow_thread_begin(asker->f->shadow);
	atomic_store(&asker->asked, true);
	asker->word = fixture_read(asker->f, fixture_gpa(0));
	atomic_store(&asker->done, true);
	shadow_thread_end(asker->f->shadow);
	return NULL;
}

/* Two overlap, and only after the second one's end may the fault be answered; by then
 * the page has moved. */
static void nothing_is_filled_while_a_range_goes_on(void **state)
{
	static const enum shadow_retry retries[] = { SHADOW_REPLAY, SHADOW_LOOP };

	(void)state;
	for (size_t r = 0; r < COUNT_OF(retries); r++) {
		struct asker asker = { 0 };
		struct fixture f;
		uint32_t old;

		fixture_create(&f, (struct shadow_config){ .retry = retries[r] });
		asker.f = &f;
		shadow_invalidate_range_start(f.shadow, fixture_gpa(0), SD_PAGE_BYTES);
		shadow_invalidate_range_start(f.shadow, fixture_gpa(6), SD_PAGE_BYTES);
		assert_int_equal(pthread_create(&asker.thread, NULL, ask, &asker), 0);
		while (counts(&f).retries == 0)
			sched_yield();
		shadow_invalidate_range_end(f.shadow);
		for (int i = 0; i < 1000; i++)
			sched_yield();
		assert_false(atomic_load(&asker.done));
		assert_int_equal(frames_move(&f.frames, (uint32_t)(fixture_gpa(0) / SD_PAGE_BYTES),
					     1, &old), 1);
		frames_release(&f.frames, old);
		shadow_invalidate_range_end(f.shadow);
		pthread_join(asker.thread, NULL);
		assert_true(asker.word == fixture_gpa(0));
		fixture_destroy(&f);
	}
}

/* Not even where the pages are others': the count is one for all. */
static void what_is_there_is_found_while_a_range_goes_on(void **state)
{
	struct fixture f;

	(void)state;
	fixture_create(&f, (struct shadow_config){ 0 });
	fixture_read(&f, fixture_gpa(1));
	shadow_invalidate_range_start(f.shadow, fixture_gpa(0), SD_PAGE_BYTES);
	fixture_read(&f, fixture_gpa(1) + 8);
	assert_int_equal(counts(&f).faults, 1);
	shadow_invalidate_range_end(f.shadow);
	fixture_destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_the_pages_of_the_range),
		cmocka_unit_test(every_way_to_the_page),
		cmocka_unit_test(an_entry_belongs_to_its_last_page),
		cmocka_unit_test(a_moved_page_is_read_where_it_is),
		cmocka_unit_test(nothing_is_filled_while_a_range_goes_on),
		cmocka_unit_test(what_is_there_is_found_while_a_range_goes_on),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
