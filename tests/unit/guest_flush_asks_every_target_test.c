// SPDX-License-Identifier: MIT
/*
 * guest_flush_asks_every_target_test.c - a flush asks each vCPU but its own once, sends one
 * IPI to each that is waited for, and returns when every one of them is covered; what it has
 * done is counted, and recorded step by step where that is asked for.
 */
#include "guest_on_host.h"

#include "../../guest-payload/flush.c"
#include "../../guest-payload/protocols/deferred.c"
#include "../../guest-payload/protocols/generation.c"
#include "../../guest-payload/protocols/ipi.c"
#include "../../guest-payload/protocols/ipi_pending_2017.c"
#include "../../guest-payload/protocols/skip_preempted.c"
#include "../../guest-payload/protocols/sleep.c"
#include "../../guest-payload/protocols/takeover.c"
#include "../../guest-payload/protocols/yield.c"
#include "../../guest-payload/samples.c"

#define VCPUS 5
#define SELF  2

static struct g_flush g_flush;
static struct g_ring g_ring;

static void begin(void)
{
	guest_begin(VCPUS);
	memset(&g_flush, 0, sizeof(g_flush));
	g_host.in_gate = guest_serve_all;
}

static void flush(const struct g_protocol_ops *ops)
{
	g_flush_others(ops, SELF, G_EVERYTHING, &g_flush);
}

/* As park does, both marks. */
static void preempt(uint32_t vcpu)
{
	sd_word_mark(g_region(vcpu));
	sd_byte_mark(g_region(vcpu));
}

static void counts_are(uint32_t ipis, uint32_t deferred, uint32_t taken_over, uint32_t skipped)
{
	assert_int_equal(g_flush.targets, VCPUS - 1);
	assert_int_equal(g_flush.ipis, ipis);
	assert_int_equal(g_flush.deferred, deferred);
	assert_int_equal(g_flush.taken_over, taken_over);
	assert_int_equal(g_flush.skipped, skipped);
}

static void sent_to(const uint32_t *vcpus, uint32_t count)
{
	assert_int_equal(g_host.trip.count, count);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(g_host.trip.destinations[i],
				 g_control()->x2apic ? vcpus[i] : vcpus[i] << 24);
}

/* --- who is asked ----------------------------------------------------------------------- */

static void every_other_vcpu_gets_one_ipi(void **state)
{
	static const uint32_t others[] = { 0, 1, 3, 4 };

	(void)state;
	for (uint32_t x2apic = 0; x2apic < 2; x2apic++) {
		begin();
		g_control()->x2apic = x2apic;
		flush(&g_protocol_ipi);
		assert_int_equal(g_host.trips, 1);
		assert_int_equal(g_host.trip.vector, SD_VECTOR_FLUSH);
		sent_to(others, 4);
		counts_are(4, 0, 0, 0);
		for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
			assert_int_equal(sd_u32_load(&g_region(vcpu)->request),
					 vcpu == SELF ? 0 : SD_WORD_GENERATION);
	}
}

static void who_is_marked_is_not_interrupted(void **state)
{
	static const struct g_protocol_ops *const marking[] = {
		&g_protocol_generation, &g_protocol_deferred, &g_protocol_takeover,
	};
	static const uint32_t running[] = { 0, 4 };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(marking); i++) {
		begin();
		preempt(1);
		preempt(3);
		flush(marking[i]);
		sent_to(running, 2);
		counts_are(2, 2, 0, 0);
	}
	begin();
	preempt(1);
	flush(&g_protocol_skip_preempted);
	counts_are(3, 0, 0, 1);
}

static void nobody_to_interrupt_is_still_a_flush_of_its_own(void **state)
{
	(void)state;
	begin();
	for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
		if (vcpu != SELF)
			preempt(vcpu);
	flush(&g_protocol_generation);
	assert_int_equal(g_host.trips, 1);
	assert_int_equal(g_host.trip.count, 0);
	counts_are(0, 4, 0, 0);
}

static void what_an_earlier_flush_counted_is_gone(void **state)
{
	(void)state;
	begin();
	g_flush = (struct g_flush){ 9, 9, 9, 9, 9, { NULL, 17 } };
	flush(&g_protocol_ipi);
	counts_are(4, 0, 0, 0);
	assert_int_equal(g_flush.trace.seq, 17);
}

static void a_range_is_told_where_it_is_understood(void **state)
{
	const struct g_range range = { .va = 0x40203000, .pages = 3 };
	struct g_protocol_ops other = g_protocol_ipi;

	(void)state;
	begin();
	g_flush_others(&g_protocol_ipi, SELF, range, &g_flush);
	assert_int_equal(g_host.trip.range.va, range.va);
	assert_int_equal(g_host.trip.range.pages, 3);
	assert_int_equal(sd_u64_load(&g_region(4)->range),
			 sd_range_of(SD_WORD_GENERATION, range.va, 3));
	assert_int_equal(sd_u64_load(&g_region(SELF)->range), 0);
	begin();
	other.vector = SD_VECTOR_FLUSH_WAKE;
	g_flush_others(&other, SELF, range, &g_flush);
	assert_int_equal(g_host.trip.vector, SD_VECTOR_FLUSH_WAKE);
	assert_int_equal(sd_u64_load(&g_region(4)->range), 0);
}

/* --- until when it waits ------------------------------------------------------------------ */

static struct {
	uint32_t looks;                 /* at targets that have not served */
	uint32_t looks_each;            /* until each has */
	uint32_t vcpus[64];             /* looked at, in order, once each */
	uint32_t want[64];
	uint32_t count;
	bool parks;                     /* the initiator is parked at each look */
	uint32_t helped[VCPUS];
	uint32_t begun_with, waited_for, covered_all;
} g_wait;

static uint32_t vcpu_of(const struct sd_region *region)
{
	return (uint32_t)(((const char *)region - g_guest_regions) / SD_REGION_STRIDE);
}

static bool slow_served(const struct sd_region *target, uint32_t want)
{
	uint32_t vcpu = vcpu_of(target);

	if (g_wait.count == 0 || g_wait.vcpus[g_wait.count - 1] != vcpu) {
		g_wait.vcpus[g_wait.count] = vcpu;
		g_wait.want[g_wait.count++] = want;
		g_wait.looks = 0;
	}
	if (g_wait.parks)
		sd_u64_store(&g_region(SELF)->parks, sd_u64_load(&g_region(SELF)->parks) + 1);
	return g_wait.looks++ == g_wait.looks_each;
}

static const struct g_protocol_ops g_slow = { .post = g_post_to_all, .served = slow_served };

static void slow_flush(const struct g_protocol_ops *ops, uint32_t looks_each)
{
	memset(&g_wait, 0, sizeof(g_wait));
	g_wait.looks_each = looks_each;
	flush(ops);
}

static void each_is_waited_for_in_turn(void **state)
{
	static const uint32_t others[] = { 0, 1, 3, 4 };

	(void)state;
	begin();
	for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
		sd_u32_store(&g_region(vcpu)->request, SD_WORD_GENERATION * 10 * vcpu);
	slow_flush(&g_slow, 5);
	assert_int_equal(g_wait.count, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(g_wait.vcpus[i], others[i]);
		assert_int_equal(g_wait.want[i], SD_WORD_GENERATION * (10 * others[i] + 1));
	}
}

/* A look in 64 is a quiescent state, over all targets: 4 of them. */
static void who_waits_passes(void **state)
{
	static const struct { uint32_t looks_each, passes; } cases[] = {
		{ 0, 0 }, { 15, 0 }, { 16, 1 }, { 31, 1 }, { 32, 2 }, { 160, 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		begin();
		slow_flush(&g_slow, cases[i].looks_each);
		assert_int_equal(sd_u32_load(&g_region(SELF)->pass), cases[i].passes);
	}
}

/* Each look is longer than a tick ago. */
static void who_spins_too_long_says_so(void **state)
{
	(void)state;
	begin();
	slow_flush(&g_slow, 10);
	assert_int_equal(g_host.rings, 0);
	begin();
	g_control()->ple_ticks = 1;
	sd_u64_store(&g_region(SELF)->parks, 5);        /* in its life before */
	slow_flush(&g_slow, 10);
	assert_int_equal(g_host.rings, 40);
	assert_int_equal(g_host.request, SD_REQ_SPUN);
	/* As long as the host is up. */
	begin();
	g_control()->ple_ticks = g_tsc_raw();
	slow_flush(&g_slow, 10);
	assert_int_equal(g_host.rings, 0);
}

/* Off its slot it has not spun. */
static void a_park_begins_the_spinning_again(void **state)
{
	(void)state;
	begin();
	g_control()->ple_ticks = 1;
	memset(&g_wait, 0, sizeof(g_wait));
	g_wait.looks_each = 10;
	g_wait.parks = true;
	flush(&g_slow);
	assert_int_equal(g_host.rings, 0);
}

static bool cover_preempted(struct sd_region *target)
{
	return sd_word_preempted(target);
}

static void who_is_covered_meanwhile_is_waited_for_no_more(void **state)
{
	struct g_protocol_ops ops = g_slow;

	(void)state;
	begin();
	ops.cover = cover_preempted;
	preempt(0);
	preempt(3);
	slow_flush(&ops, 4);
	counts_are(4, 0, 2, 0);
}

static void help(uint32_t self, uint32_t target)
{
	assert_int_equal(self, SELF);
	g_wait.helped[target]++;
}

static void a_preempted_target_is_helped_once(void **state)
{
	struct g_protocol_ops ops = g_slow;

	(void)state;
	begin();
	ops.help = help;
	preempt(1);
	slow_flush(&ops, 4);
	for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
		assert_int_equal(g_wait.helped[vcpu], vcpu == 1);
	begin();
	preempt(4);
	ops = g_protocol_yield;
	ops.served = slow_served;
	slow_flush(&ops, 3);
	assert_int_equal(g_host.rings, 1);
	assert_int_equal(g_host.request, SD_REQ_YIELD_TO);
	assert_int_equal(sd_u64_load(&g_region(SELF)->argument), 4);
}

/* --- protocols that do it all at once ----------------------------------------------------- */

static void note_begin(uint32_t self, uint32_t targets)
{
	assert_int_equal(self, SELF);
	g_wait.begun_with = targets;
}

static void note_wait_all(uint32_t self)
{
	assert_int_equal(self, SELF);
	g_wait.waited_for++;
}

static void note_cover_all(uint32_t self, struct g_range range)
{
	assert_int_equal(self, SELF);
	assert_int_equal(range.pages, 0);
	g_wait.covered_all++;
}

static void one_wait_may_be_for_all(void **state)
{
	struct g_protocol_ops ops = g_slow;

	(void)state;
	begin();
	ops.begin = note_begin;
	ops.wait_all = note_wait_all;
	slow_flush(&ops, 4);
	assert_int_equal(g_wait.begun_with, VCPUS - 1);
	assert_int_equal(g_wait.waited_for, 1);
	assert_int_equal(g_wait.count, 0);
	counts_are(4, 0, 0, 0);
}

static void one_call_may_cover_all(void **state)
{
	const struct g_protocol_ops ops = { .cover_all = note_cover_all };

	(void)state;
	begin();
	slow_flush(&ops, 4);
	assert_int_equal(g_wait.covered_all, 1);
	assert_int_equal(g_host.trips, 1);
	assert_int_equal(g_host.trip.count, 0);
	assert_int_equal(g_host.trip.range.pages, 0);
	counts_are(0, 0, 0, 0);
}

/* Asleep until it is woken, with no time set, and only while somebody has not flushed. */
static void flush_all_and_wake(void)
{
	bool wakes = false;

	assert_int_equal(g_host.request, SD_REQ_SLEEP);
	assert_int_equal(sd_u64_load(&g_region(SELF)->argument), 0);
	for (uint32_t vcpu = 0; vcpu < VCPUS; vcpu++)
		if (sd_asleep_take(g_region(vcpu)) == 1 << SELF)
			wakes |= sd_asleep_done(g_region(SELF));
	assert_true(wakes);
}

static void who_sleeps_is_woken_by_the_last(void **state)
{
	(void)state;
	begin();
	sd_u64_store(&g_region(SELF)->argument, 77);
	g_host.in_gate = NULL;
	g_host.in_doorbell = flush_all_and_wake;
	flush(&g_protocol_sleep);
	assert_int_equal(g_host.rings, 1);
	assert_int_equal(g_host.trip.vector, SD_VECTOR_FLUSH_WAKE);
	assert_int_equal(sd_u32_load(&g_region(SELF)->asleep), 0);
	assert_int_equal(sd_u32_load(&g_region(SELF)->pass), 1);
	counts_are(4, 0, 0, 0);
}

static void clear_pending(void)
{
	for (uint32_t i = 0; i < g_host.trip.count; i++)
		sd_2017_handler_done(g_region(g_host.trip.destinations[i] >> 24));
}

static void one_bit_says_who_has_not_flushed(void **state)
{
	(void)state;
	begin();
	sd_u32_store(&g_region(3)->state_2017, SD_2017_PREEMPTED);
	g_host.in_gate = clear_pending;
	flush(&g_protocol_ipi_pending_2017);
	assert_int_equal(g_host.trip.vector, SD_VECTOR_FLUSH_2017);
	assert_int_equal(sd_u32_load(&g_region(3)->state_2017),
			 SD_2017_PREEMPTED | SD_2017_SHOULD_FLUSH);
	counts_are(3, 1, 0, 0);
}

/* --- steps, and their record ---------------------------------------------------------------- */

static void the_step_behind_the_posts_may_be_held(void **state)
{
	const struct g_protocol_ops ops = { .cover_all = note_cover_all };

	(void)state;
	begin();
	sd_u32_store(&g_control()->steps, 1 << SD_STEP_POSTED);
	flush(&g_protocol_ipi);
	assert_int_equal(g_host.rings, 1);
	assert_int_equal(g_host.request, SD_REQ_STEP + SD_STEP_POSTED);
	flush(&ops);
	assert_int_equal(g_host.rings, 2);
	sd_u32_store(&g_control()->steps, 0xff & ~(1 << SD_STEP_POSTED));
	flush(&g_protocol_ipi);
	assert_int_equal(g_host.rings, 2);
}

static void step_is(uint32_t index, uint16_t kind, uint16_t target, uint16_t outcome)
{
	const struct sd_sample *step = &g_ring.samples[index];

	assert_int_equal(step->kind, kind);
	assert_int_equal(step->target, target);
	assert_int_equal(step->outcome, outcome);
	assert_int_equal(step->seq, 17);
}

static void open_trace(void)
{
	begin();
	g_ring_open(&g_ring, 0);
	g_flush.trace = (struct g_trace){ .ring = &g_ring, .seq = 17 };
}

static void every_step_is_recorded(void **state)
{
	struct g_protocol_ops ops = g_slow;

	(void)state;
	open_trace();
	preempt(1);
	ops.post = g_protocol_generation.post;
	ops.cover = cover_preempted;
	slow_flush(&ops, 1);
	assert_int_equal(g_ring.head, 7);
	step_is(0, SD_SAMPLE_REQUEST, 0, SD_REQUEST_SENT);
	step_is(1, SD_SAMPLE_REQUEST, 1, SD_REQUEST_DEFERRED);
	step_is(2, SD_SAMPLE_REQUEST, 3, SD_REQUEST_SENT);
	step_is(3, SD_SAMPLE_REQUEST, 4, SD_REQUEST_SENT);
	step_is(4, SD_SAMPLE_WAIT, 0, SD_WAIT_SERVED);
	step_is(5, SD_SAMPLE_WAIT, 3, SD_WAIT_SERVED);
	step_is(6, SD_SAMPLE_WAIT, 4, SD_WAIT_SERVED);
	for (uint32_t i = 1; i < 7; i++)
		assert_true(g_ring.samples[i].start_ticks >= g_ring.samples[i - 1].start_ticks +
			    g_ring.samples[i - 1].wall_ticks);
	open_trace();
	preempt(3);
	flush(&g_protocol_skip_preempted);
	step_is(2, SD_SAMPLE_REQUEST, 3, SD_REQUEST_SKIPPED);
	open_trace();
	ops = g_slow;
	ops.cover = cover_preempted;
	preempt(0);
	slow_flush(&ops, 1);
	step_is(4, SD_SAMPLE_WAIT, 0, SD_WAIT_TAKEN_OVER);
	open_trace();
	ops.wait_all = note_wait_all;
	slow_flush(&ops, 1);
	step_is(4, SD_SAMPLE_WAIT, SD_TARGET_ALL, SD_WAIT_SERVED);
	assert_int_equal(g_ring.head, 5);
}

static void a_ring_half_full_takes_no_steps(void **state)
{
	(void)state;
	open_trace();
	g_ring.head = SD_RING_SAMPLES / 2;
	flush(&g_protocol_ipi);
	assert_int_equal(g_ring.head, SD_RING_SAMPLES / 2);
	assert_int_equal(sd_u64_load(&g_region(0)->trace_dropped), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_other_vcpu_gets_one_ipi),
		cmocka_unit_test(who_is_marked_is_not_interrupted),
		cmocka_unit_test(nobody_to_interrupt_is_still_a_flush_of_its_own),
		cmocka_unit_test(what_an_earlier_flush_counted_is_gone),
		cmocka_unit_test(a_range_is_told_where_it_is_understood),
		cmocka_unit_test(each_is_waited_for_in_turn),
		cmocka_unit_test(who_waits_passes),
		cmocka_unit_test(who_spins_too_long_says_so),
		cmocka_unit_test(a_park_begins_the_spinning_again),
		cmocka_unit_test(who_is_covered_meanwhile_is_waited_for_no_more),
		cmocka_unit_test(a_preempted_target_is_helped_once),
		cmocka_unit_test(one_wait_may_be_for_all),
		cmocka_unit_test(one_call_may_cover_all),
		cmocka_unit_test(who_sleeps_is_woken_by_the_last),
		cmocka_unit_test(one_bit_says_who_has_not_flushed),
		cmocka_unit_test(the_step_behind_the_posts_may_be_held),
		cmocka_unit_test(every_step_is_recorded),
		cmocka_unit_test(a_ring_half_full_takes_no_steps),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
