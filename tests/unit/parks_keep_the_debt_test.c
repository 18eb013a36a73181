// SPDX-License-Identifier: MIT
/*
 * parks_keep_the_debt_test.c - a flush that was asked for while a vCPU was off
 * its slot is paid before it runs again, whatever goes wrong in between.
 */
#include <string.h>

#include "parked_vcpu_fixture.h"
#include "pending_2017.h"

static void park(void)
{
	assert_int_equal(vcpu_park(&g_thread), 0);
	assert_true(sd_word_preempted(&g_region));
	assert_true(sd_u8_load(&g_region.preempted) & SD_BYTE_PREEMPTED);
}

static void unpark(void)
{
	assert_int_equal(vcpu_unpark(&g_thread), 0);
	assert_false(sd_u32_load(&g_region.request) & SD_WORD_FLAGS);
}

/* What KVM does on entry: take the byte; true when it flushes. */
static bool enters_with_flush(void)
{
	return sd_byte_take(&g_region);
}

/* Each way, by what reaches KVM. */
static bool was_flushed(void)
{
	bool flushed = g_session.park.entry_flush == ENTRY_FLUSH_STEAL ? enters_with_flush()
								   : g_kvm.registers.flips == 2;

	g_kvm.registers.flips = 0;
	assert_int_equal(g_kvm.registers.cr4, CR4_START);
	assert_false(g_thread.owes_flush);
	return flushed;
}

static void both_ways(void (*check)(void))
{
	g_session.park.entry_flush = ENTRY_FLUSH_STEAL;
	check();
	set_up(NULL);
	g_session.park.entry_flush = ENTRY_FLUSH_SREGS;
	check();
}

static void check_nothing_owed(void)
{
	for (int i = 0; i < 3; i++) {
		park();
		unpark();
		assert_false(was_flushed());
	}
	assert_int_equal(g_thread.counts.switches, 3);
	assert_int_equal(g_thread.counts.transfers, 0);
}

static void nothing_owed_costs_nothing(void **state)
{
	(void)state;
	both_ways(check_nothing_owed);
}

static void check_transfer(void)
{
	uint32_t want = sd_word_request(&g_region);

	park();
	assert_true(sd_word_served(&g_region, want));
	assert_int_equal(g_thread.counts.transfers, 1);
	unpark();
	assert_true(was_flushed());
	park();
	unpark();
	assert_false(was_flushed());
}

static void a_request_taken_over_is_paid_once(void **state)
{
	(void)state;
	both_ways(check_transfer);
}

static void check_marks(void)
{
	uint32_t want;

	park();
	assert_int_equal(sd_word_post(&g_region, &want), SD_POST_COVERED);
	unpark();
	assert_true(was_flushed());
	park();
	assert_true(sd_byte_defer(&g_region));
	unpark();
	assert_true(was_flushed());
}

static void a_mark_on_word_or_byte_is_paid(void **state)
{
	(void)state;
	both_ways(check_marks);
}

static void the_byte_is_kvms_until_entry(void **state)
{
	(void)state;
	park();
	unpark();
	/* KVM_RUN is cancelled, and the vCPU parked again: initiators may still
	 * defer it, and nothing erases what they ask. */
	assert_true(sd_byte_defer(&g_region));
	park();
	unpark();
	assert_true(was_flushed());
}

static void a_debt_survives_a_flush_that_failed(void **state)
{
	(void)state;
	g_session.park.entry_flush = ENTRY_FLUSH_SREGS;
	park();
	assert_true(sd_byte_defer(&g_region));
	g_kvm.sregs_error = EIO;
	assert_int_equal(vcpu_unpark(&g_thread), -EIO);
	assert_true(g_thread.owes_flush);
	assert_int_equal(g_kvm.registers.flips, 0);
	g_kvm.sregs_error = 0;
	park();
	unpark();
	assert_true(was_flushed());
}

static void a_debt_survives_an_unpark_that_failed(void **state)
{
	(void)state;
	(void)sd_word_request(&g_region);
	park();
	g_kvm.lapic_error = EIO;
	assert_int_equal(vcpu_unpark(&g_thread), -EIO);
	assert_true(g_thread.owes_flush);
}

static void plain_park_leaves_requests_alone(void **state)
{
	uint32_t want = sd_word_request(&g_region);

	(void)state;
	g_session.park.protocol = &protocol_plain;
	park();
	assert_false(sd_word_served(&g_region, want));
	assert_int_equal(g_thread.counts.transfers, 0);
	unpark();
	assert_false(was_flushed());
}

static void transfer_once(void)
{
	(void)sd_word_request(&g_region);
	park();
	unpark();
}

static void spurious_ipis_are_counted(void **state)
{
	(void)state;
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH);
	park();                         /* nothing transferred: no look at the APIC */
	unpark();
	assert_int_equal(g_thread.counts.spurious_ipis, 0);
	transfer_once();
	assert_int_equal(g_thread.counts.spurious_ipis, 1);
	memset(&g_kvm.registers.lapic, 0, sizeof(g_kvm.registers.lapic));
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_PING);
	transfer_once();
	assert_int_equal(g_thread.counts.spurious_ipis, 1);
	assert_int_equal(g_kvm.registers.lapic_writes, 0);
}

/* One whose handler would serve more than what was taken over is none. */
static void an_ipi_that_is_needed_is_not_spurious(void **state)
{
	(void)state;
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH);
	for (int i = 0; i < 5; i++)
		(void)sd_word_request(&g_region);
	park();
	/* A handler that was parked half-way has stored an older value. */
	sd_u32_store(&g_region.served, sd_u32_load(&g_region.served) - SD_WORD_GENERATION);
	unpark();
	assert_int_equal(g_thread.counts.spurious_ipis, 0);
}

static void each_handshake_has_its_vector(void **state)
{
	(void)state;
	g_session.park.protocol = &protocol_pending_2017;
	g_session.park.protocol->start(&g_region);
	assert_int_equal(vcpu_unpark(&g_thread), 0);
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH_2017);
	assert_false(sd_2017_post(&g_region));
	park();
	unpark();
	assert_int_equal(g_thread.counts.transfers, 1);
	assert_int_equal(g_thread.counts.spurious_ipis, 1);
}

static void a_mark_of_2017_is_paid(void **state)
{
	(void)state;
	g_session.park.protocol = &protocol_pending_2017;
	g_session.park.protocol->start(&g_region);
	assert_true(sd_2017_post(&g_region));
	unpark();
	assert_true(was_flushed());
}

static void a_spurious_ipi_is_taken_back_if_asked(void **state)
{
	(void)state;
	g_session.park.clears_pending = true;
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH);
	transfer_once();
	assert_int_equal(g_thread.counts.spurious_ipis, 1);
	assert_int_equal(g_thread.counts.cleared_ipis, 1);
	assert_int_equal(g_kvm.registers.lapic_writes, 1);
	assert_false(lapic_is_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH));
	assert_true(was_flushed());
}

/* Between the two ioctls others may post: by default nothing is written over them. Who
 * asks for clearing has to know that nobody does: the flush vector of a request that
 * was taken over may get lost then, any other one must not be in use. */
static void a_vector_posted_meanwhile_is_kept_by_default(void **state)
{
	(void)state;
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH);
	g_kvm.registers.posted_meanwhile = SD_VECTOR_PING;
	transfer_once();
	assert_int_equal(g_thread.counts.spurious_ipis, 1);
	assert_true(lapic_is_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_PING));
	assert_true(lapic_is_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH));
	/* Seen when it is there already: then nothing is taken back either. */
	g_session.park.clears_pending = true;
	transfer_once();
	assert_int_equal(g_thread.counts.cleared_ipis, 0);
	assert_true(lapic_is_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_PING));
}

static void a_late_ipi_of_a_request_taken_over_may_go_too(void **state)
{
	(void)state;
	g_session.park.clears_pending = true;
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH);
	g_kvm.registers.posted_meanwhile = SD_VECTOR_FLUSH;
	transfer_once();
	assert_int_equal(g_thread.counts.cleared_ipis, 1);
	assert_false(lapic_is_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH));
	/* Its request is served, and the flush is owed to the vCPU. */
	assert_true(g_session.park.protocol->is_served(&g_region));
	assert_true(was_flushed());
}

static void an_ipi_beside_others_is_left_alone(void **state)
{
	(void)state;
	g_session.park.clears_pending = true;
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH);
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_PING);
	transfer_once();
	memset(&g_kvm.registers.lapic, 0, sizeof(g_kvm.registers.lapic));
	lapic_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH);
	lapic_set(&g_kvm.registers.lapic, FAKE_ISR, SD_VECTOR_FLUSH);        /* its handler is in flight */
	transfer_once();
	assert_int_equal(g_thread.counts.spurious_ipis, 2);
	assert_int_equal(g_thread.counts.cleared_ipis, 0);
	assert_int_equal(g_kvm.registers.lapic_writes, 0);
	assert_true(lapic_is_set(&g_kvm.registers.lapic, FAKE_IRR, SD_VECTOR_FLUSH));
}

/* Where KVM marks vCPUs itself. */
static void parks_settle_before_the_mark(void **state)
{
	sigset_t pending;

	(void)state;
	g_session.park.settles = true;
	park();
	assert_int_equal(g_kvm.runs, 1);
	unpark();
	/* A kick ends KVM_RUN too early: it does not count. */
	g_kvm.kicks = 2;
	park();
	assert_int_equal(g_kvm.runs, 4);
	assert_false(g_kvm.too_early);
	assert_false(g_kvm.marked_early);
	assert_false(g_kvm.unsignalled);
	sigpending(&pending);
	assert_false(sigismember(&pending, VCPU_SETTLE_SIGNAL));
}

/* Between two KVM_RUNs, without a park. */
static void a_flush_that_is_asked_for_comes_after_settling(void **state)
{
	(void)state;
	g_thread.owes_flush = true;
	assert_int_equal(vcpu_settle_and_flush(&g_thread), 0);
	assert_int_equal(g_kvm.runs, 0);
	assert_true(was_flushed());
	g_session.park.settles = true;
	g_kvm.takes_byte = true;
	g_thread.owes_flush = true;
	assert_int_equal(vcpu_settle_and_flush(&g_thread), 0);
	assert_int_equal(g_kvm.runs, 1);
	assert_true(was_flushed());
	g_kvm.run_result = -EFAULT;
	g_thread.owes_flush = true;
	assert_int_equal(vcpu_settle_and_flush(&g_thread), -EFAULT);
	assert_true(g_thread.owes_flush);
}

/* At an instruction boundary, with a signal to end it, only a guest can have made it so. */
static void a_run_that_does_not_settle_is_told(void **state)
{
	(void)state;
	g_session.park.settles = true;
	g_kvm.run_result = 0;
	g_run.exit_reason = KVM_EXIT_SHUTDOWN;
	assert_int_equal(vcpu_park(&g_thread), -EIO);
	assert_int_equal(g_thread.why.status, EXIT_GUEST);
	assert_non_null(strstr(g_thread.why.text, "exit 8 (triple fault) while it was parked"));
}

static void a_run_that_fails_is_the_guests(void **state)
{
	(void)state;
	g_session.park.settles = true;
	g_kvm.run_result = -EFAULT;
	assert_int_equal(vcpu_park(&g_thread), -EFAULT);
	assert_int_equal(g_thread.why.status, EXIT_GUEST);
}

static void parked_time_is_counted(void **state)
{
	uint64_t before, start, most;

	(void)state;
	vcpu_mark_created(&g_thread);
	assert_true(sd_word_preempted(&g_region));
	start = __builtin_ia32_rdtsc();
	for (uint64_t i = 1; i <= 3; i++) {
		unpark();
		before = sd_u64_load(&g_region.parked_ticks);
		park();
		assert_int_equal(sd_u64_load(&g_region.parks), i);
		assert_true(sd_u64_load(&g_region.parked_ticks) == before);
	}
	unpark();
	most = __builtin_ia32_rdtsc() - start;
	/* From creation on, and not from the boot of the host. */
	assert_true(sd_u64_load(&g_region.parked_ticks) > before);
	assert_true(sd_u64_load(&g_region.parked_ticks) <= most + 1000000000);
}

/* Once each: when KVM has found the bit, and not when it has not come to look. */
static void a_flush_asked_for_is_counted_when_kvm_takes_it(void **state)
{
	(void)state;
	assert_int_equal(vcpu_run(&g_thread), -EINTR);
	assert_int_equal(g_thread.counts.entry_flushes_asked, 0);
	sd_byte_ask_flush(&g_region);
	assert_int_equal(vcpu_run(&g_thread), -EINTR);
	assert_int_equal(g_thread.counts.entry_flushes_asked, 0);
	g_kvm.takes_byte = true;
	g_kvm.kicks = 1;
	assert_int_equal(vcpu_run(&g_thread), -EINTR);
	assert_int_equal(g_thread.counts.entry_flushes_asked, 0);
	g_kvm.run_result = 0;
	assert_int_equal(vcpu_run(&g_thread), 0);
	assert_int_equal(g_thread.counts.entry_flushes_asked, 1);
	sd_byte_mark(&g_region);
	assert_int_equal(vcpu_run(&g_thread), 0);
	assert_int_equal(g_thread.counts.entry_flushes_asked, 1);
}

static void a_park_that_settles_counts_what_it_takes(void **state)
{
	(void)state;
	g_session.park.settles = true;
	g_kvm.takes_byte = true;
	g_kvm.kicks = 2;
	sd_byte_ask_flush(&g_region);
	park();
	assert_int_equal(g_kvm.runs, 3);
	assert_int_equal(g_thread.counts.entry_flushes_asked, 1);
	unpark();
	park();
	assert_int_equal(g_thread.counts.entry_flushes_asked, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_owed_costs_nothing, set_up),
		cmocka_unit_test_setup(a_request_taken_over_is_paid_once, set_up),
		cmocka_unit_test_setup(a_mark_on_word_or_byte_is_paid, set_up),
		cmocka_unit_test_setup(the_byte_is_kvms_until_entry, set_up),
		cmocka_unit_test_setup(a_debt_survives_a_flush_that_failed, set_up),
		cmocka_unit_test_setup(a_debt_survives_an_unpark_that_failed, set_up),
		cmocka_unit_test_setup(plain_park_leaves_requests_alone, set_up),
		cmocka_unit_test_setup(spurious_ipis_are_counted, set_up),
		cmocka_unit_test_setup(an_ipi_that_is_needed_is_not_spurious, set_up),
		cmocka_unit_test_setup(each_handshake_has_its_vector, set_up),
		cmocka_unit_test_setup(a_mark_of_2017_is_paid, set_up),
		cmocka_unit_test_setup(a_spurious_ipi_is_taken_back_if_asked, set_up),
		cmocka_unit_test_setup(an_ipi_beside_others_is_left_alone, set_up),
		cmocka_unit_test_setup(a_vector_posted_meanwhile_is_kept_by_default, set_up),
		cmocka_unit_test_setup(a_late_ipi_of_a_request_taken_over_may_go_too, set_up),
		cmocka_unit_test_setup(parks_settle_before_the_mark, set_up),
		cmocka_unit_test_setup(a_flush_that_is_asked_for_comes_after_settling, set_up),
		cmocka_unit_test_setup(a_run_that_does_not_settle_is_told, set_up),
		cmocka_unit_test_setup(a_run_that_fails_is_the_guests, set_up),
		cmocka_unit_test_setup(a_flush_asked_for_is_counted_when_kvm_takes_it, set_up),
		cmocka_unit_test_setup(a_park_that_settles_counts_what_it_takes, set_up),
		cmocka_unit_test_setup(parked_time_is_counted, set_up),
	};
	sigset_t settle;

	sigemptyset(&settle);
	sigaddset(&settle, VCPU_SETTLE_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &settle, NULL);
	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
