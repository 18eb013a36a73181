// SPDX-License-Identifier: MIT
/*
 * rounds_add_up_test.c - what one round adds to a protocol's result: a host
 * thread plays the only vCPU and its guest, so every number is known.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "flush_counter.h"
#include "report.h"
#include "round.h"
#include "sample.h"
#include "session_fixture.h"

#define HZ UINT64_C(2000000000)         /* two ticks a nanosecond */
#define START UINT64_C(1000000)         /* ticks, of the first initiator */

/* What the guest writes once it may record. */
struct script {
	struct sd_sample samples[8];
	uint32_t count;
	uint64_t checks, stale, dropped, skipped, sample_ticks;
	uint64_t watched;
	uint64_t all_others;            /* counts that the payload writes */
	uint64_t longest_exit_ticks;    /* 0: 4000 */
	uint64_t decisions;             /* of the slot's policy */
	bool fails;                     /* the vCPU thread, instead of ending the job */
};

static struct session g_session;
static struct slot g_slot;
static struct vcpu_thread g_thread;
static struct loop g_loop;
static struct protocol_result g_result;
static const struct script *g_script;
static struct kvm_marks g_marks;        /* of the vCPU, as KVM counts them */

/* No KVM here: three more marked by it at each look, and five that it has not. */
int kvm_stats_read_marks(struct kvm_vcpu_fd vcpu, struct kvm_marks *marks, struct why *why)
{
	(void)vcpu;
	(void)why;
	*marks = g_marks;
	g_marks.reported += 3;
	g_marks.other += 5;
	return 0;
}

/* Nor its tracepoint: seven flushes more at each look. */
static uint64_t g_entry_flushes;

int flush_counter_read(uint64_t *count, struct why *why)
{
	(void)why;
	*count = g_entry_flushes += 7;
	return 0;
}

static void sleep_ms(uint64_t ms)
{
	struct timespec time = ns_timespec(ms * NS_PER_MS);

	nanosleep(&time, NULL);
}

static void play_guest(struct guest_memory *memory)
{
	struct sd_region *region = guest_region(memory, 0);
	struct sd_sample *ring = guest_memory_at(memory, SD_RING_GPA, SD_RING_STRIDE);
	uint64_t head = sd_u64_load(&region->ring_head);

	sd_u64_store(&region->ring, SD_RING_GPA);
	sd_u64_store(&region->started_ticks, START);
	for (uint32_t i = 0; i < g_script->count; i++, head++) {
		ring[head % SD_RING_SAMPLES] = g_script->samples[i];
		sd_u64_store_release(&region->ring_head, head + 1);
	}
	sd_u64_store(&region->checks, g_script->checks);
	sd_u64_store(&region->stale, g_script->stale);
	sd_u64_store(&region->stale_saw, 4);
	sd_u64_store(&region->stale_expected, 5);
	sd_u64_store(&region->dropped, g_script->dropped);
	sd_u64_store(&region->skipped, g_script->skipped);
	sd_u64_store(&region->sample_ticks, g_script->sample_ticks);
	sd_u64_store(&region->watched, g_script->watched);
	sd_u64_store(&region->by_page, g_script->all_others);
	sd_u64_store(&region->stamp_loads, g_script->all_others);
	sd_u64_store(&region->stamps_wrong, g_script->all_others);
	for (struct sd_u64 *count = &region->walks; count <= &region->grace_ticks; count++)
		sd_u64_store(count, g_script->all_others);
}

static void *play_vcpu(void *argument)
{
	struct sd_control *control = guest_control(&g_session.machine.memory);

	(void)argument;
	while (slot_wait(&g_slot, &g_thread.member)) {
		while (!sd_u32_load(&control->recording))
			sleep_ms(1);
		play_guest(&g_session.machine.memory);
		if (g_script->fails) {
			session_vcpu_failed(&g_session, &g_thread.why);
			continue;
		}
		while (control->flush_quota == 0 && !sd_u32_load(&control->stop_initiators))
			sleep_ms(1);
		session_initiator_stopped(&g_session);
		while (!sd_u32_load(&control->stop_observers))
			sleep_ms(1);
		g_thread.counts.switches += 11;
		g_thread.counts.transfers += 3;
		g_thread.counts.strayed += 5;
		g_thread.counts.spurious_ipis += 2;
		g_thread.counts.cleared_ipis += 13;
		g_thread.counts.entry_flushes_asked += 17;
		g_thread.counts.kicks += 19;
		g_thread.counts.yields += 23;
		g_thread.counts.sleeps += 29;
		g_thread.counts.wakes += 31;
		g_thread.counts.spun += 37;
		g_thread.counts.steps += 41;
		g_thread.counts.stamp_checks += 43;
		g_thread.counts.stamps_wrong += 47;
		g_thread.involuntary_switches += 53;
		g_slot.dice.decisions = g_script->decisions;
		g_slot.dice.digest = 59;
		g_thread.counts.exits[EXIT_KIND_SIGNAL] = (struct exit_count){
			3, 9000, g_script->longest_exit_ticks ? g_script->longest_exit_ticks : 4000 };
		g_thread.counts.exits[SD_REQ_SLEEP] = (struct exit_count){ 1, 2000, 2000 };
		g_thread.counts.exits[SD_REQ_STEP] = (struct exit_count){ 2, 400, 300 };
		histogram_record(&g_slot.switches, 5000);
		slot_pass(&g_slot, &g_thread.member, false);
		session_vcpu_ready(&g_session);
	}
	return NULL;
}

static int set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(&g_thread, 0, sizeof(g_thread));
	g_marks = (struct kvm_marks){ .known = true, .reported = 100, .other = 200 };
	slot_init(&g_slot, 0, NS_PER_MS, 0);
	slot_member_init(&g_thread.member, 0);
	g_thread.slot = &g_slot;
	g_session.shape = (struct session_shape){
		.vcpus = 1, .initiators = 1, .pages = 1, .slots = 1, .slice_ns = 2 * NS_PER_MS,
	};
	cpus_add(&g_session.shape.cpus, 0);
	g_session.slots = &g_slot;
	g_session.slot_count = 1;
	g_session.threads = &g_thread;
	g_session.loop = &g_loop;
	g_session.tsc_hz = HZ;
	pthread_mutex_init(&g_session.lock, NULL);
	protocol_result_init(&g_result, SD_PROTOCOL_generation);
	if (guest_memory_create(&g_session.machine.memory, 1, 1, 1, &why) != 0)
		return -1;
	session_fixture_create(&g_session, 0);
	return loop_create(&g_loop, &why) |
		pthread_create(&g_thread.pthread, NULL, play_vcpu, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	slot_member_quit(&g_thread.member);
	pthread_join(g_thread.pthread, NULL);
	session_fixture_destroy(&g_session);
	guest_memory_destroy(&g_session.machine.memory);
	loop_destroy(&g_loop);
	return 0;
}

/* Ends by itself: a quota, no deadline. */
static struct options options_of(uint64_t flushes)
{
	return (struct options){
		.initiators = 1, .pace_us = 100, .flushes = flushes, .repeat = 1, .seed = 7,
	};
}

static int run(const struct options *options, struct row_file *csv, uint32_t number,
	       struct why *why)
{
	struct round round = {
		.options = options, .number = number, .csv = csv, .result = &g_result,
	};
	int error = round_run(&g_session, &round, why);

	assert_false(round.interrupted);
	return error;
}

static void run_well(const struct script *script, const struct options *options)
{
	struct why why = { 0 };

	g_script = script;
	if (run(options, NULL, 0, &why) != 0)
		fail_msg("%s", why.text);
}

static const struct script g_two_flushes = {
	.samples = {
		/* wall 40 us, of it 30 us parked */
		{ .start_ticks = START + 2000, .wall_ticks = 80000, .parked_ticks = 60000,
		  .pte_ticks = 9000, .seq = 0, .targets = 7, .ipis = 2, .deferred = 5, .pages = 1 },
		{ .start_ticks = START + 4000, .wall_ticks = 50000, .kind = SD_SAMPLE_FLOOR },
		/* stall 1 ms: above a quarter of the slice */
		{ .start_ticks = START + 900000, .wall_ticks = 2000000, .pte_ticks = 9000, .seq = 1,
		  .targets = 7, .ipis = 7, .taken_over = 1, .pages = 1 },
	},
	.count = 3, .checks = 1000, .skipped = 9, .dropped = 2, .sample_ticks = 4 * 2 * 150,
};

/* A stall is never below 0; that the clocks do not agree is counted. */
static void a_park_longer_than_the_flush_is_counted(void **state)
{
	static const struct script script = {
		.samples = {
			{ .start_ticks = START + 2000, .wall_ticks = 80000, .parked_ticks = 80001 },
			{ .start_ticks = START + 4000, .wall_ticks = 80000, .parked_ticks = 80000 },
		},
		.count = 2, .checks = 1000,
	};
	const struct options options = options_of(2);

	(void)state;
	run_well(&script, &options);
	assert_int_equal(g_result.flushes, 2);
	assert_int_equal(g_result.clipped, 1);
	assert_int_equal(histogram_quantile(&g_result.stall_ns, 1.0), 0);
}

static void samples_become_figures(void **state)
{
	const struct options options = options_of(2);

	(void)state;
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.flushes, 2);
	assert_int_equal(g_result.rounds, 1);
	assert_int_equal(g_result.ipis, 9);
	assert_int_equal(g_result.deferred, 5);
	assert_int_equal(g_result.strayed, 5);
	assert_int_equal(g_result.clipped, 0);
	assert_int_equal(g_result.takeovers, 1);
	assert_int_equal(g_result.over_quarter_slice, 1);
	assert_int_equal(g_result.wall_ns.min, 40000);
	assert_int_equal(g_result.wall_ns.max, 1000000);
	assert_int_equal(g_result.stall_ns.min, 10000);
	assert_int_equal(g_result.stall_ns.max, 1000000);
	assert_int_equal(g_result.pte_ns.min, 4500);
	assert_int_equal(g_result.floor_ns.count, 1);
	assert_int_equal(g_result.floor_ns.max, 25000);
	assert_int_equal(g_result.wall_ns.count, 2);
}

/* A quarter of a slice: 500 us. Only what is above it, and whatever was parked is not. */
static void a_quarter_of_a_slice_is_of_the_stall(void **state)
{
	static const struct script script = {
		.samples = {
			{ .start_ticks = START, .wall_ticks = 4000000, .parked_ticks = 3500000 },
			{ .start_ticks = START, .wall_ticks = 1000000 },
			{ .start_ticks = START, .wall_ticks = 1000002 },
			{ .start_ticks = START, .wall_ticks = 8000000, .parked_ticks = 100 },
		},
		.count = 4,
	};
	const struct options options = options_of(4);

	(void)state;
	run_well(&script, &options);
	assert_int_equal(g_result.flushes, 4);
	assert_int_equal(g_result.over_quarter_slice, 2);
}

/* What lies between two looks of this round, both ways; nothing where KVM cannot mark. */
static void marks_are_those_of_the_round(void **state)
{
	const struct options options = options_of(2);

	(void)state;
	g_session.shape.marks_preempted = true;
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.kvm_reported, 3);
	assert_int_equal(g_result.kvm_other, 5);
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.kvm_reported, 6);
	assert_int_equal(g_result.kvm_other, 10);
	g_session.shape.marks_preempted = false;
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.kvm_reported, 6);
	assert_int_equal(g_result.kvm_other, 10);
	g_session.shape.shares_cpus = true;
	g_marks.known = false;
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.kvm_reported, 6);
	assert_int_equal(g_result.kvm_other, 10);
}

/* Only above the limit, and only the first: with a look at every vCPU. */
static void a_slow_flush_breaks_the_run(void **state)
{
	struct vcpu_snapshot snapshot = { .state = NULL };
	struct break_result broke = { .vcpus = &snapshot };
	const struct options options = options_of(2);
	struct round round = { .options = &options, .result = &g_result, .broke = &broke };
	struct why why = { 0 };

	(void)state;
	g_session.shape.snapshot = &snapshot;
	g_session.shape.break_ns = 1000000;
	g_script = &g_two_flushes;
	assert_int_equal(round_run(&g_session, &round, &why), 0);
	assert_false(broke.broke);
	assert_false(atomic_load(&g_session.broken));
	assert_int_equal(guest_control(&g_session.machine.memory)->break_ticks, 2000000);

	g_session.shape.break_ns = 9999;
	assert_int_equal(round_run(&g_session, &round, &why), 0);
	assert_true(broke.broke);
	assert_int_equal(broke.protocol, SD_PROTOCOL_generation);
	assert_int_equal(broke.row.seq, 0);
	assert_int_equal(broke.row.stall_ns, 10000);
	assert_ptr_equal(broke.vcpus, &snapshot);
	assert_true(atomic_load(&g_session.broken));
	assert_int_equal(sd_u32_load(&guest_control(&g_session.machine.memory)->stop_initiators), 1);
	assert_non_null(snapshot.state);
	assert_int_equal(snapshot.slot, 0);
}

/* 2 ticks a nanosecond; of the longest there is one, of the others a sum. */
static void exits_add_up_over_rounds(void **state)
{
	struct script script = g_two_flushes;
	const struct options options = options_of(2);

	(void)state;
	run_well(&g_two_flushes, &options);
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.exits[EXIT_KIND_SIGNAL].count, 6);
	assert_int_equal(g_result.exits[EXIT_KIND_SIGNAL].total_ns, 9000);
	assert_int_equal(g_result.exits[EXIT_KIND_SIGNAL].max_ns, 2000);
	assert_int_equal(g_result.exits[SD_REQ_SLEEP].count, 2);
	assert_int_equal(g_result.exits[SD_REQ_SLEEP].total_ns, 2000);
	assert_int_equal(g_result.exits[SD_REQ_STEP].count, 4);
	assert_int_equal(g_result.exits[SD_REQ_STEP].max_ns, 150);
	assert_int_equal(g_result.exits[SD_REQ_WAKE].count, 0);
	script.longest_exit_ticks = 10;
	run_well(&script, &options);
	assert_int_equal(g_result.exits[EXIT_KIND_SIGNAL].max_ns, 2000);
	script.longest_exit_ticks = 8000;
	run_well(&script, &options);
	assert_int_equal(g_result.exits[EXIT_KIND_SIGNAL].max_ns, 4000);
}

static void counts_add_up_over_rounds(void **state)
{
	static const struct script second = {
		.samples = { { .start_ticks = START, .wall_ticks = 2 } },
		.count = 1, .checks = 10, .stale = 6, .sample_ticks = 1 * 2 * 900,
	};
	const struct options options = options_of(2);

	(void)state;
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.sample_ns, 150);
	run_well(&second, &options);
	assert_int_equal(g_result.rounds, 2);
	assert_int_equal(g_result.flushes, 3);
	assert_int_equal(g_result.checks, 1010);
	assert_int_equal(g_result.stale, 6);
	assert_int_equal(g_result.stale_saw, 4);
	assert_int_equal(g_result.stale_expected, 5);
	assert_int_equal(g_result.dropped, 2);
	assert_int_equal(g_result.skipped, 9);
	/* 4 samples at 150 ns and 1 at 900. */
	assert_int_equal(g_result.sample_ns, 300);
	assert_int_equal(g_result.switches, 22);
	assert_int_equal(g_result.transfers, 6);
	assert_int_equal(g_result.spurious_ipis, 4);
	assert_int_equal(g_result.switch_ns.count, 2);
}

static void what_threads_have_counted_adds_up(void **state)
{
	const struct options options = options_of(2);

	(void)state;
	run_well(&g_two_flushes, &options);
	run_well(&g_two_flushes, &options);
	assert_int_equal(g_result.cleared_ipis, 26);
	assert_int_equal(g_result.entry_flushes_asked, 34);
	assert_int_equal(g_result.entry_flushes_done, 14);
	assert_int_equal(g_result.kicks, 38);
	assert_int_equal(g_result.yields, 46);
	assert_int_equal(g_result.sleeps, 58);
	assert_int_equal(g_result.wakes, 62);
	assert_int_equal(g_result.spun, 74);
	assert_int_equal(g_result.steps, 82);
	assert_int_equal(g_result.involuntary_switches, 106);
}

/* Read by the VMM, and by vCPUs; all rounds together. */
static void stamps_add_up_over_rounds(void **state)
{
	struct script script = g_two_flushes;
	const struct options options = options_of(2);
	struct moved_pages moved = { .checks = 0 };
	struct round round = { .options = &options, .result = &g_result, .moved = &moved };
	struct why why = { 0 };

	(void)state;
	script.all_others = 6;
	g_script = &script;
	assert_int_equal(round_run(&g_session, &round, &why), 0);
	assert_int_equal(round_run(&g_session, &round, &why), 0);
	assert_int_equal(moved.checks, 86);
	assert_int_equal(moved.wrong, 94);
	assert_int_equal(moved.loads, 12);
	assert_int_equal(moved.loads_wrong, 12);
	assert_false(moved.saturated);
	script.all_others = UINT64_MAX;
	assert_int_equal(round_run(&g_session, &round, &why), 0);
	assert_true(moved.saturated);
}

static void walks_add_up_over_rounds(void **state)
{
	struct script script = g_two_flushes;
	const struct options options = options_of(2);

	(void)state;
	script.all_others = 6;
	run_well(&script, &options);
	script.all_others = 4;
	run_well(&script, &options);
	assert_int_equal(g_result.walks, 10);
	assert_int_equal(g_result.walks_poisoned, 10);
	assert_int_equal(g_result.walks_reused, 10);
	assert_int_equal(g_result.tables_freed, 10);
	assert_int_equal(g_result.graces, 10);
	assert_int_equal(g_result.by_page, 10);
	assert_int_equal(g_result.tables_held_max, 6);
	assert_false(g_result.saturated);
}

/* Each round's own, and what its policy has drawn, if that is enough to tell seeds apart. */
static void a_round_s_figures_are_its_own(void **state)
{
	struct round_figure figures[3] = { { .flushes = 0 } };
	struct script script = g_two_flushes;
	const struct options options = options_of(2);
	struct why why = { 0 };
	uint64_t measured = 0;

	(void)state;
	g_result.by_round = figures;
	for (uint32_t i = 0; i < COUNT_OF(figures); i++) {
		script.decisions = PREEMPT_DIGESTED - 1 + i;
		g_script = &script;
		assert_int_equal(run(&options, NULL, i, &why), 0);
		assert_int_equal(figures[i].flushes, 2);
		assert_int_equal(figures[i].decisions, script.decisions);
		assert_int_equal(figures[i].decisions_digest, i == 0 ? 0 : 59);
		measured += figures[i].measured_ns;
	}
	assert_int_equal(measured, g_result.measured_ns);
	assert_true(figures[2].measured_ns != 0);
	g_result.by_round = NULL;
}

/* Nobody initiates: the vCPU is somebody's target, and watches in the first round alone. */
static void targets_are_counted_once(void **state)
{
	struct script script = { .checks = 1, .watched = 5 };
	const struct options options = {
		.initiators = 1, .duration_given = true, .duration_s = 0.01, .repeat = 1,
	};

	(void)state;
	g_session.shape.initiators = 0;
	run_well(&script, &options);
	script.watched = 0;
	run_well(&script, &options);
	assert_int_equal(g_result.targets, 1);
	assert_int_equal(g_result.targets_watched, 1);
	assert_int_equal(g_result.watched, 5);
}

/* The only vCPU here initiates alone: nobody flushes it. */
static void a_sole_initiator_is_no_target(void **state)
{
	static const struct script script = { .checks = 1, .watched = 5 };
	const struct options options = {
		.initiators = 1, .duration_given = true, .duration_s = 0.01, .repeat = 1,
	};

	(void)state;
	run_well(&script, &options);
	assert_int_equal(g_result.targets, 0);
	assert_int_equal(g_result.targets_watched, 0);
	assert_int_equal(g_result.watched, 0);
}

/* The second round's would bring every sum back to 0, and with it the verdict. */
static void sums_of_the_guests_counts_do_not_wrap(void **state)
{
	static const uint64_t half = UINT64_C(1) << 63;
	static const struct script script = {
		.samples = { { .start_ticks = START, .wall_ticks = 2 } },
		.count = 1, .checks = half, .stale = half, .dropped = half, .skipped = half,
		.sample_ticks = half, .all_others = half,
	};
	const struct options options = options_of(1);

	(void)state;
	run_well(&script, &options);
	assert_false(g_result.saturated);
	assert_true(g_result.stale == half);
	run_well(&script, &options);
	assert_true(g_result.saturated);
	assert_true(g_result.checks == UINT64_MAX && g_result.stale == UINT64_MAX);
	assert_true(g_result.dropped == UINT64_MAX && g_result.skipped == UINT64_MAX);
	assert_true(g_result.by_page == UINT64_MAX && g_result.walks == UINT64_MAX);
	assert_true(g_result.walks_poisoned == UINT64_MAX && g_result.walks_reused == UINT64_MAX);
	assert_true(g_result.tables_freed == UINT64_MAX && g_result.graces == UINT64_MAX);
	assert_true(g_result.tables_held_max == half);
	/* Ticks of 0.5 ns: a half each flush, of which almost all were dropped. */
	assert_in_range(g_result.sample_ns, 0, 1);
	assert_in_range(g_result.grace_ns, 0, 1);
}

static void the_job_is_what_the_options_say(void **state)
{
	const struct sd_control *control = guest_control(&g_session.machine.memory);
	struct options options = options_of(1000);

	(void)state;
	options.pace_us = 250;
	run_well(&g_two_flushes, &options);
	assert_int_equal(control->job, SD_JOB_TOGGLE);
	assert_int_equal(control->protocol, SD_PROTOCOL_generation);
	assert_int_equal(control->pace_ticks, 500000);
	assert_int_equal(control->flush_quota, 1000);
	assert_int_equal(control->seed, 7);
	assert_ptr_equal(g_session.park.protocol, &protocol_transfer);
	assert_true(g_thread.owes_flush);
}

static void a_round_keeps_its_time(void **state)
{
	struct options options = options_of(0);
	uint64_t start = clock_ns(), took;

	(void)state;
	options.warmup_s = 0.05;
	options.duration_s = 0.15;
	options.duration_given = true;
	run_well(&g_two_flushes, &options);
	took = clock_ns() - start;
	assert_true(took >= 200 * NS_PER_MS);
	assert_true(g_result.measured_ns >= 150 * NS_PER_MS);
	assert_true(g_result.measured_ns <= took - 50 * NS_PER_MS);
}

/* The CSV of a round @number with @script is the header and @rows. */
static void rows_are(const struct script *script, uint32_t number, const struct flush_row *rows,
		     size_t count)
{
	const struct options options = options_of(2);
	char path[] = "/tmp/rounds_test_XXXXXX", expected[1024], found[1024] = "";
	size_t bytes = strlen(csv_header());
	static struct row_file csv;
	struct why why = { 0 };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	memcpy(expected, csv_header(), bytes);
	for (size_t i = 0; i < count; i++)
		bytes += csv_row(expected + bytes, &rows[i], SD_PROTOCOL_generation);
	g_script = script;
	assert_int_equal(row_file_open(&csv, &g_loop, dup(fd), path, csv_header(), &why), 0);
	assert_int_equal(run(&options, &csv, number, &why), 0);
	assert_int_equal(row_file_close(&csv, &why), 0);
	assert_int_equal(read(fd, found, sizeof(found)), bytes);
	assert_memory_equal(found, expected, bytes);
	close(fd);
	unlink(path);
}

static void rows_say_the_same(void **state)
{
	const struct flush_row rows[] = {
		{ .start_ns = 1000, .pte_ns = 4500, .wall_ns = 40000, .stall_ns = 10000, .run = 3,
		  .seq = 0, .targets = 7, .ipis = 2, .deferred = 5, .pages = 1 },
		{ .start_ns = 450000, .pte_ns = 4500, .wall_ns = 1000000, .stall_ns = 1000000,
		  .run = 3, .seq = 1, .targets = 7, .ipis = 7, .taken_over = 1, .pages = 1 },
	};

	(void)state;
	rows_are(&g_two_flushes, 3, rows, COUNT_OF(rows));
}

/* What a hostile or unlucky guest may write is clamped, not wrapped. */
static void times_do_not_go_below_zero(void **state)
{
	static const struct script script = {
		.samples = {
			{ .start_ticks = START - 1, .wall_ticks = 100, .parked_ticks = 101 },
			{ .start_ticks = 0, .wall_ticks = UINT64_MAX, .parked_ticks = UINT64_MAX,
			  .pte_ticks = UINT64_MAX },
			/* Of no kind that a round knows: no row. */
			{ .start_ticks = START, .wall_ticks = 7, .kind = UINT16_MAX },
			{ .start_ticks = START, .wall_ticks = 7, .kind = SD_SAMPLE_COST },
		},
		.count = 4,
	};
	const struct flush_row rows[] = {
		{ .wall_ns = 50 },
		{ .wall_ns = UINT64_MAX / 2, .pte_ns = UINT64_MAX / 2 },
	};

	(void)state;
	rows_are(&script, 0, rows, COUNT_OF(rows));
	assert_int_equal(g_result.stall_ns.max, 0);
	assert_int_equal(g_result.flushes, 2);
	assert_true(g_result.wall_ns.max == UINT64_MAX / 2);
}

static void a_failure_is_told_and_counts_are_kept(void **state)
{
	struct script script = g_two_flushes;
	const struct options options = options_of(2);
	struct why why = { 0 };

	(void)state;
	script.fails = true;
	script.stale = 1;
	g_script = &script;
	why_set(&g_thread.why, EXIT_GUEST, EIO, "vCPU 0: gave up");
	assert_int_equal(run(&options, NULL, 0, &why), -EIO);
	assert_int_equal(why.status, EXIT_GUEST);
	assert_string_equal(why.text, "vCPU 0: gave up");
	assert_int_equal(g_result.stale, 1);
	assert_int_equal(g_result.rounds, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(samples_become_figures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_park_longer_than_the_flush_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_quarter_of_a_slice_is_of_the_stall, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(marks_are_those_of_the_round, set_up, tear_down),
		cmocka_unit_test_setup_teardown(exits_add_up_over_rounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_slow_flush_breaks_the_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(counts_add_up_over_rounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sums_of_the_guests_counts_do_not_wrap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_threads_have_counted_adds_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stamps_add_up_over_rounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(walks_add_up_over_rounds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_round_s_figures_are_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(targets_are_counted_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_sole_initiator_is_no_target, set_up, tear_down),
		cmocka_unit_test_setup_teardown(times_do_not_go_below_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_job_is_what_the_options_say, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_round_keeps_its_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows_say_the_same, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_is_told_and_counts_are_kept, set_up,
						tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
