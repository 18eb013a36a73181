/* SPDX-License-Identifier: MIT */
/*
 * model.h - the bench without a machine: slots, vCPUs and flushes as events.
 *
 * What happens is what vmm/session/ and guest-payload/flush.c do, and every step of a
 * handshake is the same function of include/word.h or include/asleep.h that they call;
 * how long it takes are the costs below. Left out: floor samples, whatever else runs on
 * the CPUs, and the caches.
 *
 * A vCPU is queued, asleep, or has its slot. With its slot:
 *
 *   granted --switch--> unparked --enter--> runs --(slice over, kicked)--> leaving --kick-->
 *     parked, or back into the guest
 *
 * While it runs it is in its handler, in a timed segment of its program, or spins.
 * Doorbells are segments outside the guest: a slice that ends there ends after them.
 */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "events.h"
#include "protocols.h"
#include "region.h"

#define SIM_NONE       UINT32_MAX
#define SIM_MAX_VCPUS  65536

/* A duration that varies: the median in half of all cases, then rising evenly to p90
 * and no further. Equal values: always the same. */
struct sim_cost {
	uint64_t p50_ns;
	uint64_t p90_ns;
};

struct sim_params {
	enum sd_protocol protocol;
	uint32_t vcpus;
	uint32_t slots;                 /* vCPU i is on slot i % slots */
	uint32_t initiators;            /* the first vCPUs; at most SD_MAX_INITIATORS */
	uint32_t pages;                 /* of a flush */
	uint32_t flush_ceiling;         /* more pages are a full flush */
	uint64_t slice_ns;              /* at least 2 */
	uint64_t pace_ns;               /* pause between flushes, by the clock */
	uint64_t work_ns;               /* run time before a flush, even from 0 up to this */
	uint64_t warmup_ns;             /* flushes that begin earlier are not recorded */
	uint64_t duration_ns;           /* recorded after the warm-up */
	uint64_t seed;
	bool checks;                    /* look for uncovered targets; slow */

	/* Costs of the primitives. */
	struct sim_cost post;           /* one target asked */
	struct sim_cost gate;           /* into ring 0 and back, flush not included */
	struct sim_cost send;           /* each IPI, in ring 0 */
	struct sim_cost deliver;        /* IPI sent to first instruction of the handler */
	struct sim_cost handler;        /* of the handler, flush not included */
	struct sim_cost flush;          /* the whole TLB */
	struct sim_cost page;           /* one page */
	struct sim_cost exit;           /* doorbell and back */
	struct sim_cost kick;           /* signal to out of the guest */
	struct sim_cost enter;          /* unparked to in the guest */
	struct sim_cost switch_;        /* parked to the next one unparked */
	struct sim_cost entry_flush;    /* flush on entry, more than enter */
	struct sim_cost signal;         /* the VMM's, for each vCPU kicked by a hypercall */
	struct sim_cost kicked_flush;   /* on the way back of who asked: theirs holds it up */
	struct sim_cost pte;            /* PTE stores of a flush */
};

/* A flush that has returned: a row of vmm's CSV. */
struct sim_flush {
	uint64_t start_ns, pte_ns, wall_ns, stall_ns;
	uint32_t seq, initiator, targets, ipis, deferred, taken_over, pages;
};

enum sim_place {
	SIM_QUEUED,
	SIM_ASLEEP,
	SIM_GRANTED,                    /* the slot is its own, still parked */
	SIM_ENTERING,                   /* unparked, not yet in the guest */
	SIM_RUNNING,
	SIM_LEAVING,
};

enum sim_activity {
	SIM_SPINS,                      /* until something happens */
	SIM_SEGMENT,                    /* of its program */
	SIM_READS,                      /* handler, up to its flush */
	SIM_SERVES,                     /* handler, up to its acknowledgement */
	SIM_WAKES,                      /* handler, waking who sleeps */
};

struct sim_initiator;

struct sim_vcpu {
	struct sim_vcpu *next;          /* of the queue or of the sleepers */
	struct sim_initiator *initiator;
	uint32_t id;
	uint32_t stamp;                 /* of its end of activity, grant or leave */
	enum sim_place place;
	enum sim_activity activity;
	uint64_t until_ns;              /* end of the activity, while running */
	uint64_t left_ns;               /* of the activity, while not */
	uint64_t program_left_ns;       /* of the segment that the handler interrupts */
	enum sim_activity program;      /* what it interrupts */
	bool masked;                    /* the segment: interrupts off */
	bool outside;                   /* the segment: out of the guest */
	bool pending;                   /* an IPI that no handler has taken */
	bool owes_flush;                /* before it runs again */
	bool flush_asked;               /* by a hypercall */
	bool woken;                     /* before it slept */
	bool wake_at_once;              /* asleep, and was woken before */
	uint32_t seen;                  /* by the handler in hand: request */
	uint64_t bits;                  /* initiators it still has to count down */
	uint64_t flushed_ns;            /* when its TLB was last flushed */
	uint64_t entered;               /* counts.events when it entered the guest */
	uint64_t parked_from_ns;
	uint64_t parked_ns;             /* sum */
};

struct sim_queue {
	struct sim_vcpu *first, *last;
};

struct sim_slot {
	struct sim_queue queue, sleepers;
	struct sim_vcpu *holder;
	uint32_t waiting;               /* queue and sleepers */
	uint64_t phase_ns;
	uint32_t stamp;                 /* of its deadline and its looks */
	bool timed;                     /* a deadline is set */
	bool late;                      /* it has passed */
};

struct sim_counts {
	uint64_t events, switches, ipis, spurious_ipis, transfers, takeovers, yields, sleeps,
		 wakes, kicks;
	uint64_t waits_on_parked;       /* looks that found the target off its slot */
	uint64_t checks, uncovered;     /* targets looked at when a flush returned */
};

struct sim_ops;

struct sim {
	struct sim_params params;
	const struct sim_ops *ops;
	struct sim_events events;
	uint64_t now_ns;
	uint64_t dice;
	struct sd_region *regions;
	struct sim_vcpu *vcpus;
	struct sim_slot *slots;
	struct sim_initiator *initiators;
	struct sim_counts counts;
	void (*record)(void *context, const struct sim_flush *flush);
	void *context;
	int error;                      /* -ENOMEM */
};

/**
 * sim_create - all vCPUs queued, the first of each slot about to run.
 *
 * Returns: 0; -EINVAL: parameters that make no sense (sim_protocol_is_known(), at least
 *          as many vCPUs as slots and initiators); -ENOMEM.
 */
__attribute__((warn_unused_result))
int sim_create(struct sim *sim, const struct sim_params *params);
void sim_destroy(struct sim *sim);

/* sim_step - one event. Returns 1; 0: the time is over; -ENOMEM. */
__attribute__((warn_unused_result))
int sim_step(struct sim *sim);

/* sim_protocol_is_known - does the model have it? */
bool sim_protocol_is_known(enum sd_protocol protocol);

#endif
