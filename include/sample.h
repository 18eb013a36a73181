/* SPDX-License-Identifier: MIT */
/*
 * sample.h - one flush, as the initiator's vCPU saw it.
 *
 * Included by guest and VMM. Written once by the payload into its initiator's
 * ring, read once by the VMM. The ring is SD_RING_SAMPLES records wherever the region
 * page's ring word of the vCPU with that number says, as it sees its memory; there is
 * room for one at SD_RING_GPA + initiator * SD_RING_STRIDE. Head (guest) and tail (VMM)
 * are in the same page and only ever grow.
 * Times are TSC ticks of the vCPU; the VMM converts them once.
 */
#ifndef SD_SAMPLE_H
#define SD_SAMPLE_H

#include "layout.h"

#define SD_RING_SAMPLES 0x4000

#define SD_SAMPLE_FLUSH 0       /* a shootdown by the protocol of the job */
#define SD_SAMPLE_FLOOR 1       /* one running target: IPI, flush, acknowledgement */
#define SD_SAMPLE_COST  2       /* a primitive: only wall_ticks counts */

/* With control.trace: steps of the flush with the same seq, before its own sample. Start,
 * wall, seq, kind, initiator, target and outcome count. They leave half of the ring free. */
#define SD_SAMPLE_REQUEST 3     /* one target has been asked */
#define SD_SAMPLE_WAIT    4     /* one target, or SD_TARGET_ALL, has been waited for */

#define SD_TARGET_ALL 0xffff    /* every one that was asked */

/* Outcome of a request, and of a wait. */
#define SD_REQUEST_SENT     0   /* an IPI goes out */
#define SD_REQUEST_DEFERRED 1
#define SD_REQUEST_SKIPPED  2   /* by a control */
#define SD_WAIT_SERVED      0
#define SD_WAIT_TAKEN_OVER  1

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

struct sd_sample {
	uint64_t start_ticks;   /* after the PTE stores */
	uint64_t wall_ticks;    /* from there to the return */
	uint64_t parked_ticks;  /* of these, initiator parked by the VMM */
	uint64_t pte_ticks;     /* the PTE stores themselves */
	uint32_t seq;           /* per initiator, from 0 */
	uint16_t kind;          /* SD_SAMPLE_ */
	uint16_t initiator;     /* vCPU */
	uint16_t targets;
	uint16_t ipis;
	uint16_t deferred;      /* targets marked, not waited for */
	uint16_t taken_over;    /* of those waited for, deferred by the initiator */
	uint16_t pages;
	uint16_t target;        /* vCPU: of a step */
	uint16_t outcome;       /* SD_REQUEST_ or SD_WAIT_: of a step */
	uint16_t zero0[5];
};

_Static_assert(sizeof(struct sd_sample) == 64, "a sample is one cache line");
_Static_assert(SD_RING_SAMPLES * sizeof(struct sd_sample) <= SD_RING_STRIDE, "ring overlaps the next");
_Static_assert((SD_RING_SAMPLES & (SD_RING_SAMPLES - 1)) == 0, "ring index is a mask");
#endif

#endif
