// SPDX-License-Identifier: MIT
/*
 * guest_samples_are_of_the_flush_test.c - what an initiator records of a flush: the PTE
 * stores before it, the wall time from its begin to its return, and how much of that it was
 * parked; and it records as many flushes as its share is.
 */
#include "guest_on_host.h"

#include "../../guest-payload/flush.c"
#include "../../guest-payload/samples.c"
#define pause pause_of_initiator        /* unistd.h has another */
#include "../../guest-payload/workloads/initiator.c"

#define VCPUS 3
#define PARKED 12345

/* TSC, as the workload and the gate see it in the last flush. */
static struct {
	uint64_t before, move_begin, moved, gate_begin, gate_end, returned;
	unsigned flushes;
	uint64_t parked_ticks;          /* that pass while in the gate */
} g_seen;

static enum g_post post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	return g_post_to_all(self, target, want);
}

static const struct g_protocol_ops g_ops = { .post = post };

const struct g_protocol_ops *const g_protocols[SD_PROTOCOLS] = { [SD_PROTOCOL_ipi] = &g_ops };

/* Not of this test. */
void g_stamps_poll(struct g_stamps *stamps, uint32_t self)
{
	(void)stamps;
	(void)self;
}

void g_window_boot(uint32_t initiator)
{
	(void)initiator;
}

static void before(uint32_t self)
{
	(void)self;
	g_seen.before = g_tsc_start();
}

static void move(uint32_t self)
{
	(void)self;
	g_seen.move_begin = g_tsc_start();
	g_seen.moved = g_tsc_end();
}

static void returned(uint32_t self)
{
	(void)self;
	g_seen.returned = g_tsc_start();
	g_seen.flushes++;
}

static void observe(uint32_t self)
{
	(void)self;
}

static const struct g_workload g_workload = {
	.before = before, .move = move, .returned = returned, .observe = observe,
};

/* Longer than any store takes, by the clock that the samples are of. */
static void spend_time(void)
{
	uint64_t start = g_tsc_start();

	if (g_host.trip.vector != SD_VECTOR_FLUSH)
		return;
	g_seen.gate_begin = start;
	while (g_tsc_start() - start < 100000)
		;
	guest_serve_all();
	sd_u64_store(&g_region(0)->parked_ticks,
		     sd_u64_load(&g_region(0)->parked_ticks) + g_seen.parked_ticks);
	g_seen.gate_end = g_tsc_end();
}

static const struct sd_sample *run(uint64_t quota, uint32_t self)
{
	guest_begin(VCPUS);
	memset(&g_seen, 0, sizeof(g_seen));
	g_seen.parked_ticks = PARKED;
	g_control()->protocol = SD_PROTOCOL_ipi;
	g_control()->flush_quota = quota;
	g_control()->initiators = self + 1;
	sd_u32_store(&g_control()->recording, 1);
	g_host.in_gate = spend_time;
	g_initiator_run(&g_workload, self);
	assert_int_equal(g_host.request, SD_REQ_STOPPED);
	return (const struct sd_sample *)(const void *)(g_guest_rings + self * SD_RING_STRIDE);
}

/* Inequalities that hold however slow the host is. */
static void times_end_where_the_next_begins(void **state)
{
	const struct sd_sample *sample = run(1, 0);

	(void)state;
	assert_int_equal(sd_u64_load(&g_region(0)->ring_head), 1);
	assert_int_equal(sample->kind, SD_SAMPLE_FLUSH);
	assert_true(sample->start_ticks >= g_seen.moved);
	assert_true(sample->start_ticks <= g_seen.gate_begin);
	assert_true(sample->start_ticks + sample->wall_ticks >= g_seen.gate_end);
	assert_true(sample->start_ticks + sample->wall_ticks <= g_seen.returned);
	/* The stores: from the end of before() to the begin of the flush. */
	assert_true(sample->pte_ticks >= g_seen.moved - g_seen.move_begin);
	assert_true(sample->pte_ticks <= sample->start_ticks - g_seen.before);
	assert_int_equal(sample->parked_ticks, PARKED);
}

static void counts_are_those_of_the_flush(void **state)
{
	const struct sd_sample *samples = run(3, 0);

	(void)state;
	assert_int_equal(g_seen.flushes, 3);
	assert_int_equal(sd_u64_load(&g_region(0)->flushes), 3);
	assert_int_equal(sd_u64_load(&g_region(0)->ring_head), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(samples[i].seq, i);
		assert_int_equal(samples[i].targets, VCPUS - 1);
		assert_int_equal(samples[i].ipis, VCPUS - 1);
		assert_int_equal(samples[i].deferred, 0);
		assert_int_equal(samples[i].taken_over, 0);
		assert_int_equal(samples[i].pages, 1);
		assert_int_equal(samples[i].initiator, 0);
	}
}

/* 7 among 2: the first one takes what does not divide. */
static void a_quota_is_shared(void **state)
{
	(void)state;
	run(7, 1);
	assert_int_equal(g_seen.flushes, 3);
	guest_begin(VCPUS);
	g_control()->flush_quota = 7;
	g_control()->initiators = 2;
	assert_int_equal(share_of(0), 4);
	assert_int_equal(share_of(1), 3);
	g_control()->flush_quota = 0;
	assert_int_equal(share_of(1), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_end_where_the_next_begins),
		cmocka_unit_test(counts_are_those_of_the_flush),
		cmocka_unit_test(a_quota_is_shared),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
