/* SPDX-License-Identifier: MIT */
/*
 * vcpu_thread_fixture.h - all that vcpu_loop.c and doorbell.c call but the slot: no KVM here.
 * vcpu_loop() runs on the test's thread, with a guest that rings what the case says.
 */
#ifndef VCPU_THREAD_FIXTURE_H
#define VCPU_THREAD_FIXTURE_H

#include <string.h>
#include <x86intrin.h>

#include "../fake_kvm.h"
#include "guest_pointer.h"
#include "lapic.h"
#include "park.h"
#include "request_flush.h"
#include "session.h"
#include "stamps.h"
#include "unit_test.h"
#include "vcpu_loop.h"

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
	uint64_t park_ticks;            /* that a park has taken when vcpu_park() returns */
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

static struct fake_registers *fake_registers(struct kvm_vcpu_fd fd)
{
	static struct fake_registers registers;

	(void)fd;
	return &registers;
}

static int fake_ioctl(struct kvm_vcpu_fd fd, enum fake_ioctl ioctl, struct why *why)
{
	(void)fd, (void)ioctl, (void)why;
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
int vcpu_park(struct vcpu_thread *thread)
{
	thread->parked_ticks = __rdtsc() - g_guest.park_ticks;
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

/* ---------------------------------------------------------------------------------------- */

static void run_thread(uint32_t ring, bool wanted, uint64_t park_ticks)
{
	const uint32_t rings[RINGS] = { ring, ring, ring, SD_REQ_READY };

	memset(&g_session, 0, sizeof(g_session));
	memset(g_threads, 0, sizeof(g_threads));
	memset(g_regions, 0, sizeof(g_regions));
	memset(&g_guest, 0, sizeof(g_guest));
	memcpy(g_guest.rings, rings, sizeof(g_guest.rings));
	g_guest.wanted = wanted;
	g_guest.park_ticks = park_ticks;
	g_session.shape.vcpus = COUNT_OF(g_threads);
	g_session.threads = g_threads;
	g_session.tsc_hz = 1000000000;
	slot_anew();
	for (uint32_t i = 0; i < COUNT_OF(g_threads); i++) {
		g_threads[i].vcpu.id = i;
		g_threads[i].session = &g_session;
		g_threads[i].policy = &g_session.park;
		g_threads[i].slot = &g_slot;
		slot_member_init(&g_threads[i].member, i);
	}
	sd_u64_store(&g_regions[0].argument, 1);        /* yields to vCPU 1, sleeps a tick */
	slot_open(&g_slot);
	(void)vcpu_loop(vcpu());
	slot_destroy(&g_slot);
	assert_int_equal(g_guest.rung, RINGS);
}

#endif
