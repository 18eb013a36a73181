// SPDX-License-Identifier: MIT
/*
 * parked_time_adds_up_test.c - the guest reads in its region how long its vCPU has been
 * parked: all parks together, each from the begin of park to the end of unpark.
 *
 * Owns:    the functions of KVM that park.c calls: no KVM here.
 */
#include <string.h>
#include <x86intrin.h>

#include "park.h"
#include "session.h"
#include "unit_test.h"

static struct session g_session;
static struct vcpu_thread g_thread;
static struct sd_region g_region;
static struct kvm_run g_run;

int kvm_run(struct kvm_vcpu_fd vcpu)
{
	(void)vcpu;
	return -EINTR;
}

int kvm_get_sregs(struct kvm_vcpu_fd vcpu, struct kvm_sregs *sregs, struct why *why)
{
	(void)vcpu;
	(void)why;
	memset(sregs, 0, sizeof(*sregs));
	return 0;
}

int kvm_set_sregs(struct kvm_vcpu_fd vcpu, const struct kvm_sregs *sregs, struct why *why)
{
	(void)vcpu;
	(void)sregs;
	(void)why;
	return 0;
}

int kvm_get_lapic(struct kvm_vcpu_fd vcpu, struct kvm_lapic_state *lapic, struct why *why)
{
	(void)vcpu;
	(void)why;
	memset(lapic, 0, sizeof(*lapic));
	return 0;
}

int kvm_set_lapic(struct kvm_vcpu_fd vcpu, const struct kvm_lapic_state *lapic, struct why *why)
{
	(void)vcpu;
	(void)lapic;
	(void)why;
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	memset(&g_session, 0, sizeof(g_session));
	memset(&g_thread, 0, sizeof(g_thread));
	memset(&g_region, 0, sizeof(g_region));
	g_session.protocol = &protocol_transfer;
	g_session.entry_flush = ENTRY_FLUSH_STEAL;
	g_thread.session = &g_session;
	g_thread.vcpu.region = &g_region;
	g_thread.vcpu.run = &g_run;
	slot_member_enter(&g_thread.member);
	return 0;
}

static uint64_t parked_ticks(void)
{
	return sd_u64_load(&g_region.parked_ticks);
}

/* One park; returns how long it was, by the thread's own clock. */
static uint64_t park_once(void)
{
	uint64_t before = __rdtsc(), begin;

	assert_int_equal(vcpu_park(&g_thread), 0);
	begin = g_thread.parked_ticks;
	assert_true(begin >= before);
	assert_int_equal(vcpu_unpark(&g_thread), 0);
	assert_true(g_thread.running_ticks >= begin && g_thread.running_ticks <= __rdtsc());
	return g_thread.running_ticks - begin;
}

static void every_park_counts(void **state)
{
	uint64_t sum = 0;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++) {
		sum += park_once();
		assert_int_equal(parked_ticks(), sum);
		assert_int_equal(sd_u64_load(&g_region.parks), i);
	}
}

/* A vCPU is parked from its creation on. */
static void the_first_run_ends_the_first_park(void **state)
{
	uint64_t created;

	(void)state;
	vcpu_mark_created(&g_thread);
	created = g_thread.parked_ticks;
	assert_int_equal(vcpu_unpark(&g_thread), 0);
	assert_int_equal(parked_ticks(), g_thread.running_ticks - created);
}

/* Nobody reads a time that is still going on. */
static void a_park_counts_when_it_is_over(void **state)
{
	(void)state;
	assert_int_equal(vcpu_park(&g_thread), 0);
	assert_int_equal(parked_ticks(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_park_counts, set_up),
		cmocka_unit_test_setup(the_first_run_ends_the_first_park, set_up),
		cmocka_unit_test_setup(a_park_counts_when_it_is_over, set_up),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
