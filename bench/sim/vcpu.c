// SPDX-License-Identifier: MIT
/*
 * vcpu.c - a vCPU in and out of the guest, and its flush handler.
 *
 * Follows: vmm/session/park.c and vcpu_loop.c; guest-payload/entry.S, isr_flush and
 *          isr_flush_wake.
 * Tested:  tests/unit/sim_protocols_keep_their_promises_test.c
 */
#include "asleep.h"
#include "inner.h"

static bool is_handler(enum sim_activity activity)
{
	return activity >= SIM_READS;
}

bool sim_vcpu_is_in_guest(const struct sim_vcpu *vcpu)
{
	return (vcpu->place == SIM_RUNNING && !vcpu->outside) || vcpu->place == SIM_LEAVING;
}

/* The activity in hand goes on to its end. */
static void go_on(struct sim *sim, struct sim_vcpu *vcpu)
{
	vcpu->stamp++;
	if (vcpu->activity == SIM_SPINS)
		return;
	vcpu->until_ns = sim->now_ns + vcpu->left_ns;
	sim_after(sim, EVENT_END, vcpu->id, vcpu->stamp, vcpu->left_ns);
}

static void take_interrupt(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sd_region *region = sim_region_of(sim, vcpu);

	vcpu->pending = false;
	vcpu->program = vcpu->activity;
	vcpu->program_left_ns = vcpu->left_ns;
	if (sim->ops->sleeps) {
		vcpu->bits = sd_asleep_take(region);
		sim->counts.spurious_ipis += vcpu->bits == 0;
	} else {
		vcpu->seen = sd_word_serve_begin(region);
		sim->counts.spurious_ipis += sd_word_served(region, vcpu->seen &
							    ~(uint32_t)SD_WORD_FLAGS);
	}
	vcpu->activity = SIM_READS;
	vcpu->left_ns = sim_draw(sim, sim->params.handler) / 2 + sim_flush_cost(sim);
}

/* In the guest, at an instruction boundary: the slice, an interrupt, or what is in hand. */
static void run(struct sim *sim, struct sim_vcpu *vcpu)
{
	if (vcpu->outside) {
		go_on(sim, vcpu);
		return;
	}
	if (vcpu->pending && !vcpu->masked && !is_handler(vcpu->activity))
		take_interrupt(sim, vcpu);
	go_on(sim, vcpu);
	if (sim_slot_of(sim, vcpu)->late)
		sim_vcpu_leave(sim, vcpu, sim_draw(sim, sim->params.kick));
}

void sim_vcpu_begin(struct sim *sim, struct sim_vcpu *vcpu, uint64_t ns)
{
	vcpu->activity = SIM_SEGMENT;
	vcpu->left_ns = ns;
	run(sim, vcpu);
}

void sim_vcpu_spin(struct sim *sim, struct sim_vcpu *vcpu)
{
	vcpu->activity = SIM_SPINS;
	vcpu->left_ns = 0;
	run(sim, vcpu);
}

void sim_vcpu_leave(struct sim *sim, struct sim_vcpu *vcpu, uint64_t kick_ns)
{
	if (vcpu->activity != SIM_SPINS)
		vcpu->left_ns = vcpu->until_ns - sim->now_ns;
	vcpu->place = SIM_LEAVING;
	sim_after(sim, EVENT_LEFT, vcpu->id, ++vcpu->stamp, kick_ns);
}

void sim_vcpu_park(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sd_region *region = sim_region_of(sim, vcpu);
	bool owed = sim->ops->park(region);

	vcpu->outside = false;
	vcpu->parked_from_ns = sim->now_ns;
	vcpu->owes_flush |= owed;
	sim->counts.transfers += owed;
	sim->counts.switches++;
	sd_byte_mark(region);
}

void sim_vcpu_unpark(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sd_region *region = sim_region_of(sim, vcpu);
	uint64_t cost_ns = sim_draw(sim, sim->params.enter);

	sim_slot_arm(sim, sim_slot_of(sim, vcpu));
	vcpu->owes_flush |= sd_word_unpark(region);
	vcpu->owes_flush |= sd_byte_take(region);
	vcpu->parked_ns += sim->now_ns - vcpu->parked_from_ns;
	vcpu->place = SIM_ENTERING;
	if (vcpu->owes_flush || vcpu->flush_asked)
		cost_ns += sim_draw(sim, sim->params.entry_flush);
	sim_after(sim, EVENT_ENTER, vcpu->id, ++vcpu->stamp, cost_ns);
}

void sim_vcpu_return(struct sim *sim, struct sim_vcpu *vcpu)
{
	if (vcpu->owes_flush || vcpu->flush_asked)
		vcpu->flushed_ns = sim->now_ns;
	vcpu->owes_flush = false;
	vcpu->flush_asked = false;
	vcpu->outside = false;
	vcpu->entered = sim->counts.events;
}

void sim_vcpu_enter(struct sim *sim, struct sim_vcpu *vcpu)
{
	sim_vcpu_return(sim, vcpu);
	vcpu->place = SIM_RUNNING;
	if (vcpu->initiator != NULL && vcpu->activity == SIM_SEGMENT)
		vcpu->left_ns = sim_initiator_left_ns(sim, vcpu->initiator, vcpu->left_ns);
	run(sim, vcpu);
	if (vcpu->initiator != NULL)
		sim_initiators_look(sim);
}

void sim_vcpu_left(struct sim *sim, struct sim_vcpu *vcpu)
{
	uint64_t cost_ns;

	/* Out of the guest, with or without its slot: place says so before others look. */
	vcpu->place = SIM_ENTERING;
	sim_initiators_covered(sim, vcpu);
	if (sim_slot_is_over(sim, sim_slot_of(sim, vcpu))) {
		sim_vcpu_park(sim, vcpu);
		sim_slot_pass(sim, vcpu);
		sim_initiators_look(sim);
		return;
	}
	cost_ns = sim_draw(sim, sim->params.enter);
	if (vcpu->flush_asked)
		cost_ns += sim_draw(sim, sim->params.entry_flush);
	sim_after(sim, EVENT_ENTER, vcpu->id, ++vcpu->stamp, cost_ns);
}

void sim_vcpu_ipi(struct sim *sim, struct sim_vcpu *vcpu)
{
	vcpu->pending = true;
	if (vcpu->place != SIM_RUNNING || vcpu->outside || vcpu->masked ||
	    is_handler(vcpu->activity))
		return;
	if (vcpu->activity != SIM_SPINS)
		vcpu->left_ns = vcpu->until_ns - sim->now_ns;
	run(sim, vcpu);
}

/* --- the handler -------------------------------------------------------------- */

static void handler_return(struct sim *sim, struct sim_vcpu *vcpu)
{
	vcpu->activity = vcpu->program;
	vcpu->left_ns = vcpu->program_left_ns;
	if (vcpu->initiator != NULL && vcpu->activity == SIM_SEGMENT)
		vcpu->left_ns = sim_initiator_left_ns(sim, vcpu->initiator, vcpu->left_ns);
	run(sim, vcpu);
	sim_initiators_look(sim);
}

/* Counts initiators down; the doorbell for one that sleeps is an activity of its own. */
static void count_down(struct sim *sim, struct sim_vcpu *vcpu)
{
	while (vcpu->bits != 0) {
		uint32_t initiator = (uint32_t)__builtin_ctzll(vcpu->bits);

		if (!sd_asleep_done(&sim->regions[initiator])) {
			vcpu->bits &= vcpu->bits - 1;
			continue;
		}
		/* Its bit stays until it is woken. */
		vcpu->activity = SIM_WAKES;
		vcpu->outside = true;
		vcpu->left_ns = sim_draw(sim, sim->params.exit) / 2;
		go_on(sim, vcpu);
		return;
	}
	handler_return(sim, vcpu);
}

static void serve(struct sim *sim, struct sim_vcpu *vcpu)
{
	if (sim->ops->sleeps) {
		count_down(sim, vcpu);
		return;
	}
	sd_word_serve_end(sim_region_of(sim, vcpu), vcpu->seen);
	handler_return(sim, vcpu);
}

/* At the VMM: the vCPU wakes another one and goes back to count on. */
static void wake(struct sim *sim, struct sim_vcpu *vcpu)
{
	uint32_t initiator = (uint32_t)__builtin_ctzll(vcpu->bits);

	vcpu->bits &= vcpu->bits - 1;
	sim_slot_wake(sim, sim->initiators[initiator].vcpu);
	vcpu->activity = SIM_SERVES;
	if (sim_slot_is_over(sim, sim_slot_of(sim, vcpu))) {
		vcpu->left_ns = 0;
		sim_vcpu_park(sim, vcpu);
		sim_slot_pass(sim, vcpu);
		sim_initiators_look(sim);
		return;
	}
	sim_vcpu_return(sim, vcpu);
	vcpu->left_ns = sim_draw(sim, sim->params.exit) / 2;
	go_on(sim, vcpu);
}

void sim_vcpu_end(struct sim *sim, struct sim_vcpu *vcpu)
{
	vcpu->left_ns = 0;
	switch (vcpu->activity) {
	case SIM_READS:
		vcpu->flushed_ns = sim->now_ns;
		vcpu->activity = SIM_SERVES;
		vcpu->left_ns = sim_draw(sim, sim->params.handler) / 2;
		go_on(sim, vcpu);
		break;
	case SIM_SERVES:
		serve(sim, vcpu);
		break;
	case SIM_WAKES:
		wake(sim, vcpu);
		break;
	case SIM_SEGMENT:
		sim_initiator_step(sim, vcpu->initiator);
		break;
	case SIM_SPINS:
		break;
	}
}
