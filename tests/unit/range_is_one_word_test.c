// SPDX-License-Identifier: MIT
/*
 * range_is_one_word_test.c - a range and the request it belongs to go through one
 * 64-bit word, and it holds for the one request that is outstanding and no other.
 * One thread: the races are tests/model/range.pml's.
 */
#include <string.h>

#include "range.h"
#include "unit_test.h"

#define GEN(n) ((uint32_t)(n) * SD_WORD_GENERATION)
#define LAST   GEN(0x3fffffff)          /* the next one is 0 again */
#define VA_END (UINT64_C(1) << 38)

static const uint32_t g_generations[] = {
	GEN(0), GEN(1), GEN(2), GEN(0x1fffffff), GEN(0x20000000), LAST - 4, LAST,
};

static const uint64_t g_addresses[] = {
	0, SD_PAGE_BYTES, SD_OWN_REGION_VA, SD_WINDOW_VA,
	SD_WINDOW_VA + SD_MAX_INITIATORS * (uint64_t)SD_WINDOW_STRIDE - SD_PAGE_BYTES,
	VA_END / 2, VA_END - SD_PAGE_BYTES,
};

static const uint32_t g_pages[] = { 1, 2, 31, 32, 33, SD_RANGE_MAX_PAGES };

/* As the handler does. */
static uint32_t tag_of(uint64_t range)
{
	return (uint32_t)(range >> SD_RANGE_TAG_SHIFT);
}

static uint64_t va_of(uint64_t range)
{
	return (uint64_t)((uint32_t)range >> SD_RANGE_PAGE_SHIFT) * SD_PAGE_BYTES;
}

static uint32_t pages_of(uint64_t range)
{
	return (uint32_t)range & SD_RANGE_PAGES_MASK;
}

static void what_is_packed_comes_out(void **state)
{
	(void)state;
	for (size_t g = 0; g < COUNT_OF(g_generations); g++)
		for (size_t a = 0; a < COUNT_OF(g_addresses); a++)
			for (size_t p = 0; p < COUNT_OF(g_pages); p++) {
				uint64_t range = sd_range_of(g_generations[g], g_addresses[a],
							     g_pages[p]);

				assert_int_equal(tag_of(range), g_generations[g]);
				assert_true(va_of(range) == g_addresses[a]);
				assert_int_equal(pages_of(range), g_pages[p]);
			}
}

/* No bit is shared, and none is left over. */
static void the_fields_fill_the_word(void **state)
{
	const uint64_t tag = sd_range_of(LAST, 0, 0);
	const uint64_t va = sd_range_of(0, VA_END - SD_PAGE_BYTES, 0);
	const uint64_t pages = sd_range_of(0, 0, SD_RANGE_MAX_PAGES);

	(void)state;
	assert_true((tag & va) == 0 && (tag & pages) == 0 && (va & pages) == 0);
	assert_true((tag | va | pages) ==
		    ~((uint64_t)SD_WORD_FLAGS << SD_RANGE_TAG_SHIFT));
	assert_int_equal(SD_RANGE_MAX_PAGES, SD_RANGE_PAGES_MASK);
}

static void telling_writes_the_slot_alone(void **state)
{
	const uint64_t range = sd_range_of(GEN(7), SD_WINDOW_VA, 3);
	struct sd_region region, expected;

	(void)state;
	memset(&region, 0x5a, sizeof(region));
	expected = region;
	memcpy((char *)&expected + SD_REGION_RANGE, &range, sizeof(range));
	sd_range_tell(&region, range);
	assert_memory_equal(&region, &expected, sizeof(region));
}

/* Outstanding requests from -3 to 3, tags from 3 too old to 3 too new. */
static void it_holds_for_the_one_request_that_is_outstanding(void **state)
{
	(void)state;
	for (size_t g = 0; g < COUNT_OF(g_generations); g++)
		for (uint32_t outstanding = 0; outstanding < 7; outstanding++)
			for (uint32_t late = 0; late < 7; late++) {
				uint32_t request = g_generations[g];
				uint32_t served = request - GEN(outstanding) + GEN(3);
				uint64_t range = sd_range_of(request - GEN(late) + GEN(3),
							     SD_WINDOW_VA, 1);

				assert_int_equal(sd_range_holds(request, served, range),
						 outstanding == 4 && late == 3);
			}
}

static void generations_wrap(void **state)
{
	(void)state;
	assert_true(sd_range_holds(GEN(0), LAST, sd_range_of(GEN(0), 0, 1)));
	assert_true(sd_range_holds(LAST, LAST - 4, sd_range_of(LAST, 0, 1)));
	assert_false(sd_range_holds(GEN(0), LAST, sd_range_of(LAST, 0, 1)));
	assert_false(sd_range_holds(LAST, GEN(0), sd_range_of(LAST, 0, 1)));
	assert_false(sd_range_holds(GEN(1), LAST, sd_range_of(GEN(1), 0, 1)));
}

/* A handler never runs with one of them set; whatever it reads then, it flushes all. */
static void flags_never_hold(void **state)
{
	const uint64_t range = sd_range_of(GEN(5), SD_WINDOW_VA, 1);

	(void)state;
	for (uint32_t in_request = 0; in_request <= SD_WORD_FLAGS; in_request++)
		for (uint32_t in_served = 0; in_served <= SD_WORD_FLAGS; in_served++) {
			/* With equal flags the difference is one request. */
			assert_int_equal(sd_range_holds(GEN(5) | in_request, GEN(4) | in_served,
							range),
					 in_request == 0 && in_served == 0);
		}
}

/* What the handler sees when the steps of two initiators and a park lie between. */
static bool holds_now(const struct sd_region *region)
{
	return sd_range_holds(sd_u32_load(&region->request), sd_u32_load(&region->served),
			      sd_u64_load(&region->range));
}

static uint32_t posted(struct sd_region *region)
{
	uint32_t want = 0;

	assert_int_equal(sd_word_post(region, &want), SD_POST_WAIT);
	return want;
}

static void serve(struct sd_region *region)
{
	sd_word_serve_end(region, sd_word_serve_begin(region));
}

static void a_request_alone_goes_by_page(void **state)
{
	struct sd_region region = { 0 };

	(void)state;
	for (int round = 0; round < 3; round++) {
		uint32_t want = posted(&region);

		assert_false(holds_now(&region));       /* the IPI of somebody else */
		sd_range_tell(&region, sd_range_of(want, SD_WINDOW_VA, 1));
		assert_true(holds_now(&region));
		serve(&region);
		assert_false(holds_now(&region));
	}
}

static void two_requests_flush_all(void **state)
{
	for (int second_tells_last = 0; second_tells_last < 2; second_tells_last++) {
		struct sd_region region = { 0 };
		uint32_t first = posted(&region), second = posted(&region);

		(void)state;
		sd_range_tell(&region, sd_range_of(second_tells_last ? first : second, 0, 1));
		assert_false(holds_now(&region));
		sd_range_tell(&region, sd_range_of(second_tells_last ? second : first, 0, 1));
		assert_false(holds_now(&region));
		/* After a full flush for both nothing is left to go by page for. */
		serve(&region);
		assert_false(holds_now(&region));
	}
}

/* The first one's late word over the second one's: full, and right. */
static void a_late_word_does_not_hold(void **state)
{
	struct sd_region region = { 0 };
	uint32_t first = posted(&region), second;

	(void)state;
	serve(&region);
	second = posted(&region);
	sd_range_tell(&region, sd_range_of(second, SD_WINDOW_VA, 1));
	sd_range_tell(&region, sd_range_of(first, 0, 1));
	assert_false(holds_now(&region));
}

static void a_park_takes_the_range_with_it(void **state)
{
	struct sd_region region = { 0 };
	uint32_t want = posted(&region);

	(void)state;
	sd_range_tell(&region, sd_range_of(want, SD_WINDOW_VA, 1));
	assert_true(sd_word_park(&region));
	assert_false(sd_word_unpark(&region));
	assert_false(holds_now(&region));
	want = posted(&region);
	assert_false(holds_now(&region));
	sd_range_tell(&region, sd_range_of(want, SD_WINDOW_VA, 1));
	assert_true(holds_now(&region));
	/* A handler that was parked half-way puts served back. */
	sd_word_serve_end(&region, GEN(0));
	assert_false(holds_now(&region));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_out),
		cmocka_unit_test(the_fields_fill_the_word),
		cmocka_unit_test(telling_writes_the_slot_alone),
		cmocka_unit_test(it_holds_for_the_one_request_that_is_outstanding),
		cmocka_unit_test(generations_wrap),
		cmocka_unit_test(flags_never_hold),
		cmocka_unit_test(a_request_alone_goes_by_page),
		cmocka_unit_test(two_requests_flush_all),
		cmocka_unit_test(a_late_word_does_not_hold),
		cmocka_unit_test(a_park_takes_the_range_with_it),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
