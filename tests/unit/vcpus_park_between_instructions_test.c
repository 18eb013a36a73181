// SPDX-License-Identifier: MIT
/*
 * vcpus_park_between_instructions_test.c - a vCPU that leaves the guest for a doorbell
 * stands in the middle of an instruction, whose operands KVM has translated already. It
 * is finished before the vCPU is parked, whatever ends the slice (CVE-2022-39189).
 *
 * Owns:    all that vcpu_thread.c calls but its slot: no KVM here. vcpu_thread_main()
 *          runs on this thread, with a guest that rings what the case says.
 */
#include <string.h>

#include "guest_pointer.h"
#include "lapic.h"
#include "park.h"
#include "request_flush.h"
#include "session.h"
#include "stamps.h"
#include "unit_test.h"

#define RINGS 4

static struct session g_session;
static struct slot g_slot;
static struct vcpu_thread g_threads[2];
static struct sd_region g_regions[2];
static union {
	struct kvm_run run;
	char bytes[sizeof(struct kvm_run) + 8];
} g_run;

static struct {
	uint32_t rings[RINGS];          /* the last one is SD_REQ_READY */
	uint32_t rung;
	bool in_mid_instruction;        /* as KVM sees it */
	bool wanted;                    /* vCPU 1 waits for the slot while vCPU 0 is in the guest */
	unsigned parks;
	unsigned parks_in_mid_instruction;
	unsigned finished;
} g_guest;

static struct vcpu_thread *vcpu(void)
{
	return &g_threads[0];
}

/* --- KVM and the guest ---------------------------------------------------------------- */

int kvm_run(struct kvm_vcpu_fd fd)
{
	(void)fd;
	/* The next KVM_RUN completes the port access, and goes on in the guest. */
	g_guest.in_mid_instruction = false;
	if (g_guest.wanted)
		slot_queue(&g_slot, &g_threads[1].member);
	g_run.run.exit_reason = KVM_EXIT_IO;
	g_run.run.io.direction = KVM_EXIT_IO_OUT;
	g_run.run.io.size = 4;
	g_run.run.io.count = 1;
	g_run.run.io.port = SD_PORT_REQUEST;
	g_run.run.io.data_offset = sizeof(struct kvm_run);
	memcpy(g_run.bytes + sizeof(struct kvm_run), &g_guest.rings[g_guest.rung++], 4);
	g_guest.in_mid_instruction = true;
	return 0;
}

int vcpu_finish_instruction(struct vcpu *one, struct why *why)
{
	(void)one;
	(void)why;
	g_guest.finished++;
	g_guest.in_mid_instruction = false;
	return 0;
}

int vcpu_create(struct vcpu *one, const struct machine *machine, uint32_t id, struct why *why)
{
	(void)machine;
	(void)why;
	*one = (struct vcpu){ .id = id, .run = &g_run.run, .region = &g_regions[id] };
	return 0;
}

void vcpu_destroy(struct vcpu *one)
{
	one->run = NULL;
}

const char *vcpu_exit_name(uint32_t reason)
{
	(void)reason;
	return "none";
}

int kvm_get_regs(struct kvm_vcpu_fd fd, struct kvm_regs *regs, struct why *why)
{
	(void)fd;
	(void)why;
	memset(regs, 0, sizeof(*regs));
	return 0;
}

int kvm_get_lapic(struct kvm_vcpu_fd fd, struct kvm_lapic_state *lapic, struct why *why)
{
	(void)fd;
	(void)why;
	memset(lapic, 0, sizeof(*lapic));
	return 0;
}

int kvm_set_signal_mask(struct kvm_vcpu_fd fd, uint64_t mask, struct why *why)
{
	(void)fd;
	(void)mask;
	(void)why;
	return 0;
}

int kvm_get_tsc_offset(struct kvm_vcpu_fd fd, uint64_t *ticks, struct why *why)
{
	(void)fd;
	(void)why;
	*ticks = 0;
	return 0;
}

/* --- the VMM ---------------------------------------------------------------------------- */

void vcpu_mark_created(struct vcpu_thread *thread)
{
	(void)thread;
}

static void slot_anew(void)
{
	slot_init(&g_slot, 0, 1000000000, 0);
}

/* Nobody runs vCPU 1: it waits no longer than up to here. */
int vcpu_run(struct vcpu_thread *thread)
{
	return kvm_run(thread->vcpu.fd);
}

int vcpu_park(struct vcpu_thread *thread)
{
	(void)thread;
	if (g_guest.wanted)
		slot_anew();
	g_guest.parks++;
	g_guest.parks_in_mid_instruction += g_guest.in_mid_instruction;
	return 0;
}

int vcpu_unpark(struct vcpu_thread *thread)
{
	(void)thread;
	return 0;
}

int vcpu_flush_on_entry(struct vcpu_thread *thread)
{
	thread->owes_flush = false;
	return 0;
}

int request_flush_others(struct vcpu_thread *thread)
{
	(void)thread;
	return 0;
}

int request_flush_enter(struct vcpu_thread *thread)
{
	(void)thread;
	return 0;
}

void request_flush_leave(struct vcpu_thread *thread)
{
	(void)thread;
}

int stamps_check(struct vcpu_thread *thread)
{
	(void)thread;
	return 0;
}

void guest_pointer_text(struct vcpu_thread *thread, uint64_t gva, char *text, size_t size)
{
	(void)thread;
	(void)gva;
	memcpy(text, "?", size < 2 ? size : 2);
}

void guest_log_add(struct guest_log *log, const struct guest_log_line *line)
{
	(void)log;
	(void)line;
}

void shadow_thread_begin(struct shadow *shadow)
{
	(void)shadow;
}

void shadow_thread_end(struct shadow *shadow)
{
	(void)shadow;
}

void session_break(struct session *session)
{
	(void)session;
}

void session_initiator_stopped(struct session *session)
{
	(void)session;
}

void session_vcpu_failed(struct session *session, const struct why *why)
{
	(void)session;
	fail_msg("%s", why->text);
}

/* The job's end: the thread's too. Before it, a vCPU that waits for its first job. */
void session_vcpu_ready(struct session *session)
{
	(void)session;
	if (g_guest.rung == RINGS) {
		slot_member_quit(&vcpu()->member);
		return;
	}
	slot_queue(&g_slot, &vcpu()->member);
	slot_open(&g_slot);
}

/* --- cases -------------------------------------------------------------------------------- */

static void run_thread(uint32_t ring, bool wanted)
{
	const uint32_t rings[RINGS] = { ring, ring, ring, SD_REQ_READY };

	memset(&g_session, 0, sizeof(g_session));
	memset(g_threads, 0, sizeof(g_threads));
	memset(g_regions, 0, sizeof(g_regions));
	memset(&g_guest, 0, sizeof(g_guest));
	memcpy(g_guest.rings, rings, sizeof(g_guest.rings));
	g_guest.wanted = wanted;
	g_session.shape.vcpus = COUNT_OF(g_threads);
	g_session.threads = g_threads;
	g_session.tsc_hz = 1000000000;
	slot_anew();
	for (uint32_t i = 0; i < COUNT_OF(g_threads); i++) {
		g_threads[i].vcpu.id = i;
		g_threads[i].session = &g_session;
		g_threads[i].slot = &g_slot;
		slot_member_init(&g_threads[i].member, i);
	}
	sd_u64_store(&g_regions[0].argument, 1);        /* yields to vCPU 1, sleeps a tick */
	slot_open(&g_slot);
	(void)vcpu_thread_main(vcpu());
	slot_destroy(&g_slot);
	assert_int_equal(g_guest.rung, RINGS);
}

static void each_is_finished_before_its_park(const uint32_t *rings, size_t count, bool wanted)
{
	for (size_t i = 0; i < count; i++) {
		run_thread(rings[i], wanted);
		assert_int_equal(g_guest.parks, RINGS);
		assert_int_equal(g_guest.parks_in_mid_instruction, 0);
		assert_int_equal(g_guest.finished, RINGS);
	}
}

static void a_doorbell_that_ends_the_slice_is_finished_first(void **state)
{
	static const uint32_t rings[] = {
		SD_REQ_STEP + SD_STEP_POSTED, SD_REQ_STEP + SD_STEP_WALK, SD_REQ_SLEEP,
	};

	(void)state;
	each_is_finished_before_its_park(rings, COUNT_OF(rings), false);
	each_is_finished_before_its_park(rings, COUNT_OF(rings), true);
}

static void one_that_ends_it_for_somebody_else_is_too(void **state)
{
	static const uint32_t rings[] = { SD_REQ_SPUN, SD_REQ_YIELD_TO };

	(void)state;
	each_is_finished_before_its_park(rings, COUNT_OF(rings), true);
}

/* KVM_RUN comes next anyway, and completes it. */
static void one_that_is_answered_in_passing_needs_no_more(void **state)
{
	static const uint32_t rings[] = {
		SD_REQ_NOTHING, SD_REQ_STOPPED, SD_REQ_LOG, SD_REQ_CHECK_STAMPS,
		SD_REQ_FLUSH_OTHERS, SD_REQ_SPUN, SD_REQ_YIELD_TO, SD_REQ_WAKE | 1u << 16,
		SD_REQ_BREAK,
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rings); i++) {
		run_thread(rings[i], false);
		assert_int_equal(g_guest.parks, 1);
		assert_int_equal(g_guest.parks_in_mid_instruction, 0);
		assert_int_equal(g_guest.finished, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_doorbell_that_ends_the_slice_is_finished_first),
		cmocka_unit_test(one_that_ends_it_for_somebody_else_is_too),
		cmocka_unit_test(one_that_is_answered_in_passing_needs_no_more),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
