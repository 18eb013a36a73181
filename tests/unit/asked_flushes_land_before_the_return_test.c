// SPDX-License-Identifier: MIT
/*
 * asked_flushes_land_before_the_return_test.c - a vCPU that has asked for the flush of
 * others goes on when each of them is out of the guest or has paid, not when it has been
 * kicked; a vCPU that is asked pays on its own thread, at an instruction boundary.
 *
 * Owns:    the functions that request_flush.c calls: no KVM and no guest here. Others
 *          get on while the caller yields, and at no other time.
 */
#include <sched.h>
#include <string.h>

#include "guest_pointer.h"
#include "park.h"
#include "request_flush.h"
#include "session.h"
#include "unit_test.h"

#define VCPUS 3
#define CALLER 0
#define TARGET 1
#define BYSTANDER 2

static struct session g_session;
static struct vcpu_thread g_threads[VCPUS];
static struct vcpu_mode g_modes[VCPUS];
static struct sd_region g_regions[VCPUS];
static struct sd_flush_request g_request;

static struct {
	unsigned yields;                /* of the caller */
	unsigned leaves_after;          /* so many of them the target leaves the guest */
	bool answers;                   /* then, and else it takes the request first */
	unsigned kicks[VCPUS];
	unsigned shadow_flushes;
	unsigned finished;              /* instructions */
	unsigned paid;                  /* flushes on entry */
	bool in_mid_instruction;        /* as KVM sees it */
	bool paid_in_mid_instruction;
	bool owed_when_paid;
} g_seen;

int guest_pointer_copy(struct vcpu_thread *thread, uint64_t gva, void *to, size_t bytes,
		       const char *what)
{
	(void)thread;
	(void)gva;
	(void)what;
	assert_int_equal(bytes, sizeof(g_request));
	memcpy(to, &g_request, bytes);
	return 0;
}

void slot_kick(const struct slot_member *member)
{
	g_seen.kicks[member->id]++;
}

void shadow_flush(struct shadow *shadow, const uint64_t *readers, uint32_t count)
{
	(void)shadow;
	assert_ptr_not_equal(readers, NULL);
	assert_int_equal(count, VCPUS);
	g_seen.shadow_flushes++;
}

void shadow_exit_begin(struct shadow_reader *reader)
{
	(void)reader;
}

int vcpu_finish_instruction(struct vcpu *vcpu, struct why *why)
{
	(void)vcpu;
	(void)why;
	g_seen.finished++;
	g_seen.in_mid_instruction = false;
	return 0;
}

int vcpu_settle_and_flush(struct vcpu_thread *thread)
{
	g_seen.paid++;
	g_seen.paid_in_mid_instruction |= g_seen.in_mid_instruction;
	g_seen.owed_when_paid = thread->owes_flush;
	thread->owes_flush = false;
	return 0;
}

/* The target's moment. */
int sched_yield(void)
{
	struct vcpu_thread *target = &g_threads[TARGET];

	if (++g_seen.yields != g_seen.leaves_after)
		return 0;
	if (g_seen.answers)
		atomic_store(&target->flush_asked, false);
	else
		vcpu_mode_leave_guest(target->mode);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(g_threads, 0, sizeof(g_threads));
	memset(g_modes, 0, sizeof(g_modes));
	memset(g_regions, 0, sizeof(g_regions));
	memset(&g_request, 0, sizeof(g_request));
	memset(&g_seen, 0, sizeof(g_seen));
	g_session.shape.vcpus = VCPUS;
	g_session.threads = g_threads;
	for (uint32_t i = 0; i < VCPUS; i++) {
		g_threads[i].vcpu.id = i;
		g_threads[i].vcpu.region = &g_regions[i];
		g_threads[i].session = &g_session;
		g_threads[i].policy = &g_session.park;
		g_threads[i].mode = &g_modes[i];
		g_threads[i].member.id = i;
	}
	g_request.targets[0] = 1u << TARGET;
	return 0;
}

static void ask(void)
{
	assert_int_equal(request_flush_others(&g_threads[CALLER]), 0);
}

static void one_that_is_outside_is_not_waited_for(void **state)
{
	(void)state;
	ask();
	assert_int_equal(g_seen.yields, 0);
	assert_int_equal(g_seen.kicks[TARGET], 0);
	assert_int_equal(g_seen.shadow_flushes, 1);
	assert_true(atomic_load(&g_threads[TARGET].flush_asked));
	assert_false(atomic_load(&g_threads[BYSTANDER].flush_asked));
}

/* Hyper-V on KVM, 2021: kicked was enough. */
static void one_in_the_guest_is_waited_for_until_it_is_out(void **state)
{
	(void)state;
	for (unsigned after = 1; after <= 3; after++) {
		set_up(NULL);
		g_seen.leaves_after = after;
		vcpu_mode_enter_guest(&g_modes[TARGET]);
		vcpu_mode_enter_guest(&g_modes[BYSTANDER]);
		ask();
		assert_int_equal(g_seen.yields, after);
		assert_int_equal(g_seen.kicks[TARGET], 1);
		assert_int_equal(g_seen.kicks[BYSTANDER], 0);
		assert_false(vcpu_mode_is_in_guest(&g_modes[TARGET]));
	}
}

static void one_that_has_taken_the_request_is_covered_inside(void **state)
{
	(void)state;
	g_seen.leaves_after = 2;
	g_seen.answers = true;
	vcpu_mode_enter_guest(&g_modes[TARGET]);
	ask();
	assert_int_equal(g_seen.yields, 2);
	assert_true(vcpu_mode_is_in_guest(&g_modes[TARGET]));
}

/* KVM overwrites its byte with a plain store when a thread inside KVM_RUN is scheduled
 * out: only that thread itself, outside, may set bits there. The words are the
 * initiators', of protocols that this caller has no part in. */
static void the_caller_leaves_the_regions_of_others_alone(void **state)
{
	struct sd_region before[VCPUS];

	(void)state;
	for (int in_guest = 0; in_guest <= 1; in_guest++) {
		set_up(NULL);
		g_seen.leaves_after = 1;
		for (uint32_t i = 0; in_guest && i < VCPUS; i++)
			vcpu_mode_enter_guest(&g_modes[i]);
		memcpy(before, g_regions, sizeof(before));
		ask();
		assert_memory_equal(g_regions, before, sizeof(before));
	}
}

static void who_is_asked_owes_and_pays_before_it_enters(void **state)
{
	struct vcpu_thread *target = &g_threads[TARGET];

	(void)state;
	assert_int_equal(request_flush_enter(target), 0);
	assert_true(vcpu_mode_is_in_guest(target->mode));
	assert_int_equal(g_seen.paid, 0);
	request_flush_leave(target);
	ask();
	assert_int_equal(request_flush_enter(target), 1);
	assert_false(vcpu_mode_is_in_guest(target->mode));
	assert_false(atomic_load(&target->flush_asked));
	assert_int_equal(g_seen.paid, 1);
	assert_true(g_seen.owed_when_paid);
	assert_int_equal(request_flush_enter(target), 0);
	assert_int_equal(g_seen.paid, 1);
}

/* CVE-2022-39189: its operands may have been translated already. */
static void what_is_owed_is_paid_between_instructions(void **state)
{
	struct vcpu_thread *target = &g_threads[TARGET];

	(void)state;
	target->unfinished = g_seen.in_mid_instruction = true;
	ask();
	assert_int_equal(request_flush_enter(target), 1);
	assert_int_equal(g_seen.finished, 1);
	assert_int_equal(g_seen.paid, 1);
	assert_false(g_seen.paid_in_mid_instruction);
	ask();
	assert_int_equal(request_flush_enter(target), 1);
	assert_int_equal(g_seen.finished, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_that_is_outside_is_not_waited_for, set_up),
		cmocka_unit_test_setup(one_in_the_guest_is_waited_for_until_it_is_out, set_up),
		cmocka_unit_test_setup(one_that_has_taken_the_request_is_covered_inside, set_up),
		cmocka_unit_test_setup(the_caller_leaves_the_regions_of_others_alone, set_up),
		cmocka_unit_test_setup(who_is_asked_owes_and_pays_before_it_enters, set_up),
		cmocka_unit_test_setup(what_is_owed_is_paid_between_instructions, set_up),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
