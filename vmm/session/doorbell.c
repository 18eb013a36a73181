// SPDX-License-Identifier: MIT
/*
 * doorbell.c - what a vCPU asks the VMM for (doorbell.h).
 *
 * Threads: vCPU threads. What the guest gives with its request is copied once, and checked.
 */
#include "doorbell.h"

#include "clock.h"
#include "guest_pointer.h"
#include "park.h"
#include "request_flush.h"
#include "session.h"
#include "stamps.h"

/* The mailbox is the guest's: copied once, and its words are not trusted. */
static void describe_failure(struct vcpu_thread *thread)
{
	struct sd_mailbox mail = thread->vcpu.region->mailbox;
	char name[64];

	if (mail.kind == SD_MAIL_EXCEPTION) {
		why_set(&thread->why, EXIT_GUEST, EIO,
			"vCPU %u: exception %u (error code 0x%llx) at rip 0x%llx, cr2 0x%llx",
			thread->vcpu.id, mail.line, (unsigned long long)mail.file,
			(unsigned long long)mail.a, (unsigned long long)mail.b);
		return;
	}
	guest_pointer_text(thread, mail.file, name, sizeof(name));
	why_set(&thread->why, EXIT_GUEST, EIO,
		"vCPU %u: the payload gave up at %s:%u (0x%llx, 0x%llx)", thread->vcpu.id, name,
		mail.line, (unsigned long long)mail.a, (unsigned long long)mail.b);
}

static enum slice_end end_job(struct vcpu_thread *thread)
{
	if (thread->first_doorbell_ns == 0)
		thread->first_doorbell_ns = clock_ns();
	return vcpu_complete(thread) == 0 ? SLICE_JOB_DONE : SLICE_FAILED;
}

/* As after a park that took over a request: the same path pays the debt. */
static enum slice_end flush_me(struct vcpu_thread *thread)
{
	int error = vcpu_complete(thread);

	thread->owes_flush = true;
	if (error == 0)
		error = vcpu_flush_on_entry(thread);
	return error == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

/* The named vCPU is next on its slot. Where that is this vCPU's too, the slice
 * is over. */
static enum slice_end yield_to(struct vcpu_thread *thread)
{
	uint64_t id = sd_u64_load(&thread->vcpu.region->argument);
	struct vcpu_thread *target;

	if (id >= thread->session->shape.vcpus || id == thread->vcpu.id) {
		why_set(&thread->why, EXIT_GUEST, EINVAL, "vCPU %u: yields to vCPU %llu",
			thread->vcpu.id, (unsigned long long)id);
		return SLICE_FAILED;
	}
	target = &thread->session->threads[id];
	thread->counts.yields++;
	slot_prefer(target->slot, &target->member);
	return target->slot == thread->slot && slot_has_waiting(thread->slot) ? SLICE_OVER
									      : SLICE_GOES_ON;
}

/* A day at most, so that no guest makes the sum overflow. */
#define SLEEP_MAX_NS (86400 * NS_PER_S)

static enum slice_end go_to_sleep(struct vcpu_thread *thread)
{
	uint64_t ticks = sd_u64_load(&thread->vcpu.region->argument);
	uint64_t ns = SLEEP_MAX_NS;

	/* While booting there is no clock to sleep by. */
	if (thread->session->tsc_hz == 0)
		return SLICE_OVER;
	if (ticks / thread->session->tsc_hz < SLEEP_MAX_NS / NS_PER_S)
		ns = ticks_ns(ticks, thread->session->tsc_hz);
	thread->sleep_until_ns = ticks == 0 ? UINT64_MAX : clock_ns() + ns;
	return SLICE_ASLEEP;
}

static enum slice_end wake(struct vcpu_thread *thread, uint32_t id)
{
	struct vcpu_thread *target;

	if (id >= thread->session->shape.vcpus) {
		why_set(&thread->why, EXIT_GUEST, EINVAL, "vCPU %u: wakes vCPU %u",
			thread->vcpu.id, id);
		return SLICE_FAILED;
	}
	target = &thread->session->threads[id];
	thread->counts.wakes++;
	slot_wake(target->slot, &target->member);
	return SLICE_GOES_ON;
}

/* As pause-loop exiting does, with the guest in the place of the processor. */
static enum slice_end spun(struct vcpu_thread *thread)
{
	if (!slot_is_wanted(thread->slot))
		return SLICE_GOES_ON;
	thread->counts.spun++;
	return SLICE_OVER;
}

static enum slice_end flush_others(struct vcpu_thread *thread)
{
	return request_flush_others(thread) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

static enum slice_end log_line(struct vcpu_thread *thread)
{
	struct guest_log_line line = { .vcpu = thread->vcpu.id };

	guest_pointer_text(thread, sd_u64_load(&thread->vcpu.region->argument), line.text,
			   sizeof(line.text));
	guest_log_add(&thread->session->log, &line);
	return SLICE_GOES_ON;
}

static enum slice_end check_stamps(struct vcpu_thread *thread)
{
	return stamps_check(thread) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

/* Off the slot here, also when nobody waits for it; on a stage, held. */
static enum slice_end step(struct vcpu_thread *thread, uint32_t step)
{
	struct stage *stage = thread->session->stage;

	thread->counts.steps++;
	if (stage == NULL)
		return SLICE_OVER;
	return stage_hold(stage, thread, step) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

static uint32_t steps_of(const struct session *session)
{
	return session->stage != NULL ? SD_LITMUS_STEPS : SD_STEPS;
}

enum slice_end doorbell_answer(struct vcpu_thread *thread, uint32_t request)
{
	if ((request & UINT16_MAX) == SD_REQ_WAKE)
		return wake(thread, request >> 16);
	if (request >= SD_REQ_STEP && request < SD_REQ_STEP + steps_of(thread->session))
		return step(thread, request - SD_REQ_STEP);
	switch (request) {
	case SD_REQ_READY:
		return end_job(thread);
	case SD_REQ_FAIL:
		describe_failure(thread);
		return SLICE_FAILED;
	case SD_REQ_FLUSH_ME:
		return flush_me(thread);
	case SD_REQ_FINISH:
		return vcpu_complete(thread) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
	case SD_REQ_NOTHING:
		return SLICE_GOES_ON;
	case SD_REQ_YIELD_TO:
		return yield_to(thread);
	case SD_REQ_FLUSH_OTHERS:
		return flush_others(thread);
	case SD_REQ_SLEEP:
		return go_to_sleep(thread);
	case SD_REQ_LOG:
		return log_line(thread);
	case SD_REQ_CHECK_STAMPS:
		return check_stamps(thread);
	case SD_REQ_SPUN:
		return spun(thread);
	case SD_REQ_BREAK:
		session_break(thread->session);
		return SLICE_GOES_ON;
	case SD_REQ_STOPPED:
		session_initiator_stopped(thread->session);
		return SLICE_GOES_ON;
	default:
		why_set(&thread->why, EXIT_GUEST, EIO, "vCPU %u: unknown doorbell 0x%x",
			thread->vcpu.id, request);
		return SLICE_FAILED;
	}
}
