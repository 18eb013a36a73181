// SPDX-License-Identifier: MIT
/*
 * slot.c - who has a slot and who is next.
 *
 * Follows: vmm/session/slot.c and preempt/slice.c: first in, first out; slices end on
 *          a grid; who is woken or interrupted goes first; sleepers of a free slot are
 *          looked at every 50 us.
 * Tested:  tests/unit/sim_slots_are_never_wasted_test.c
 */
#include "inner.h"

#define IDLE_LOOK_NS 50000

static void put_first(struct sim_queue *queue, struct sim_vcpu *vcpu)
{
	vcpu->next = queue->first;
	queue->first = vcpu;
	if (queue->last == NULL)
		queue->last = vcpu;
}

static void put_last(struct sim_queue *queue, struct sim_vcpu *vcpu)
{
	vcpu->next = NULL;
	if (queue->last != NULL)
		queue->last->next = vcpu;
	else
		queue->first = vcpu;
	queue->last = vcpu;
}

/* Returns false when it is not in there. */
static bool take_out(struct sim_queue *queue, const struct sim_vcpu *vcpu)
{
	struct sim_vcpu **link = &queue->first, *before = NULL;

	while (*link != NULL && *link != vcpu) {
		before = *link;
		link = &before->next;
	}
	if (*link == NULL)
		return false;
	*link = vcpu->next;
	if (queue->last == vcpu)
		queue->last = before;
	return true;
}

void sim_slot_queue_last(struct sim_slot *slot, struct sim_vcpu *vcpu)
{
	put_last(&slot->queue, vcpu);
	slot->waiting++;
}

static void rouse(struct sim_slot *slot, struct sim_vcpu *vcpu)
{
	take_out(&slot->sleepers, vcpu);
	put_first(&slot->queue, vcpu);
	vcpu->place = SIM_QUEUED;
}

static void rouse_due(struct sim_slot *slot)
{
	struct sim_vcpu *vcpu = slot->sleepers.first, *next;

	for (; vcpu != NULL; vcpu = next) {
		next = vcpu->next;
		if (vcpu->wake_at_once || vcpu->pending)
			rouse(slot, vcpu);
	}
}

void sim_slot_dispatch(struct sim *sim, struct sim_slot *slot)
{
	struct sim_vcpu *next;

	rouse_due(slot);
	next = slot->queue.first;
	slot->holder = next;
	slot->timed = false;
	slot->late = false;
	slot->stamp++;
	if (next == NULL) {
		if (slot->sleepers.first != NULL)
			sim_after(sim, EVENT_LOOK, (uint32_t)(slot - sim->slots), slot->stamp,
				  IDLE_LOOK_NS);
		return;
	}
	take_out(&slot->queue, next);
	slot->waiting--;
	next->place = SIM_GRANTED;
	sim_after(sim, EVENT_UNPARK, next->id, ++next->stamp, sim_draw(sim, sim->params.switch_));
}

void sim_slot_pass(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sim_slot *slot = sim_slot_of(sim, vcpu);

	vcpu->place = SIM_QUEUED;
	sim_slot_queue_last(slot, vcpu);
	sim_slot_dispatch(sim, slot);
}

void sim_slot_sleep(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sim_slot *slot = sim_slot_of(sim, vcpu);

	vcpu->place = SIM_ASLEEP;
	vcpu->wake_at_once = vcpu->woken;
	vcpu->woken = false;
	put_last(&slot->sleepers, vcpu);
	slot->waiting++;
	sim_slot_dispatch(sim, slot);
}

void sim_slot_wake(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sim_slot *slot = sim_slot_of(sim, vcpu);

	sim->counts.wakes++;
	if (vcpu->place == SIM_ASLEEP)
		rouse(slot, vcpu);
	else
		vcpu->woken = true;
	if (slot->holder == NULL)
		sim_slot_dispatch(sim, slot);
}

void sim_slot_prefer(struct sim *sim, struct sim_vcpu *vcpu)
{
	struct sim_queue *queue = &sim_slot_of(sim, vcpu)->queue;

	if (take_out(queue, vcpu))
		put_first(queue, vcpu);
}

/* Half a slice to one and a half, on the slot's grid. */
void sim_slot_arm(struct sim *sim, struct sim_slot *slot)
{
	uint64_t slice_ns = sim->params.slice_ns;
	uint64_t end = sim->now_ns + slice_ns + slice_ns / 2;

	slot->timed = slot->waiting > 0;
	slot->late = false;
	if (!slot->timed)
		return;
	end -= (end - slot->phase_ns) % slice_ns;
	sim_after(sim, EVENT_DEADLINE, (uint32_t)(slot - sim->slots), ++slot->stamp,
		  end - sim->now_ns);
}

bool sim_slot_is_over(struct sim *sim, struct sim_slot *slot)
{
	if (!slot->late)
		return false;
	rouse_due(slot);
	if (slot->queue.first != NULL)
		return true;
	sim_slot_arm(sim, slot);
	return false;
}

void sim_slot_deadline(struct sim *sim, struct sim_slot *slot)
{
	struct sim_vcpu *holder = slot->holder;

	slot->late = true;
	if (holder->place == SIM_RUNNING && !holder->outside)
		sim_vcpu_leave(sim, holder, sim_draw(sim, sim->params.kick));
}

void sim_slot_look(struct sim *sim, struct sim_slot *slot)
{
	if (slot->holder == NULL)
		sim_slot_dispatch(sim, slot);
}
