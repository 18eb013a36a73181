// SPDX-License-Identifier: MIT
/*
 * trace_draws_arrows_test.c - a request's arrow ends at what covered its target, and
 * what a guest writes into its trace can spoil no more than its own timeline.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "control.h"
#include "session.h"
#include "trace.h"
#include "unit_test.h"

#define VCPUS 3
#define HZ NS_PER_S             /* a tick is a nanosecond */
#define ORIGIN 1000000u         /* TSC of the host at 0 ns */
#define AT(ns) (ORIGIN + (ns))

/* pid of a row. */
#define PID_VCPUS 3
#define PID_GUEST 4

static struct session g_session;
static struct trace g_trace;
static json_t *g_rows;          /* of the last look() */

static int set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(&g_trace, 0, sizeof(g_trace));
	g_session.shape.vcpus = VCPUS;
	g_session.tsc_hz = HZ;
	g_trace.tsc_hz = HZ;
	g_trace.origin_ticks = ORIGIN;
	return guest_memory_create(&g_session.machine.memory, VCPUS, 1, 1, &why) |
		trace_create(&g_trace, VCPUS, 1, &why) | trace_out_to_memory(&g_trace.out, &why);
}

static int tear_down(void **state)
{
	(void)state;
	json_decref(g_rows);
	g_rows = NULL;
	trace_out_close(&g_trace.out);
	trace_destroy(&g_trace);
	guest_memory_destroy(&g_session.machine.memory);
	return 0;
}

/* As entry.S does. */
static void handler_entry(uint32_t vcpu, uint64_t ticks)
{
	struct sd_region *region = guest_region(&g_session.machine.memory, vcpu);
	uint64_t head = sd_u64_load(&region->trace_head);

	sd_u64_store(&region->trace[head % SD_TRACE_ENTRIES], ticks);
	sd_u64_store_release(&region->trace_head, head + 1);
}

static void handler(uint32_t vcpu, uint64_t start_ns, uint64_t end_ns)
{
	handler_entry(vcpu, AT(start_ns));
	handler_entry(vcpu, AT(end_ns));
}

static void step(uint16_t kind, uint32_t target, uint16_t outcome, uint64_t start_ns,
		 uint64_t end_ns)
{
	const struct sd_sample sample = {
		.start_ticks = AT(start_ns), .wall_ticks = end_ns - start_ns, .kind = kind,
		.target = (uint16_t)target, .outcome = outcome,
	};

	trace_sample(&g_trace, &sample);
}

static void ask(uint32_t target, uint64_t at_ns)
{
	step(SD_SAMPLE_REQUEST, target, SD_REQUEST_SENT, at_ns, at_ns + 10);
}

static void served(uint32_t target, uint64_t from_ns, uint64_t until_ns)
{
	step(SD_SAMPLE_WAIT, target, SD_WAIT_SERVED, from_ns, until_ns);
}

/* Drain, and read all rows so far. */
static void look(void)
{
	const char *rows = g_trace.out.halves[g_trace.out.filling];
	size_t bytes = g_trace.out.filled[g_trace.out.filling];
	char *text;

	trace_drain(&g_trace, &g_session.machine.memory, 1);
	bytes = g_trace.out.filled[g_trace.out.filling];
	json_decref(g_rows);
	text = malloc(bytes + 3);
	assert_non_null(text);
	text[0] = '[';
	memcpy(text + 1, rows, bytes);
	memcpy(text + 1 + bytes - (bytes != 0 ? 2 : 0), "]", 2);
	g_rows = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	assert_non_null(g_rows);
}

static json_int_t count_in(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static uint64_t time_in(const json_t *object, const char *key)
{
	return (uint64_t)(json_real_value(json_object_get(object, key)) * 1000 + 0.5);
}

static bool is_row(const json_t *row, const char *phase, const char *name)
{
	return strcmp(json_string_value(json_object_get(row, "ph")), phase) == 0 &&
		strcmp(json_string_value(json_object_get(row, "name")), name) == 0;
}

/* The @nth row of that kind, from 0; NULL if there is none. */
static const json_t *row_of(const char *phase, const char *name, size_t nth)
{
	for (size_t i = 0; i < json_array_size(g_rows); i++) {
		const json_t *row = json_array_get(g_rows, i);

		if (is_row(row, phase, name) && nth-- == 0)
			return row;
	}
	return NULL;
}

static void assert_end(const char *phase, size_t nth, uint32_t pid, uint32_t vcpu, uint64_t at_ns)
{
	const json_t *end = row_of(phase, "request", nth);

	assert_non_null(end);
	assert_int_equal(count_in(end, "pid"), pid);
	assert_int_equal(count_in(end, "tid"), vcpu + 1);
	assert_int_equal(time_in(end, "ts"), at_ns);
}

/* The last arrow goes forward and ends in the last slice of that name, as a viewer has it,
 * which goes by time, and by rows where times are equal: the slice is open by then. */
static void assert_last_arrow_is_in(const char *name)
{
	size_t begin_row = 0, end_row = 0, slice_row = 0;
	const json_t *begin, *end, *slice;

	for (size_t i = 0; i < json_array_size(g_rows); i++) {
		const json_t *row = json_array_get(g_rows, i);

		begin_row = is_row(row, "s", "request") ? i : begin_row;
		end_row = is_row(row, "f", "request") ? i : end_row;
		slice_row = is_row(row, "X", name) ? i : slice_row;
	}
	begin = json_array_get(g_rows, begin_row);
	end = json_array_get(g_rows, end_row);
	slice = json_array_get(g_rows, slice_row);
	assert_true(begin_row < end_row);
	assert_true(time_in(begin, "ts") <= time_in(end, "ts"));
	assert_true(time_in(slice, "ts") + (slice_row > end_row) <= time_in(end, "ts"));
	assert_true(time_in(end, "ts") <= time_in(slice, "ts") + time_in(slice, "dur"));
	assert_int_equal(count_in(end, "pid"), count_in(slice, "pid"));
	assert_int_equal(count_in(end, "tid"), count_in(slice, "tid"));
}

static void a_slice_is_on_the_hosts_clock(void **state)
{
	const json_t *row;

	(void)state;
	handler(2, 700, 950);
	look();
	row = row_of("X", "handler", 0);
	assert_int_equal(count_in(row, "pid"), PID_GUEST);
	assert_int_equal(count_in(row, "tid"), 3);
	assert_int_equal(time_in(row, "ts"), 700);
	assert_int_equal(time_in(row, "dur"), 250);
	assert_int_equal(g_trace.counts.slices, 1);
}

static void the_first_handler_behind_the_request_has_served_it(void **state)
{
	(void)state;
	handler(1, 10, 20);
	handler(1, 150, 180);
	handler(1, 190, 210);
	ask(1, 100);
	served(1, 140, 300);
	look();
	assert_end("s", 0, PID_GUEST, 0, 100);
	assert_end("f", 0, PID_GUEST, 1, 150);
	assert_null(row_of("s", "request", 1));
	assert_int_equal(g_trace.counts.arrows, 1);
	assert_int_equal(g_trace.counts.arrows_lost, 0);
}

/* Its begin was read, not its end: it is parked half-way. */
static void a_handler_under_way_may_have_served_it(void **state)
{
	(void)state;
	handler_entry(1, AT(90));
	ask(1, 100);
	served(1, 140, 300);
	look();
	assert_int_equal(g_trace.counts.arrows, 1);
	assert_null(row_of("X", "handler", 0));
	handler_entry(1, AT(400));
	look();
	assert_int_equal(time_in(row_of("X", "handler", 0), "dur"), 310);
	assert_last_arrow_is_in("handler");
}

/* It began after the request, but its row comes after the arrow's. */
static void an_arrow_to_a_handler_that_lasts_ends_in_it(void **state)
{
	(void)state;
	ask(1, 100);
	handler_entry(1, AT(150));
	served(1, 140, 300);
	look();
	handler_entry(1, AT(400));
	look();
	assert_last_arrow_is_in("handler");
}

/* At each moment of a service, its first and its last among them, on clocks whose ticks
 * are no nanoseconds. */
static void an_arrow_to_what_is_under_way_goes_forward(void **state)
{
	static const uint64_t clocks_hz[] = { HZ / 7, HZ, 2100000003u, 3399999999u };

	(void)state;
	for (size_t c = 0; c < COUNT_OF(clocks_hz); c++)
		for (uint64_t first = 1000, asked = 0; asked <= 40; first += 1013, asked++) {
			g_trace.tsc_hz = clocks_hz[c];
			first += c * 100000;
			trace_add(&g_trace.rings[1], TRACE_TRANSFER, AT(first), AT(first + 40),
				  0);
			ask(1, first + asked);
			served(1, first + 50, first + 60);
			look();
			assert_last_arrow_is_in("transfer");
			handler(2, first, first + 40);
			ask(2, first + asked);
			served(2, first + 50, first + 60);
			look();
			assert_last_arrow_is_in("handler");
		}
	assert_int_equal(g_trace.counts.arrows_lost, 0);
}

static void park_may_have_taken_it_over(void **state)
{
	(void)state;
	trace_add(&g_trace.rings[1], TRACE_TRANSFER, AT(200), AT(205), 0);
	ask(1, 100);
	served(1, 140, 300);
	look();
	assert_end("f", 0, PID_VCPUS, 1, 200);
	assert_non_null(row_of("X", "transfer", 0));
}

/* A thread that tells of its transfer late is waited for, once. */
static void what_covered_it_may_be_told_late(void **state)
{
	(void)state;
	ask(1, 100);
	served(1, 140, 300);
	look();
	assert_null(row_of("s", "request", 0));
	trace_add(&g_trace.rings[1], TRACE_TRANSFER, AT(200), AT(205), 0);
	look();
	assert_end("f", 0, PID_VCPUS, 1, 200);
	ask(1, 1100);
	served(1, 1140, 1300);
	look();
	look();
	look();
	assert_int_equal(g_trace.counts.arrows, 1);
	assert_int_equal(g_trace.counts.arrows_lost, 1);
	assert_null(row_of("s", "request", 1));
}

/* Of another request, of another vCPU, or after the end of the wait. */
static void no_arrow_goes_to_another_ones_service(void **state)
{
	(void)state;
	handler(1, 10, 20);
	handler(2, 150, 180);
	handler(1, 301, 310);
	ask(1, 100);
	served(1, 140, 300);
	look();
	look();
	assert_int_equal(g_trace.counts.arrows, 0);
	assert_int_equal(g_trace.counts.arrows_lost, 1);
}

static void a_deferral_is_its_own_end(void **state)
{
	(void)state;
	step(SD_SAMPLE_REQUEST, 2, SD_REQUEST_DEFERRED, 100, 110);
	served(2, 140, 300);
	look();
	assert_end("s", 0, PID_GUEST, 0, 100);
	assert_end("f", 0, PID_VCPUS, 2, 100);
	assert_int_equal(time_in(row_of("X", "deferral", 0), "ts"), 100);
	assert_int_equal(g_trace.counts.arrows, 1);
}

static void a_takeover_ends_at_a_deferral(void **state)
{
	(void)state;
	ask(2, 100);
	step(SD_SAMPLE_WAIT, 2, SD_WAIT_TAKEN_OVER, 140, 260);
	look();
	assert_end("s", 0, PID_GUEST, 0, 100);
	assert_end("f", 0, PID_VCPUS, 2, 260);
	assert_int_equal(time_in(row_of("X", "takeover", 0), "ts"), 260);
	assert_non_null(row_of("X", "deferral", 0));
}

/* Who sleeps waits for all in one. */
static void one_wait_may_be_for_all(void **state)
{
	(void)state;
	handler(1, 150, 180);
	handler(2, 200, 230);
	ask(1, 100);
	ask(2, 110);
	served(SD_TARGET_ALL, 140, 300);
	look();
	assert_int_equal(g_trace.counts.arrows, 2);
	assert_end("s", 0, PID_GUEST, 0, 100);
	assert_end("f", 0, PID_GUEST, 1, 150);
	assert_end("s", 1, PID_GUEST, 0, 110);
	assert_end("f", 1, PID_GUEST, 2, 200);
}

static void who_was_skipped_has_no_arrow(void **state)
{
	(void)state;
	step(SD_SAMPLE_REQUEST, 1, SD_REQUEST_SKIPPED, 100, 110);
	served(SD_TARGET_ALL, 140, 300);
	look();
	look();
	assert_int_equal(g_trace.counts.arrows + g_trace.counts.arrows_lost, 0);
	assert_non_null(row_of("X", "request", 0));
}

/* Read in time or counted; the halves of a run that was lost make no slice. */
static void entries_written_over_are_counted(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < SD_TRACE_ENTRIES; i++)
		handler(1, 100 * i, 100 * i + 50);
	look();
	assert_true(g_trace.counts.dropped > 0);
	assert_in_range(g_trace.counts.slices, SD_TRACE_ENTRIES / 2 - 2, SD_TRACE_ENTRIES / 2);
	for (size_t i = 0; i < g_trace.counts.slices; i++)
		assert_int_equal(time_in(row_of("X", "handler", i), "dur"), 50);
}

/* Anything may stand in the region and in a sample. */
static void a_hostile_guest_spoils_its_own_timeline_alone(void **state)
{
	static const uint64_t heads[] = { UINT64_MAX, 0, 1, UINT64_MAX / 2, 300, 17 };
	struct sd_region *region = guest_region(&g_session.machine.memory, 1);

	(void)state;
	for (uint64_t i = 0; i < SD_TRACE_ENTRIES; i++)
		sd_u64_store(&region->trace[i], i * UINT64_C(0x9e3779b97f4a7c15));
	for (size_t i = 0; i < COUNT_OF(heads); i++) {
		sd_u64_store(&region->trace_head, heads[i]);
		look();
	}
	for (uint32_t target = 0; target <= UINT16_MAX; target += 13)
		for (uint16_t outcome = 0; outcome < 4; outcome++) {
			step(SD_SAMPLE_REQUEST, target, outcome, UINT64_MAX - 5, 3);
			step(SD_SAMPLE_WAIT, target, outcome, 5, UINT64_MAX - 5);
		}
	look();
	for (size_t i = 0; i < json_array_size(g_rows); i++) {
		const json_t *row = json_array_get(g_rows, i);

		assert_true(count_in(row, "tid") <= VCPUS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_slice_is_on_the_hosts_clock),
		TEST(the_first_handler_behind_the_request_has_served_it),
		TEST(a_handler_under_way_may_have_served_it),
		TEST(an_arrow_to_a_handler_that_lasts_ends_in_it),
		TEST(an_arrow_to_what_is_under_way_goes_forward),
		TEST(park_may_have_taken_it_over),
		TEST(what_covered_it_may_be_told_late),
		TEST(no_arrow_goes_to_another_ones_service),
		TEST(a_deferral_is_its_own_end),
		TEST(a_takeover_ends_at_a_deferral),
		TEST(one_wait_may_be_for_all),
		TEST(who_was_skipped_has_no_arrow),
		TEST(entries_written_over_are_counted),
		TEST(a_hostile_guest_spoils_its_own_timeline_alone),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
