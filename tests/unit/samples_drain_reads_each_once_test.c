// SPDX-License-Identifier: MIT
/*
 * samples_drain_reads_each_once_test.c - every sample in a ring reaches the sink
 * once, in order, whatever else the guest has written.
 */
#include <pthread.h>
#include <string.h>

#include "pte.h"
#include "samples.h"
#include "session_fixture.h"

#define INITIATORS 3
#define STREAM 200000u

static struct session g_session;

/* What the sink got: by initiator, as put() numbered them. */
static struct {
	uint64_t count[INITIATORS];
	uint64_t next[INITIATORS];      /* start_ticks of the next one */
	unsigned wrong;
} g_got;

static uint64_t ring_of(uint32_t initiator)
{
	return SD_RING_GPA + (uint64_t)initiator * SD_RING_STRIDE;
}

static int set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(&g_got, 0, sizeof(g_got));
	g_session.shape.initiators = INITIATORS;
	g_session.shape.vcpus = INITIATORS;
	if (guest_memory_create(&g_session.machine.memory, INITIATORS, INITIATORS, 1, &why) != 0)
		return -1;
	session_fixture_create(&g_session, 0);
	for (uint32_t i = 0; i < INITIATORS; i++)
		sd_u64_store(&guest_region(&g_session.machine.memory, i)->ring, ring_of(i));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	session_fixture_destroy(&g_session);
	guest_memory_destroy(&g_session.machine.memory);
	return 0;
}

static struct sd_region *region_of(uint32_t initiator)
{
	return guest_region(&g_session.machine.memory, initiator);
}

/* As the guest does: the record, then the head. */
static void put(uint32_t initiator, uint64_t count)
{
	struct sd_sample *ring = guest_memory_at(&g_session.machine.memory,
						 ring_of(initiator), SD_RING_STRIDE);
	uint64_t head = sd_u64_load(&region_of(initiator)->ring_head);

	for (; count > 0; count--, head++) {
		ring[head % SD_RING_SAMPLES] = (struct sd_sample){
			.start_ticks = head, .wall_ticks = ~head, .initiator = 99,
		};
		sd_u64_store_release(&region_of(initiator)->ring_head, head + 1);
	}
}

/* Both sides at @position, as after so many samples. */
static void begin_at(uint32_t initiator, uint64_t position)
{
	sd_u64_store(&region_of(initiator)->ring_head, position);
	sd_u64_store(&region_of(initiator)->ring_tail, position);
	g_session.tails[initiator] = position;
	g_got.next[initiator] = position;
}

static void take(void *context, const struct sd_sample *sample)
{
	assert_ptr_equal(context, &g_got);
	/* Whose ring it is, whatever the guest says. */
	assert_in_range(sample->initiator, 0, INITIATORS - 1);
	g_got.wrong += sample->start_ticks != g_got.next[sample->initiator]++ ||
		sample->wall_ticks != ~sample->start_ticks;
	g_got.count[sample->initiator]++;
}

static void drain(void)
{
	struct why why = { 0 };

	if (samples_drain(&g_session, take, &g_got, &why) != 0)
		fail_msg("%s", why.text);
	assert_int_equal(g_got.wrong, 0);
}

static void each_is_handed_over_once(void **state)
{
	(void)state;
	drain();
	put(0, 3);
	put(2, 1);
	drain();
	drain();
	put(0, 2);
	drain();
	assert_int_equal(g_got.count[0], 5);
	assert_int_equal(g_got.count[1], 0);
	assert_int_equal(g_got.count[2], 1);
}

static void the_tail_is_published(void **state)
{
	(void)state;
	put(1, 7);
	drain();
	assert_int_equal(sd_u64_load(&region_of(1)->ring_tail), 7);
	assert_int_equal(sd_u64_load(&region_of(0)->ring_tail), 0);
	assert_int_equal(sd_u64_load(&region_of(1)->ring_head), 7);
}

static void wraps_around(void **state)
{
	const uint64_t positions[] = {
		SD_RING_SAMPLES - 1, SD_RING_SAMPLES, SD_RING_SAMPLES + 1, 3 * SD_RING_SAMPLES - 5,
		UINT32_MAX - 3, UINT64_MAX - 4,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(positions); i++) {
		begin_at(0, positions[i]);
		put(0, 10);
		drain();
		put(0, SD_RING_SAMPLES);
		drain();
		assert_int_equal(g_got.count[0], (i + 1) * (10 + SD_RING_SAMPLES));
	}
}

static void refused(uint64_t tail, uint64_t head)
{
	struct why why = { 0 };

	begin_at(1, tail);
	sd_u64_store(&region_of(1)->ring_head, head);
	assert_int_equal(samples_drain(&g_session, take, &g_got, &why), -EIO);
	assert_int_equal(why.status, EXIT_GUEST);
	assert_non_null(strstr(why.text, "initiator 1"));
	assert_int_equal(g_got.count[1], 0);
	assert_true(g_session.tails[1] == tail);
}

static void nothing_is_read(const char *text)
{
	struct why why = { 0 };

	assert_true(samples_drain(&g_session, take, &g_got, &why) != 0);
	assert_int_equal(why.status, EXIT_GUEST);
	assert_string_equal(why.text, text);
}

static void a_head_out_of_reach_is_refused(void **state)
{
	(void)state;
	refused(0, SD_RING_SAMPLES + 1);
	refused(0, UINT64_MAX);
	refused(100, 99);               /* after the tail */
	refused(100, 100 + (UINT64_C(1) << 32));
	refused(UINT64_MAX, SD_RING_SAMPLES);
}

/* Anywhere in what the initiator sees; the window's pages are its own. */
static void the_ring_is_where_its_initiator_says(void **state)
{
	struct guest_memory *memory = &g_session.machine.memory;
	uint64_t *pte = guest_memory_at(memory, sd_window_pte_gpa(1, 0, 0), 8);

	(void)state;
	*pte = sd_pte(ring_of(1));
	sd_u64_store(&region_of(1)->ring, sd_window_va(0, 0));
	put(1, 5);
	drain();
	assert_int_equal(g_got.count[1], 5);
	*pte = 0;
	put(1, 1);
	nothing_is_read("initiator 1: sample ring at 0x40200000 is not mapped");
	sd_u64_store(&region_of(1)->ring, UINT64_C(1) << 47);
	nothing_is_read("initiator 1: sample ring at 0x800000000000 is not canonical");
	assert_int_equal(g_got.count[1], 5);
	sd_u64_store(&region_of(1)->ring, ring_of(1));
	drain();
	assert_int_equal(g_got.count[1], 6);
}

/* The tail in the region is for the guest: what it writes there changes nothing. */
static void the_guests_copy_of_the_tail_is_not_read(void **state)
{
	(void)state;
	put(0, 5);
	sd_u64_store(&region_of(0)->ring_tail, 3);
	drain();
	sd_u64_store(&region_of(0)->ring_tail, UINT64_MAX);
	put(0, 1);
	drain();
	assert_int_equal(g_got.count[0], 6);
	assert_int_equal(sd_u64_load(&region_of(0)->ring_tail), 6);
}

static void *stream(void *argument)
{
	(void)argument;
	for (uint32_t n = 0; n < STREAM; n++) {
		while (n - (uint32_t)sd_u64_load_acquire(&region_of(0)->ring_tail) >= SD_RING_SAMPLES)
			__builtin_ia32_pause();
		put(0, 1);
	}
	return NULL;
}

static void reads_while_it_is_written(void **state)
{
	pthread_t guest;

	(void)state;
	assert_int_equal(pthread_create(&guest, NULL, stream, NULL), 0);
	while (g_got.count[0] < STREAM)
		drain();
	assert_int_equal(pthread_join(guest, NULL), 0);
	drain();
	assert_int_equal(g_got.count[0], STREAM);
}

static void the_origin_is_the_first_start(void **state)
{
	(void)state;
	assert_int_equal(samples_origin(&g_session), 0);
	sd_u64_store(&region_of(2)->started_ticks, 500);
	assert_int_equal(samples_origin(&g_session), 500);
	sd_u64_store(&region_of(0)->started_ticks, 700);
	assert_int_equal(samples_origin(&g_session), 500);
	sd_u64_store(&region_of(1)->started_ticks, 400);
	assert_int_equal(samples_origin(&g_session), 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_handed_over_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_tail_is_published, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wraps_around, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_head_out_of_reach_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_ring_is_where_its_initiator_says, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_guests_copy_of_the_tail_is_not_read, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(reads_while_it_is_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_origin_is_the_first_start, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
