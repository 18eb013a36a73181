// SPDX-License-Identifier: MIT
/*
 * initiator.c - the program of a vCPU that flushes: pause, PTE stores, one shootdown.
 *
 * Each phase is a segment, and what happens at its end. A doorbell is two segments
 * outside the guest, with its answer between them.
 *
 * Follows: guest-payload/flush.c, workloads/initiator.c and toggle.c;
 *          vmm/session/doorbell.c and request_flush.c.
 * Tested:  tests/unit/sim_protocols_keep_their_promises_test.c
 */
#include "asleep.h"
#include "inner.h"

uint64_t sim_initiator_left_ns(const struct sim *sim, const struct sim_initiator *in,
			       uint64_t left_ns)
{
	if (in->phase != PHASE_PAUSE)
		return left_ns;
	return in->pause_until_ns > sim->now_ns ? in->pause_until_ns - sim->now_ns : 0;
}

static void begin(struct sim *sim, struct sim_initiator *in, enum sim_phase phase, uint64_t ns)
{
	in->phase = phase;
	sim_vcpu_begin(sim, in->vcpu, ns);
}

static void ring(struct sim *sim, struct sim_initiator *in, enum sim_phase phase)
{
	in->vcpu->outside = true;
	begin(sim, in, phase, sim_draw(sim, sim->params.exit) / 2);
}

/* Parked where it stands; the way back into the guest is part of its next turn. */
static void park(struct sim *sim, struct sim_initiator *in)
{
	in->vcpu->activity = SIM_SEGMENT;
	in->vcpu->left_ns = 0;
	sim_vcpu_park(sim, in->vcpu);
}

/* From a doorbell, unless the slice has ended meanwhile. */
static void go_back(struct sim *sim, struct sim_initiator *in, enum sim_phase behind)
{
	in->behind = behind;
	in->phase = PHASE_BACK;
	if (sim_slot_is_over(sim, sim_slot_of(sim, in->vcpu))) {
		park(sim, in);
		sim_slot_pass(sim, in->vcpu);
		sim_initiators_look(sim);
		return;
	}
	in->vcpu->outside = true;
	sim_vcpu_begin(sim, in->vcpu, sim_draw(sim, sim->params.exit) / 2);
}

/* --- the flush returns -------------------------------------------------------- */

static bool is_covered(struct sim *sim, const struct sim_vcpu *vcpu, uint64_t since_ns)
{
	const struct sd_region *region = sim_region_of(sim, vcpu);

	if (vcpu->flushed_ns >= since_ns)
		return true;
	return !sim_vcpu_is_in_guest(vcpu) &&
		(vcpu->owes_flush || vcpu->flush_asked ||
		 (sd_u32_load(&region->request) & SD_WORD_SHOULD_FLUSH) ||
		 (sd_u8_load(&region->preempted) & SD_BYTE_FLUSH_TLB));
}

static void check_targets(struct sim *sim, const struct sim_initiator *in)
{
	for (uint32_t i = 0; i < sim->params.vcpus; i++) {
		if (i == in->vcpu->id)
			continue;
		sim->counts.checks++;
		sim->counts.uncovered += !is_covered(sim, &sim->vcpus[i], in->flush.start_ns);
	}
}

static void pause(struct sim *sim, struct sim_initiator *in)
{
	in->pause_until_ns = sim->now_ns + sim->params.pace_ns;
	begin(sim, in, PHASE_PAUSE, sim->params.pace_ns);
}

static void flush_returns(struct sim *sim, struct sim_initiator *in)
{
	struct sim_flush *flush = &in->flush;

	flush->wall_ns = sim->now_ns - flush->start_ns;
	flush->stall_ns = flush->wall_ns - (in->vcpu->parked_ns - in->parked_ns);
	flush->ipis = in->count;
	if (sim->params.checks)
		check_targets(sim, in);
	if (flush->start_ns >= sim->params.warmup_ns) {
		if (sim->record != NULL)
			sim->record(sim->context, flush);
		flush->seq++;
	}
	pause(sim, in);
}

/* --- waiting ------------------------------------------------------------------ */

static bool wait_asleep(struct sim *sim, struct sim_initiator *in)
{
	struct sd_region *own = sim_region_of(sim, in->vcpu);

	if (sd_asleep_over(own))
		return true;
	if (sd_asleep_may(own))
		ring(sim, in, PHASE_SLEEP);
	return false;
}

/* Is the target waited for done? */
static bool is_served(struct sim *sim, struct sim_initiator *in, struct sim_vcpu *target)
{
	struct sd_region *region = sim_region_of(sim, target);

	if (sd_word_served(region, in->want_of[in->at]))
		return true;
	if (sim->ops->cover == NULL || !sim->ops->cover(region))
		return false;
	in->flush.taken_over++;
	sim->counts.takeovers++;
	return true;
}

static void wait_spinning(struct sim *sim, struct sim_initiator *in)
{
	for (; in->at < in->count; in->at++, in->helped = false) {
		struct sim_vcpu *target = &sim->vcpus[in->vcpu_of[in->at]];

		if (is_served(sim, in, target))
			continue;
		if (!sd_word_preempted(sim_region_of(sim, target)))
			return;
		sim->counts.waits_on_parked++;
		if (sim->ops->yields && !in->helped) {
			in->helped = true;
			ring(sim, in, PHASE_HELP);
		}
		return;
	}
	flush_returns(sim, in);
}

/* While it runs, in its program and not in its handler. */
static void look(struct sim *sim, struct sim_initiator *in)
{
	const struct sim_vcpu *vcpu = in->vcpu;

	if (in->phase != PHASE_WAIT || vcpu->place != SIM_RUNNING ||
	    vcpu->activity != SIM_SPINS)
		return;
	if (!sim->ops->sleeps)
		wait_spinning(sim, in);
	else if (wait_asleep(sim, in))
		flush_returns(sim, in);
}

void sim_initiators_look(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->params.initiators; i++)
		look(sim, &sim->initiators[i]);
}

static void wait(struct sim *sim, struct sim_initiator *in)
{
	in->phase = PHASE_WAIT;
	sim_vcpu_spin(sim, in->vcpu);
	look(sim, in);
}

/* --- doorbells: the VMM's part ------------------------------------------------ */

static void help(struct sim *sim, struct sim_initiator *in)
{
	struct sim_vcpu *target = &sim->vcpus[in->vcpu_of[in->at]];
	struct sim_slot *own = sim_slot_of(sim, in->vcpu);

	sim->counts.yields++;
	sim_slot_prefer(sim, target);
	if (sim_slot_of(sim, target) == own && own->waiting > 0) {
		in->phase = PHASE_BACK;
		in->behind = PHASE_WAIT;
		park(sim, in);
		sim_slot_pass(sim, in->vcpu);
		sim_initiators_look(sim);
		return;
	}
	go_back(sim, in, PHASE_WAIT);
}

static void sleep(struct sim *sim, struct sim_initiator *in)
{
	sim->counts.sleeps++;
	in->phase = PHASE_BACK;
	in->behind = PHASE_WAIT;
	park(sim, in);
	sim_slot_sleep(sim, in->vcpu);
	sim_initiators_look(sim);
}

/* All targets have been marked, and those in the guest are kicked, one after the other. */
static void ask(struct sim *sim, struct sim_initiator *in)
{
	uint64_t signals_ns = 0;

	in->uncovered = 0;
	in->asked = sim->counts.events;
	for (uint32_t i = 0; i < sim->params.vcpus; i++) {
		struct sim_vcpu *target = &sim->vcpus[i];

		if (target == in->vcpu)
			continue;
		target->flush_asked = true;
		if (!sim_vcpu_is_in_guest(target))
			continue;
		in->uncovered++;
		if (target->place == SIM_LEAVING)
			continue;
		sim->counts.kicks++;
		signals_ns += sim_draw(sim, sim->params.signal);
		sim_vcpu_leave(sim, target, signals_ns + sim_draw(sim, sim->params.kick));
	}
	in->phase = PHASE_COVER;
	in->vcpu->activity = SIM_SPINS;
	in->vcpu->outside = true;
	if (in->uncovered == 0)
		go_back(sim, in, PHASE_GATE);
}

void sim_initiators_covered(struct sim *sim, const struct sim_vcpu *vcpu)
{
	for (uint32_t i = 0; i < sim->params.initiators; i++) {
		struct sim_initiator *in = &sim->initiators[i];

		/* One that came into the guest later was not counted. */
		if (in->phase == PHASE_COVER && in->asked >= vcpu->entered &&
		    --in->uncovered == 0) {
			in->held_ns = sim_draw(sim, sim->params.kicked_flush);
			go_back(sim, in, PHASE_GATE);
		}
	}
}

/* --- the way there ------------------------------------------------------------ */

static void enter_gate(struct sim *sim, struct sim_initiator *in)
{
	in->vcpu->masked = true;
	begin(sim, in, PHASE_GATE, in->held_ns + sim_draw(sim, sim->params.gate) / 2);
}

static void ask_next(struct sim *sim, struct sim_initiator *in)
{
	in->target += in->target == in->vcpu->id;
	if (in->target < sim->params.vcpus)
		begin(sim, in, PHASE_POST, sim_draw(sim, sim->params.post));
	else
		enter_gate(sim, in);
}

/* The way to the VMM, which then marks all targets. */
static uint64_t ask_cost(struct sim *sim, const struct sim_initiator *in)
{
	uint64_t ns = sim_draw(sim, sim->params.exit) / 2;

	for (uint32_t i = 0; i < in->flush.targets; i++)
		ns += sim_draw(sim, sim->params.post);
	return ns;
}

static void flush_begins(struct sim *sim, struct sim_initiator *in)
{
	in->flush = (struct sim_flush){
		.start_ns = sim->now_ns,
		.pte_ns = sim->now_ns - in->pte_from_ns,
		.seq = in->flush.seq,
		.initiator = in->vcpu->id,
		.targets = sim->params.vcpus - 1,
		.pages = sim->params.pages,
	};
	in->parked_ns = in->vcpu->parked_ns;
	in->target = in->count = in->sent = in->at = 0;
	in->held_ns = 0;
	in->helped = false;
	if (sim->ops->by_hypercall) {
		in->vcpu->outside = true;
		begin(sim, in, PHASE_ASK, ask_cost(sim, in));
		return;
	}
	if (sim->ops->sleeps)
		sd_asleep_begin(sim_region_of(sim, in->vcpu), in->flush.targets);
	ask_next(sim, in);
}

static void post(struct sim *sim, struct sim_initiator *in)
{
	uint32_t *want = &in->want_of[in->count];

	switch (sim->ops->post(in->vcpu->id, &sim->regions[in->target], want)) {
	case POST_WAIT:
		in->vcpu_of[in->count++] = in->target;
		break;
	case POST_COVERED:
		in->flush.deferred++;
		break;
	case POST_SKIPPED:
		break;
	}
	in->target++;
	ask_next(sim, in);
}

static void send_next(struct sim *sim, struct sim_initiator *in)
{
	if (in->sent < in->count)
		begin(sim, in, PHASE_SEND, sim_draw(sim, sim->params.send));
	else
		begin(sim, in, PHASE_LOCAL,
		      sim_draw(sim, sim->params.gate) / 2 + sim_flush_cost(sim));
}

static void send(struct sim *sim, struct sim_initiator *in)
{
	sim->counts.ipis++;
	sim_after(sim, EVENT_IPI, in->vcpu_of[in->sent++], 0, sim_draw(sim, sim->params.deliver));
	send_next(sim, in);
}

static void move_pages(struct sim *sim, struct sim_initiator *in)
{
	in->pte_from_ns = sim->now_ns;
	begin(sim, in, PHASE_PTE, sim_draw(sim, sim->params.pte));
}

static void come_back(struct sim *sim, struct sim_initiator *in)
{
	if (in->vcpu->outside)
		sim_vcpu_return(sim, in->vcpu);
	if (sim->ops->sleeps)
		sd_asleep_awake(sim_region_of(sim, in->vcpu));
	if (in->behind == PHASE_GATE)
		enter_gate(sim, in);
	else
		wait(sim, in);
}

void sim_initiator_step(struct sim *sim, struct sim_initiator *in)
{
	switch (in->phase) {
	case PHASE_PAUSE:
		begin(sim, in, PHASE_WORK, sim_draw_below(sim, sim->params.work_ns));
		break;
	case PHASE_WORK:
		move_pages(sim, in);
		break;
	case PHASE_PTE:
		flush_begins(sim, in);
		break;
	case PHASE_POST:
		post(sim, in);
		break;
	case PHASE_GATE:
		send_next(sim, in);
		break;
	case PHASE_SEND:
		send(sim, in);
		break;
	case PHASE_LOCAL:
		in->vcpu->flushed_ns = sim->now_ns;
		in->vcpu->masked = false;
		wait(sim, in);
		break;
	case PHASE_HELP:
		help(sim, in);
		break;
	case PHASE_SLEEP:
		sleep(sim, in);
		break;
	case PHASE_ASK:
		ask(sim, in);
		break;
	case PHASE_BACK:
		come_back(sim, in);
		break;
	case PHASE_WAIT:
	case PHASE_COVER:
		break;
	}
}
