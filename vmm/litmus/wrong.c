// SPDX-License-Identifier: MIT
/*
 * wrong.c - a VMM that loses flushes (wrong.h).
 *
 * Threads: the vCPU's own, outside KVM_RUN.
 */
#include "wrong.h"

#include "acts.h"
#include "park.h"
#include "pending_2017.h"
#include "session.h"

/* What wrong_unpark_copy() has read; one target, one round at a time. */
static struct {
	uint32_t word;
	uint8_t byte;
} copy;

int wrong_park_transfer(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;
	int error = act_finish(thread);

	if (sd_2017_pending(region)) {
		thread->owes_flush = true;
		sd_2017_handler_done(region);
	}
	return error;
}

int wrong_park_mark(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;

	sd_u32_or(&region->state_2017, SD_2017_PREEMPTED);
	sd_word_mark(region);
	sd_byte_mark(region);
	return 0;
}

/* Not vcpu_park(), which may enter KVM_RUN and finish the instruction after all. */
int wrong_park_in_mid_instruction(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;

	thread->owes_flush |= thread->policy->protocol->park(region);
	sd_byte_mark(region);
	return 0;
}

int wrong_unpark_for_cancelled_run(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;

	(void)sd_word_unpark(region);
	(void)sd_byte_take(region);
	thread->owes_flush = false;
	return act_cancelled_run(thread);
}

int wrong_mark_by_store(struct vcpu_thread *thread)
{
	(void)sd_u8_exchange(&thread->vcpu.region->preempted, SD_BYTE_PREEMPTED);
	return 0;
}

int wrong_unpark_copy(struct vcpu_thread *thread)
{
	copy.word = sd_u32_load(&thread->vcpu.region->request);
	copy.byte = sd_u8_load(&thread->vcpu.region->preempted);
	return 0;
}

int wrong_unpark_write_back(struct vcpu_thread *thread)
{
	struct sd_region *region = thread->vcpu.region;

	thread->owes_flush |= copy.word & SD_WORD_SHOULD_FLUSH || copy.byte & SD_BYTE_FLUSH_TLB;
	sd_u32_store(&region->request, copy.word & ~(uint32_t)SD_WORD_FLAGS);
	(void)sd_u8_exchange(&region->preempted, 0);
	return vcpu_flush_on_entry(thread);
}

int wrong_unpark_keeps_preempted(struct vcpu_thread *thread)
{
	int error = vcpu_unpark(thread);

	sd_word_mark(thread->vcpu.region);
	return error;
}

int wrong_flush_others_unawaited(struct vcpu_thread *thread)
{
	atomic_store(&thread->session->threads[SD_CAST_T].flush_asked, true);
	return 0;
}
