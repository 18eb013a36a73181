// SPDX-License-Identifier: MIT
/*
 * entry_flush_falls_back_test.c - the way of flushing on entry is one that was seen to work,
 * and one that was not is told. The guest's part is played here.
 */
#include <string.h>

#include "entry_flush_test.h"
#include "job.h"
#include "unit_test.h"

#define SEEN 16         /* stale translations that each try meets */

/* What this host does. */
static struct {
	bool keeps_none;                /* drops translations by itself */
	uint64_t survive[3];            /* by enum entry_flush */
	uint64_t kept;                  /* after a plain exit */
	uint64_t seen;                  /* SEEN, but where the payload lies */
	int error;                      /* of every job */
} g_host;

static struct session g_session;
static struct vcpu_thread g_thread;
static unsigned g_tries;

void session_set_entry_flush(struct session *session, enum entry_flush way)
{
	session->park.entry_flush = way;
}

/* What guest-payload/costs.c leaves in region 0. */
int session_run(struct session *session, const struct session_job *job, struct why *why)
{
	struct sd_region *region = guest_region(&session->machine.memory, 0);

	assert_int_equal(job->kind, SD_JOB_ENTRY_FLUSH);
	g_tries++;
	sd_u64_store(&region->checks, g_host.keeps_none ? 0 : g_host.seen);
	sd_u64_store(&region->skipped, g_host.kept);
	sd_u64_store(&region->stale, g_host.survive[session->park.entry_flush]);
	return g_host.error == 0 ? 0 : why_set(why, EXIT_GUEST, g_host.error, "the job failed");
}

static int set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	memset(&g_host, 0, sizeof(g_host));
	g_host.seen = SEEN;
	memset(&g_session, 0, sizeof(g_session));
	memset(&g_thread, 0, sizeof(g_thread));
	g_tries = 0;
	g_thread.vcpu.has_steal_time = true;
	g_session.threads = &g_thread;
	return guest_memory_create(&g_session.machine.memory, 1, 1, 1, &why);
}

static int tear_down(void **state)
{
	(void)state;
	guest_memory_destroy(&g_session.machine.memory);
	return 0;
}

/* Works, by that way, after so many tries. */
static struct entry_flush_test chosen(enum entry_flush wanted, enum entry_flush way,
				      unsigned tries)
{
	struct entry_flush_test test = { 0 };
	struct why why = { 0 };

	g_tries = 0;
	assert_int_equal(entry_flush_choose(&g_session, wanted, &test, &why), 0);
	assert_string_equal(why.text, "");
	assert_int_equal(g_session.park.entry_flush, way);
	assert_int_equal(g_tries, tries);
	assert_int_equal(test.survived, 0);
	return test;
}

static void refused_as(enum entry_flush wanted, enum exit_status status, const char *words)
{
	struct entry_flush_test test = { 0 };
	struct why why = { 0 };

	assert_true(entry_flush_choose(&g_session, wanted, &test, &why) < 0);
	assert_int_equal(why.status, status);
	assert_non_null(strstr(why.text, words));
}

static void refused(enum entry_flush wanted, const char *words)
{
	refused_as(wanted, EXIT_HOST, words);
}

static void a_way_that_works_is_used(void **state)
{
	struct entry_flush_test test;

	(void)state;
	test = chosen(ENTRY_FLUSH_AUTO, ENTRY_FLUSH_STEAL, 1);
	assert_int_equal(test.seen, SEEN);
	assert_int_equal(test.steal_failed, 0);
	test = chosen(ENTRY_FLUSH_STEAL, ENTRY_FLUSH_STEAL, 1);
	assert_int_equal(test.steal_failed, 0);
	test = chosen(ENTRY_FLUSH_SREGS, ENTRY_FLUSH_SREGS, 1);
	assert_int_equal(test.steal_failed, 0);
}

static void the_other_way_is_used_and_told(void **state)
{
	struct entry_flush_test test;

	(void)state;
	for (uint64_t survived = 1; survived <= SEEN; survived += SEEN - 1) {
		g_host.survive[ENTRY_FLUSH_STEAL] = survived;
		test = chosen(ENTRY_FLUSH_AUTO, ENTRY_FLUSH_SREGS, 2);
		assert_int_equal(test.steal_failed, survived);
		assert_int_equal(test.seen, SEEN);
	}
	/* Nobody asked for the bit. */
	test = chosen(ENTRY_FLUSH_SREGS, ENTRY_FLUSH_SREGS, 1);
	assert_int_equal(test.steal_failed, 0);
}

/* No steal time is no failure of the bit. */
static void what_is_not_offered_is_not_tried(void **state)
{
	struct entry_flush_test test;

	(void)state;
	g_thread.vcpu.has_steal_time = false;
	g_host.survive[ENTRY_FLUSH_STEAL] = SEEN;
	test = chosen(ENTRY_FLUSH_AUTO, ENTRY_FLUSH_SREGS, 1);
	assert_int_equal(test.steal_failed, 0);
	refused(ENTRY_FLUSH_STEAL, "no steal time");
}

static void a_host_that_keeps_nothing_shows_nothing(void **state)
{
	struct entry_flush_test test;

	(void)state;
	g_host.keeps_none = true;
	test = chosen(ENTRY_FLUSH_AUTO, ENTRY_FLUSH_STEAL, 1);
	assert_int_equal(test.seen, 0);
	assert_int_equal(test.steal_failed, 0);
}

static void a_way_that_was_asked_for_has_no_other(void **state)
{
	(void)state;
	g_host.survive[ENTRY_FLUSH_STEAL] = 3;
	refused(ENTRY_FLUSH_STEAL, "by the steal-time bit: 3 of 16 stale translations survived it");
	g_host.survive[ENTRY_FLUSH_SREGS] = 16;
	refused(ENTRY_FLUSH_SREGS, "by KVM_SET_SREGS: 16 of 16 stale translations survived it");
	refused(ENTRY_FLUSH_AUTO, "by KVM_SET_SREGS: 16 of 16 stale translations survived it");
}

static void a_job_that_failed_says_nothing_of_a_way(void **state)
{
	struct entry_flush_test test = { 0 };
	struct why why = { 0 };

	(void)state;
	g_host.error = EINTR;
	g_host.survive[ENTRY_FLUSH_STEAL] = SEEN;
	assert_int_equal(entry_flush_choose(&g_session, ENTRY_FLUSH_AUTO, &test, &why), -EINTR);
	assert_int_equal(g_tries, 1);
	assert_int_equal(test.steal_failed, 0);
}

/* Whoever wrote them: what cannot be says nothing of this host. */
static void counts_that_cannot_be_are_the_guests_failure(void **state)
{
	static const struct { uint64_t seen, kept, survived; } lies[] = {
		{ 0, 0, 5 }, { SEEN, 0, SEEN + 1 }, { SEEN + 1, 0, 0 }, { SEEN + 1, 0, 1 },
		{ SEEN, SEEN + 1, 0 }, { 0, 1, 0 }, { UINT64_MAX, UINT64_MAX, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		g_host.seen = lies[i].seen;
		g_host.kept = lies[i].kept;
		for (enum entry_flush way = ENTRY_FLUSH_AUTO; way <= ENTRY_FLUSH_SREGS; way++)
			g_host.survive[way] = lies[i].survived;
		refused_as(ENTRY_FLUSH_AUTO, EXIT_GUEST, "counts the payload");
		refused_as(ENTRY_FLUSH_SREGS, EXIT_GUEST, "counts the payload");
	}
}

/* A payload that is not the built-in one can end its own run, and say nothing of the host. */
static void a_claim_is_no_finding(void **state)
{
	(void)state;
	g_session.claims = true;
	g_host.survive[ENTRY_FLUSH_STEAL] = g_host.survive[ENTRY_FLUSH_SREGS] = 3;
	refused_as(ENTRY_FLUSH_AUTO, EXIT_GUEST,
		   "3 of 16 stale translations survived it, says the payload");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_way_that_works_is_used),
		TEST(the_other_way_is_used_and_told),
		TEST(what_is_not_offered_is_not_tried),
		TEST(a_host_that_keeps_nothing_shows_nothing),
		TEST(a_way_that_was_asked_for_has_no_other),
		TEST(a_job_that_failed_says_nothing_of_a_way),
		TEST(counts_that_cannot_be_are_the_guests_failure),
		TEST(a_claim_is_no_finding),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
