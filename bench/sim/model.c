// SPDX-License-Identifier: MIT
/*
 * model.c - parameters, chance, and the events in their order (model.h).
 *
 * Threads: one.
 * Tested:  tests/unit/sim_time_never_goes_back_test.c
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"
#include "split_mix.h"

void sim_after(struct sim *sim, enum sim_event_kind kind, uint32_t who, uint32_t stamp,
	       uint64_t delay_ns)
{
	struct sim_event event = {
		.time_ns = sim->now_ns + delay_ns,
		.kind = kind,
		.who = who,
		.stamp = stamp,
	};

	if (sim_events_add(&sim->events, event) != 0)
		sim->error = -ENOMEM;
}

uint64_t sim_draw_below(struct sim *sim, uint64_t limit)
{
	return limit == 0 ? 0 : split_mix_below(&sim->dice, limit);
}

/* p50 up to the fifth tenth, p90 from the ninth on, straight between them. */
uint64_t sim_draw(struct sim *sim, struct sim_cost cost)
{
	const uint32_t p50 = UINT32_MAX / 10 * 5, p90 = UINT32_MAX / 10 * 9;
	uint32_t at;

	if (cost.p50_ns == cost.p90_ns)
		return cost.p50_ns;
	at = (uint32_t)(split_mix_draw(&sim->dice) >> 32);
	if (at <= p50)
		return cost.p50_ns;
	if (at >= p90)
		return cost.p90_ns;
	return cost.p50_ns + (cost.p90_ns - cost.p50_ns) * (at - p50) / (p90 - p50);
}

uint64_t sim_flush_cost(struct sim *sim)
{
	uint64_t ns = 0;

	if (sim->params.pages > sim->params.flush_ceiling)
		return sim_draw(sim, sim->params.flush);
	for (uint32_t page = 0; page < sim->params.pages; page++)
		ns += sim_draw(sim, sim->params.page);
	return ns;
}

static bool costs_are_sound(const struct sim_params *params)
{
	for (const struct sim_cost *cost = &params->post; cost <= &params->pte; cost++)
		if (cost->p50_ns > cost->p90_ns)
			return false;
	return true;
}

static bool is_sound(const struct sim_params *params)
{
	return sim_protocol_is_known(params->protocol) && params->vcpus >= 2 &&
		params->vcpus <= SIM_MAX_VCPUS && params->slots >= 1 &&
		params->slots <= params->vcpus && params->initiators >= 1 &&
		params->initiators <= params->vcpus && params->initiators <= SD_MAX_INITIATORS &&
		params->slice_ns >= 2 && params->pages >= 1 && costs_are_sound(params);
}

static int allocate(struct sim *sim)
{
	const struct sim_params *params = &sim->params;

	sim->regions = aligned_alloc(SD_PAGE_BYTES, (size_t)params->vcpus * sizeof(*sim->regions));
	sim->vcpus = calloc(params->vcpus, sizeof(*sim->vcpus));
	sim->slots = calloc(params->slots, sizeof(*sim->slots));
	sim->initiators = calloc(params->initiators, sizeof(*sim->initiators));
	if (sim->regions == NULL || sim->vcpus == NULL || sim->slots == NULL ||
	    sim->initiators == NULL)
		return -ENOMEM;
	memset(sim->regions, 0, (size_t)params->vcpus * sizeof(*sim->regions));
	for (uint32_t i = 0; i < params->initiators; i++) {
		struct sim_initiator *in = &sim->initiators[i];

		in->vcpu_of = calloc(params->vcpus, sizeof(*in->vcpu_of));
		in->want_of = calloc(params->vcpus, sizeof(*in->want_of));
		if (in->vcpu_of == NULL || in->want_of == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void queue_all(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->params.vcpus; i++) {
		struct sim_vcpu *vcpu = &sim->vcpus[i];

		vcpu->id = i;
		sd_word_mark(&sim->regions[i]);
		sd_byte_mark(&sim->regions[i]);
		sim_slot_queue_last(sim_slot_of(sim, vcpu), vcpu);
	}
	for (uint32_t i = 0; i < sim->params.initiators; i++) {
		sim->initiators[i].vcpu = &sim->vcpus[i];
		sim->vcpus[i].initiator = &sim->initiators[i];
		sim->vcpus[i].activity = SIM_SEGMENT;   /* a pause that is over */
	}
	for (uint32_t i = 0; i < sim->params.slots; i++) {
		sim->slots[i].phase_ns = sim->params.slice_ns * i / sim->params.slots;
		sim_slot_dispatch(sim, &sim->slots[i]);
	}
}

int sim_create(struct sim *sim, const struct sim_params *params)
{
	*sim = (struct sim){ .params = *params, .dice = params->seed };
	if (!is_sound(params))
		return -EINVAL;
	sim->ops = &sim_protocols[params->protocol];
	sim_events_init(&sim->events);
	sim->error = allocate(sim);
	if (sim->error == 0)
		queue_all(sim);
	if (sim->error != 0)
		sim_destroy(sim);
	return sim->error;
}

void sim_destroy(struct sim *sim)
{
	for (uint32_t i = 0; sim->initiators != NULL && i < sim->params.initiators; i++) {
		free(sim->initiators[i].vcpu_of);
		free(sim->initiators[i].want_of);
	}
	free(sim->initiators);
	free(sim->slots);
	free(sim->vcpus);
	free(sim->regions);
	sim_events_destroy(&sim->events);
	sim->initiators = NULL;
	sim->slots = NULL;
	sim->vcpus = NULL;
	sim->regions = NULL;
}

static void slot_event(struct sim *sim, const struct sim_event *event)
{
	struct sim_slot *slot = &sim->slots[event->who];

	if (event->stamp != slot->stamp)
		return;
	if (event->kind == EVENT_DEADLINE)
		sim_slot_deadline(sim, slot);
	else
		sim_slot_look(sim, slot);
}

static void vcpu_event(struct sim *sim, const struct sim_event *event)
{
	static void (*const handlers[])(struct sim *sim, struct sim_vcpu *vcpu) = {
		[EVENT_END] = sim_vcpu_end,
		[EVENT_UNPARK] = sim_vcpu_unpark,
		[EVENT_ENTER] = sim_vcpu_enter,
		[EVENT_LEFT] = sim_vcpu_left,
	};
	struct sim_vcpu *vcpu = &sim->vcpus[event->who];

	if (event->stamp == vcpu->stamp)
		handlers[event->kind](sim, vcpu);
}

int sim_step(struct sim *sim)
{
	struct sim_event event;

	if (!sim_events_take(&sim->events, &event) ||
	    event.time_ns >= sim->params.warmup_ns + sim->params.duration_ns)
		return 0;
	sim->now_ns = event.time_ns;
	sim->counts.events++;
	switch ((enum sim_event_kind)event.kind) {
	case EVENT_IPI:
		sim_vcpu_ipi(sim, &sim->vcpus[event.who]);
		break;
	case EVENT_DEADLINE:
	case EVENT_LOOK:
		slot_event(sim, &event);
		break;
	default:
		vcpu_event(sim, &event);
	}
	return sim->error == 0 ? 1 : sim->error;
}
