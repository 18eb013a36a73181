/* SPDX-License-Identifier: MIT */
/*
 * inner.h - what the files of the model share, and nobody else sees.
 *
 * Who calls whom: model.c (the events) -> initiator.c (the program of who flushes),
 * vcpu.c (in and out of the guest, the handler) -> slot.c (who is next).
 */
#ifndef SIM_INNER_H
#define SIM_INNER_H

#include "model.h"
#include "word.h"

enum sim_event_kind {
	EVENT_END,                      /* of a vCPU's activity */
	EVENT_UNPARK,                   /* a vCPU that was granted its slot */
	EVENT_ENTER,
	EVENT_LEFT,
	EVENT_IPI,                      /* arrives; whatever the vCPU's stamp */
	EVENT_DEADLINE,                 /* of a slot */
	EVENT_LOOK,                     /* at the sleepers of a free slot */
};

/* What an initiator does; each but WAIT and COVER is a segment, named by its end. */
enum sim_phase {
	PHASE_PAUSE,
	PHASE_WORK,
	PHASE_PTE,
	PHASE_POST,                     /* one target */
	PHASE_GATE,
	PHASE_SEND,                     /* one IPI */
	PHASE_LOCAL,                    /* own flush, and out of the gate */
	PHASE_WAIT,
	PHASE_HELP,                     /* doorbell, up to the VMM */
	PHASE_SLEEP,
	PHASE_ASK,
	PHASE_COVER,                    /* in the VMM, until all targets are out */
	PHASE_BACK,                     /* from a doorbell, to .behind */
};

struct sim_initiator {
	struct sim_vcpu *vcpu;
	enum sim_phase phase, behind;
	uint32_t target;                /* next to be asked */
	uint32_t count, sent, at;       /* asked; of them sent an IPI; of them waited for */
	uint32_t *vcpu_of, *want_of;    /* of those asked */
	bool helped;                    /* the target waited for */
	uint32_t uncovered;             /* in the guest since they were asked */
	uint64_t asked;                 /* counts.events then */
	uint64_t held_ns;               /* by the flushes of those that left the guest */
	uint64_t pause_until_ns;
	uint64_t pte_from_ns;
	uint64_t parked_ns;             /* of its vCPU, when the flush began */
	struct sim_flush flush;         /* in hand */
};

/* What makes a protocol: the fields of guest-payload/protocol.h and vmm/protocols/. */
struct sim_ops {
	bool known;
	bool by_hypercall;
	bool sleeps;
	enum sim_post { POST_WAIT, POST_COVERED, POST_SKIPPED }
		(*post)(uint32_t self, struct sd_region *target, uint32_t *want);
	bool (*cover)(struct sd_region *target);
	bool yields;
	bool (*park)(struct sd_region *region); /* true: the VMM owes a flush */
};

extern const struct sim_ops sim_protocols[SD_PROTOCOLS];

static inline struct sd_region *sim_region_of(struct sim *sim, const struct sim_vcpu *vcpu)
{
	return &sim->regions[vcpu->id];
}

static inline struct sim_slot *sim_slot_of(struct sim *sim, const struct sim_vcpu *vcpu)
{
	return &sim->slots[vcpu->id % sim->params.slots];
}

/* --- model.c ---------------------------------------------------------------- */

/* sim_after - an event @delay_ns from now; what failed is in sim->error. */
void sim_after(struct sim *sim, enum sim_event_kind kind, uint32_t who, uint32_t stamp,
	       uint64_t delay_ns);

/* sim_draw - a duration. */
uint64_t sim_draw(struct sim *sim, struct sim_cost cost);
/* sim_draw_below - even from 0 up to @limit. */
uint64_t sim_draw_below(struct sim *sim, uint64_t limit);

/* sim_flush_cost - of the pages of a flush, on one vCPU. */
uint64_t sim_flush_cost(struct sim *sim);

/* --- slot.c ----------------------------------------------------------------- */

/* sim_slot_queue_last - before the first dispatch of a slot. */
void sim_slot_queue_last(struct sim_slot *slot, struct sim_vcpu *vcpu);

/* sim_slot_dispatch - a slot without holder goes to the next one, if there is one. */
void sim_slot_dispatch(struct sim *sim, struct sim_slot *slot);

/* sim_slot_pass, sim_slot_sleep - the holder, parked by now, gives its slot away. */
void sim_slot_pass(struct sim *sim, struct sim_vcpu *vcpu);
void sim_slot_sleep(struct sim *sim, struct sim_vcpu *vcpu);

/* sim_slot_wake - end a sleep, or the next one. */
void sim_slot_wake(struct sim *sim, struct sim_vcpu *vcpu);

/* sim_slot_prefer - first in its queue, if it is in there. */
void sim_slot_prefer(struct sim *sim, struct sim_vcpu *vcpu);

/* sim_slot_arm - the holder's slice begins, where somebody waits. */
void sim_slot_arm(struct sim *sim, struct sim_slot *slot);

/* sim_slot_is_over - the holder has left the guest: is its slice over, and the slot wanted?
 * If it is not wanted, the next slice has begun. */
bool sim_slot_is_over(struct sim *sim, struct sim_slot *slot);

/* sim_slot_deadline, sim_slot_look - their events. */
void sim_slot_deadline(struct sim *sim, struct sim_slot *slot);
void sim_slot_look(struct sim *sim, struct sim_slot *slot);

/* --- vcpu.c ----------------------------------------------------------------- */

/* sim_vcpu_begin - a segment of the program of a vCPU that runs. sim_vcpu_spin() - none. */
void sim_vcpu_begin(struct sim *sim, struct sim_vcpu *vcpu, uint64_t ns);
void sim_vcpu_spin(struct sim *sim, struct sim_vcpu *vcpu);

/* sim_vcpu_leave - out of the guest, in @kick_ns. */
void sim_vcpu_leave(struct sim *sim, struct sim_vcpu *vcpu, uint64_t kick_ns);

/* sim_vcpu_park - the marks, as vmm/session/park.c sets them. */
void sim_vcpu_park(struct sim *sim, struct sim_vcpu *vcpu);

/* sim_vcpu_return - into the guest, from wherever it was: what it owes has been flushed. */
void sim_vcpu_return(struct sim *sim, struct sim_vcpu *vcpu);

/* sim_vcpu_is_in_guest - it would have to be kicked. */
bool sim_vcpu_is_in_guest(const struct sim_vcpu *vcpu);

/* sim_vcpu_end, sim_vcpu_unpark, sim_vcpu_enter, sim_vcpu_left, sim_vcpu_ipi - their events. */
void sim_vcpu_end(struct sim *sim, struct sim_vcpu *vcpu);
void sim_vcpu_unpark(struct sim *sim, struct sim_vcpu *vcpu);
void sim_vcpu_enter(struct sim *sim, struct sim_vcpu *vcpu);
void sim_vcpu_left(struct sim *sim, struct sim_vcpu *vcpu);
void sim_vcpu_ipi(struct sim *sim, struct sim_vcpu *vcpu);

/* --- initiator.c ------------------------------------------------------------ */

/* sim_initiator_step - the segment of its phase has ended. */
void sim_initiator_step(struct sim *sim, struct sim_initiator *in);

/* sim_initiators_look - a target has served, was parked, or the waiting one is back: all
 * that wait and run look. */
void sim_initiators_look(struct sim *sim);

/* sim_initiators_covered - @vcpu has left the guest. */
void sim_initiators_covered(struct sim *sim, const struct sim_vcpu *vcpu);

/* sim_initiator_left_ns - of the segment of a vCPU that runs again: a pause goes by the
 * clock, all others by run time. */
uint64_t sim_initiator_left_ns(const struct sim *sim, const struct sim_initiator *in,
			       uint64_t left_ns);

#endif
