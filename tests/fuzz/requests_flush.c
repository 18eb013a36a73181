// SPDX-License-Identifier: MIT
/*
 * requests_flush.c - the honest part of a guest of requests_fuzz.c: an initiator's flush
 * and the handler, step by step, as guest-payload/ does them.
 *
 * Owns:    the phases of each guest's flush and of its handler.
 * Threads: one.
 */
#include "requests.h"

#include <string.h>

#include "asleep.h"
#include "grace.h"
#include "range.h"

static uint8_t vector_of_protocol(void)
{
	return is_wake_protocol() ? SD_VECTOR_FLUSH_WAKE : SD_VECTOR_FLUSH;
}

/* --- an initiator ---------------------------------------------------------------- */

void begin_flush(uint32_t vcpu)
{
	struct guest *guest = &g_guests[vcpu];
	uint32_t range = g_choice >> 3;

	guest->first = range % PAGES;
	guest->pages = 1 + (range >> 2 & 3) % (PAGES - guest->first);
	guest->full = (range & 16) || !g_session.shape.by_page;
	for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
		guest->version[page] = tlb_store_pte(page);
	guest->phase = PHASE_POSTING;
	guest->next = 0;
	memset(guest->waits_for, 0, sizeof(guest->waits_for));
	if (is_wake_protocol())
		sd_asleep_begin(region_of(vcpu), FAKE_VCPUS - 1);
}

static uint64_t range_va(const struct guest *guest)
{
	return SD_WINDOW_VA + (uint64_t)guest->first * SD_PAGE_BYTES;
}

/* As guest-payload/protocols/ does. True: wait for it. */
static bool post(uint32_t vcpu, uint32_t target, uint32_t *want)
{
	struct sd_region *region = region_of(target);

	switch (g_protocol) {
	case SD_PROTOCOL_sleep:
		sd_asleep_ask(region, vcpu);
		return true;
	case SD_PROTOCOL_generation:
		return sd_word_post(region, want) == SD_POST_WAIT;
	case SD_PROTOCOL_deferred:
	case SD_PROTOCOL_takeover:
		if (sd_byte_defer(region))
			return false;
		/* fall through */
	default:
		*want = sd_word_request(region);
		return true;
	}
}

static void post_next(uint32_t vcpu, struct guest *guest)
{
	uint32_t target = guest->next++;

	if (target == vcpu)
		return;
	guest->waits_for[target] = post(vcpu, target, &guest->want[target]);
	guest->tells = guest->waits_for[target] && !guest->full;
}

/* A step of its own: another's IPI may have the handler read in between. */
static void tell_range(struct guest *guest)
{
	uint32_t target = guest->next - 1;

	sd_range_tell(region_of(target),
		      sd_range_of(guest->want[target], range_va(guest), guest->pages));
	guest->tells = false;
}

static enum guest_step ask_vmm(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	struct sd_flush_request request = { 0 };

	request.targets[0] = ((1u << FAKE_VCPUS) - 1) & ~(1u << vcpu);
	request.start = guest->full ? 0 : range_va(guest);
	request.pages = guest->full ? 0 : guest->pages;
	memcpy(g_session.machine.memory.hva + FLUSH_REQUEST_GPA(vcpu), &request, sizeof(request));
	guest->phase = PHASE_RUNG;
	return ring_with(vcpu, run, SD_REQ_FLUSH_OTHERS, FLUSH_REQUEST_GPA(vcpu));
}

/* One of the gate's steps: an IPI, and then the flush of this vCPU. */
static void send_next(uint32_t vcpu, struct guest *guest)
{
	if (guest->next < FAKE_VCPUS) {
		if (guest->waits_for[guest->next])
			fake_interrupt(guest->next, vector_of_protocol());
		guest->next++;
		return;
	}
	for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
		flush_page(vcpu, page);
	guest->phase = PHASE_WAITING;
	guest->next = 0;
}

static enum guest_step wait_asleep(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	struct sd_region *own = region_of(vcpu);

	if (guest->phase == PHASE_ASLEEP) {
		sd_asleep_awake(own);
		sd_walk_pass(own);
		guest->phase = PHASE_WAITING;
	}
	if (sd_asleep_over(own)) {
		flush_returned(guest);
		return GUEST_RUNS;
	}
	guest->phase = PHASE_ASLEEP;
	return sd_asleep_may(own) ? ring_with(vcpu, run, SD_REQ_SLEEP, 0) : GUEST_RUNS;
}

static enum guest_step wait_next(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	uint32_t target = guest->next;

	if (is_wake_protocol())
		return wait_asleep(vcpu, guest, run);
	if (target == FAKE_VCPUS) {
		flush_returned(guest);
		return GUEST_RUNS;
	}
	if (!guest->waits_for[target] || sd_word_served(region_of(target), guest->want[target]) ||
	    (g_protocol == SD_PROTOCOL_takeover && sd_byte_defer(region_of(target)))) {
		guest->next++;
		return GUEST_RUNS;
	}
	if (g_protocol == SD_PROTOCOL_yield && sd_word_preempted(region_of(target)))
		return ring_with(vcpu, run, SD_REQ_YIELD_TO, target);
	return GUEST_RUNS;
}

enum guest_step step_flush(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	switch (guest->phase) {
	case PHASE_IDLE:
		break;
	case PHASE_POSTING:
		if (g_protocol == SD_PROTOCOL_hypercall)
			return ask_vmm(vcpu, guest, run);
		if (guest->tells) {
			tell_range(guest);
			break;
		}
		if (guest->next < FAKE_VCPUS) {
			post_next(vcpu, guest);
			break;
		}
		guest->phase = PHASE_SENDING;
		guest->next = 0;
		break;
	case PHASE_SENDING:
		send_next(vcpu, guest);
		break;
	case PHASE_WAITING:
	case PHASE_ASLEEP:
		return wait_next(vcpu, guest, run);
	case PHASE_RUNG:                /* the doorbell has been answered */
		for (uint32_t page = guest->first; page < guest->first + guest->pages; page++)
			flush_page(vcpu, page);
		flush_returned(guest);
		break;
	}
	return GUEST_RUNS;
}

bool is_all_quiet(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (g_guests[i].phase != PHASE_IDLE)
			return false;
	return true;
}

/* --- the handler ----------------------------------------------------------------- */

bool begin_handler(uint32_t vcpu, struct guest *guest)
{
	struct sd_region *own = region_of(vcpu);

	if (!fake_take_interrupt(vcpu, vector_of_protocol()))
		return false;
	guest->handler = HANDLER_BEGUN;
	guest->range = 0;
	if (is_wake_protocol()) {
		guest->asked = sd_asleep_take(own);
		return true;
	}
	guest->seen = sd_word_serve_begin(own);
	if (g_session.shape.by_page &&
	    sd_range_holds(guest->seen, sd_u32_load(&own->served), sd_u64_load(&own->range)))
		guest->range = sd_u64_load(&own->range);
	return true;
}

static void flush_range(uint32_t vcpu, uint64_t range)
{
	uint64_t first = (uint32_t)range >> SD_RANGE_PAGE_SHIFT;

	for (uint64_t i = 0; i < (range & SD_RANGE_PAGES_MASK); i++) {
		uint64_t page = first + i - SD_WINDOW_VA / SD_PAGE_BYTES;

		if (page < PAGES)
			flush_page(vcpu, (uint32_t)page);
	}
}

static enum guest_step end_handler(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	while (guest->asked != 0) {
		uint32_t initiator = (uint32_t)__builtin_ctzll(guest->asked);

		guest->asked &= guest->asked - 1;
		/* A lie: the assembly handler would count in other memory of the guest's. */
		if (initiator < FAKE_VCPUS && sd_asleep_done(region_of(initiator)))
			return ring(vcpu, run, SD_REQ_WAKE | initiator << 16);
	}
	if (!is_wake_protocol())
		sd_word_serve_end(region_of(vcpu), guest->seen);
	guest->handler = HANDLER_NONE;
	fake_end_interrupt(vcpu, vector_of_protocol());
	return GUEST_RUNS;
}

enum guest_step step_handler(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	if (guest->handler == HANDLER_FLUSHED)
		return end_handler(vcpu, guest, run);
	if (guest->range & SD_RANGE_PAGES_MASK)
		flush_range(vcpu, guest->range);
	else
		guest_flushed(vcpu);
	guest->handler = HANDLER_FLUSHED;
	return GUEST_RUNS;
}
