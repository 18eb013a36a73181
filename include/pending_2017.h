/* SPDX-License-Identifier: MIT */
/*
 * pending_2017.h - the IPI_PENDING handshake as proposed on 2017-11-13 in "Re:
 * [PATCH v4 2/4] KVM: X86: Add paravirt remote TLB flush".
 *
 * Included by guest and VMM. Letter by letter, but for two things: a target is
 * left out of the IPIs when SHOULD_FLUSH was set (the text has it inverted), and
 * the VMM marks first and then transfers (the text does it the other way round). It
 * still loses flushes:
 * - two initiators: A sets PENDING, the target flushes, B changes its PTE and
 *   sets PENDING, which is set already, the handler clears it, B returns; B's
 *   IPI finds nothing pending and does not flush;
 * - one initiator: the handler has read PENDING and flushed when the vCPU is
 *   parked; the transfer lets A return; A changes a PTE and sets PENDING again;
 *   the old handler clears that, A returns.
 * A bit cannot say which request was served; word.h has a generation instead.
 */
#ifndef SD_PENDING_2017_H
#define SD_PENDING_2017_H

#include "region.h"

#define SD_2017_PREEMPTED    1
#define SD_2017_SHOULD_FLUSH 2
#define SD_2017_IPI_PENDING  4

#ifndef __ASSEMBLER__

/* sd_2017_post - true when the target is preempted and now marked; else it has
 * IPI_PENDING set and gets the IPI. Any number of initiators.
 * PAIR(2017-state): one word, all its changes are locked operations. */
static inline bool sd_2017_post(struct sd_region *region)
{
	uint32_t old = sd_u32_load(&region->state_2017);

	while (!sd_u32_cas(&region->state_2017, &old,
			   old | (old & SD_2017_PREEMPTED ? SD_2017_SHOULD_FLUSH
							  : SD_2017_IPI_PENDING)))
		;
	return old & SD_2017_PREEMPTED;
}

/* sd_2017_pending - does the initiator still have to wait? PAIR(2017-pending):
 * acquire here, the locked clear in the handler or in park. */
static inline bool sd_2017_pending(const struct sd_region *region)
{
	return sd_u32_load_acquire(&region->state_2017) & SD_2017_IPI_PENDING;
}

/* sd_2017_handler_done - what the handler does after its flush (entry.S): clear
 * IPI_PENDING unless VMEXIT has. PAIR(2017-pending) */
static inline void sd_2017_handler_done(struct sd_region *region)
{
	sd_u32_and(&region->state_2017, ~(uint32_t)SD_2017_IPI_PENDING);
}

/* sd_2017_park - "at VMEXIT time, transfer it to SHOULD_FLUSH": true when the
 * vCPU owes a flush. From the first step on no initiator sets IPI_PENDING; the
 * second one lets those that wait go on, the debt being the VMM's. */
static inline bool sd_2017_park(struct sd_region *region)
{
	sd_u32_or(&region->state_2017, SD_2017_PREEMPTED);
	if (!sd_2017_pending(region))
		return false;
	sd_2017_handler_done(region);
	return true;
}

/* sd_2017_unpark - true when an initiator has marked the vCPU meanwhile. */
static inline bool sd_2017_unpark(struct sd_region *region)
{
	return sd_u32_exchange(&region->state_2017, 0) & SD_2017_SHOULD_FLUSH;
}
#endif

#endif
