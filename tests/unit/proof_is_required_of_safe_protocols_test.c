// SPDX-License-Identifier: MIT
/*
 * proof_is_required_of_safe_protocols_test.c - with --require-proof a safe protocol that
 * was idle, that nobody could have seen fail, or that did not do what it is for, gets a
 * line and status 1; controls, and protocols that are wrong anyway, are left alone.
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "results_fixture.h"
#include "unit_test.h"

/* A run of @protocol alone that proves what it should. */
static struct protocol_result *run_of(enum sd_protocol protocol)
{
	struct run_results *run = fixture_reset();
	struct protocol_result *result = &run->results[protocol];

	run->results = result;
	run->result_count = 1;
	result->wakes = result->yields = 900;
	result->exits[SD_REQ_FLUSH_OTHERS].count = 1000;
	return result;
}

static void says(enum exit_status status, const char *words)
{
	char said[512] = "";
	FILE *messages = fmemopen(said, sizeof(said), "w");

	assert_non_null(messages);
	assert_int_equal(proof_of(&g_fixture.run, messages), status);
	fclose(messages);
	if (words == NULL)
		assert_string_equal(said, "");
	else if (strstr(said, words) == NULL)
		fail_msg("\"%s\" does not say %s", said, words);
}

static void is_missing(const char *words)
{
	says(EXIT_WRONG, words);
}

static void is_given(void)
{
	says(EXIT_OK, NULL);
}

static void each_protocol_can_prove_it(void **state)
{
	(void)state;
	for (int i = 0; i < SD_PROTOCOLS; i++) {
		run_of((enum sd_protocol)i);
		is_given();
	}
}

/* What was watched in part, or by somebody's own payload, is no proof of the whole. */
static void a_part_or_a_claim_is_none(void **state)
{
	struct protocol_result *result = run_of(SD_PROTOCOL_ipi);

	(void)state;
	result->targets_watched = result->targets - 1;
	is_missing("ipi: nothing is proved: partly: some targets never looked");
	result->targets_watched = result->targets;
	is_given();
	g_fixture.options.payload = "mine";
	is_missing("ipi: nothing is proved: claimed: by a payload");
}

static void each_that_does_not_has_a_line(void **state)
{
	struct run_results *run = fixture_reset();
	char said[512] = "";
	FILE *messages = fmemopen(said, sizeof(said), "w");

	(void)state;
	assert_non_null(messages);
	run->result_count = 2;
	run->results[SD_PROTOCOL_ipi].flushes = 0;
	run->results[SD_PROTOCOL_sleep].checks = 0;
	assert_int_equal(proof_of(run, messages), EXIT_WRONG);
	fclose(messages);
	assert_string_equal(said, "ipi: nothing is proved: idle: no flush\n"
			    "sleep: nothing is proved: blind: nobody checked for stale loads\n");
}

static void one_vcpu_has_no_target(void **state)
{
	(void)state;
	run_of(SD_PROTOCOL_ipi);
	g_fixture.options.vcpus = 1;
	is_missing("ipi: nothing is proved: idle: one vCPU has no target\n");
}

static void a_host_may_hide_a_lost_flush(void **state)
{
	(void)state;
	run_of(SD_PROTOCOL_ipi);
	g_fixture.run.exit_keeps_stale = false;
	is_missing("ipi: nothing is proved: blind: an exit drops every translation");
	/* Walks go through no TLB. */
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	is_given();
}

static void a_hazard_proves_nothing(void **state)
{
	(void)state;
	run_of(SD_PROTOCOL_generation);
	g_fixture.options.workload = WORKLOAD_TEARDOWN;
	g_fixture.options.table_free = TABLE_FREE_NOW;
	is_missing("generation: nothing is proved: blind: tables were freed under walkers");
}

static void nobody_was_asked(void **state)
{
	static const enum sd_protocol asking[] = {
		SD_PROTOCOL_ipi, SD_PROTOCOL_sleep, SD_PROTOCOL_yield, SD_PROTOCOL_deferred,
		SD_PROTOCOL_generation, SD_PROTOCOL_takeover,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(asking); i++) {
		struct protocol_result *result = run_of(asking[i]);

		g_fixture.options.slots = g_fixture.options.vcpus;      /* nobody preempted */
		result->deferred = 0;
		is_given();
		result->ipis = 0;
		is_missing("not in effect: no target was interrupted or deferred");
		result->deferred = 1;
		is_given();
	}
}

static void a_hypercall_has_to_be_made(void **state)
{
	struct protocol_result *result = run_of(SD_PROTOCOL_hypercall);

	(void)state;
	result->ipis = result->deferred = 0;
	is_given();
	result->exits[SD_REQ_FLUSH_OTHERS].count = 0;
	is_missing("hypercall: nothing is proved: not in effect: no flush asked the VMM");
}

static const struct {
	enum sd_protocol protocol;
	size_t evidence;
	const char *words;
} g_effects[] = {
	{ SD_PROTOCOL_sleep, offsetof(struct protocol_result, wakes), "no initiator slept" },
	{ SD_PROTOCOL_yield, offsetof(struct protocol_result, yields), "no slot was given to one" },
	{ SD_PROTOCOL_deferred, offsetof(struct protocol_result, deferred), "none was deferred" },
	{ SD_PROTOCOL_generation, offsetof(struct protocol_result, deferred), "none was deferred" },
	{ SD_PROTOCOL_takeover, offsetof(struct protocol_result, deferred), "none was deferred" },
};

/* @result without what shows case @i at work. */
static struct protocol_result *without_effect(size_t i)
{
	struct protocol_result *result = run_of(g_effects[i].protocol);

	*(uint64_t *)(void *)((char *)result + g_effects[i].evidence) = 0;
	return result;
}

/* By the VMM, wherever vCPUs share slots. */
static void what_it_does_for_preempted_vcpus_has_to_be_done(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_effects); i++) {
		without_effect(i);
		is_missing("not in effect: vCPUs were preempted");
		is_missing(g_effects[i].words);
		g_fixture.options.vcpus = g_fixture.options.slots + 1;
		is_missing(g_effects[i].words);
		g_fixture.options.vcpus = g_fixture.options.slots;
		is_given();
	}
}

/* By the host: as KVM counts it, or as the threads do. */
static void nobody_preempted_is_no_lack(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_effects); i++) {
		struct protocol_result *result = without_effect(i);

		g_fixture.options.preempt = PREEMPT_HOST;
		is_given();
		result->involuntary_switches = 1;
		is_missing(g_effects[i].words);
		g_fixture.run.kvm_counts_marks = true;
		is_given();
		result->kvm_other = 1;
		is_missing(g_effects[i].words);
		result->kvm_reported = 1;
		is_missing(g_effects[i].words);
		result->kvm_other = 0;
		is_missing(g_effects[i].words);
	}
}

/* A park may meet no request: nothing was to be handed over. */
static void transfers_and_takeovers_are_not_missed(void **state)
{
	(void)state;
	assert_int_equal(run_of(SD_PROTOCOL_generation)->transfers, 0);
	is_given();
	assert_int_equal(run_of(SD_PROTOCOL_takeover)->takeovers, 0);
	is_given();
}

static void what_is_wrong_or_not_safe_is_told_elsewhere(void **state)
{
	(void)state;
	run_of(SD_PROTOCOL_ipi)->stale = 1;
	is_given();
	run_of(SD_PROTOCOL_none)->stale = 0;
	is_given();
	run_of(SD_PROTOCOL_none)->flushes = 0;
	is_given();
	run_of(SD_PROTOCOL_ipi_pending_2017)->flushes = 0;
	is_given();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_protocol_can_prove_it),
		cmocka_unit_test(each_that_does_not_has_a_line),
		cmocka_unit_test(a_part_or_a_claim_is_none),
		cmocka_unit_test(one_vcpu_has_no_target),
		cmocka_unit_test(a_host_may_hide_a_lost_flush),
		cmocka_unit_test(a_hazard_proves_nothing),
		cmocka_unit_test(nobody_was_asked),
		cmocka_unit_test(a_hypercall_has_to_be_made),
		cmocka_unit_test(what_it_does_for_preempted_vcpus_has_to_be_done),
		cmocka_unit_test(nobody_preempted_is_no_lack),
		cmocka_unit_test(transfers_and_takeovers_are_not_missed),
		cmocka_unit_test(what_is_wrong_or_not_safe_is_told_elsewhere),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
