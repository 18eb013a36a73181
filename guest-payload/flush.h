/* SPDX-License-Identifier: MIT */
/*
 * flush.h - one shootdown by a protocol, from the PTE stores on.
 */
#ifndef FLUSH_H
#define FLUSH_H

#include "protocol.h"
#include "samples.h"

/* Where the steps of a flush are recorded. */
struct g_trace {
	struct g_ring *ring;    /* NULL: nowhere */
	uint32_t seq;           /* of the flush */
};

/* What one flush did: counts of targets. */
struct g_flush {
	uint32_t targets;
	uint32_t ipis;
	uint32_t deferred;      /* covered at once, by a mark */
	uint32_t taken_over;    /* waited for, then covered by the initiator */
	uint32_t skipped;       /* by a control */
	struct g_trace trace;   /* the caller's; kept */
};

/**
 * g_flush_others - no other vCPU, nor this one, uses a translation of @range that
 * is older than the call once it has returned (if the protocol keeps its word).
 *
 * Shape:   up to SD_MAX_VCPUS targets: every vCPU but @self. @range has pages only
 *          where control.by_page is 1.
 * Threads: any number of initiators at the same time. Interrupts are on while
 *          it waits, so initiators serve each other.
 */
void g_flush_others(const struct g_protocol_ops *ops, uint32_t self, struct g_range range,
		    struct g_flush *flush);

/**
 * g_flush_floor - the least a shootdown of @range can cost: IPI, flush and
 * acknowledgement of one running target, the local flush overlapped.
 *
 * Returns: false when there was no running target, or it was parked meanwhile:
 *          then nothing was measured. No mapping has changed, so that a target
 *          that does not answer may be given up.
 */
bool g_flush_floor(uint32_t self, struct g_range range);

#endif
