/* SPDX-License-Identifier: MIT */
/*
 * protocol_ops.h - the VMM's part in a protocol: what park does.
 *
 * The table follows the last column of protocols.def.
 */
#ifndef PROTOCOL_OPS_H
#define PROTOCOL_OPS_H

#include "options.h"
#include "word.h"

struct protocol_ops {
	/* Required: mark the vCPU preempted; true when it now owes a flush before
	 * it runs guest code. On its own thread, out of the guest. */
	bool (*park)(struct sd_region *region);
	/* Optional: take flags of its own back; true when a flush is owed. */
	bool (*unpark)(struct sd_region *region);
	/* With a park that takes requests over: has the vCPU nothing left to serve, so
	 * that an IPI of @vector that is still pending is a spurious one? */
	bool (*is_served)(const struct sd_region *region);
	uint8_t vector;
	/* Optional: before a job, while the vCPU is parked. */
	void (*start)(struct sd_region *region);
};

extern const struct protocol_ops protocol_plain;        /* plain.c */
extern const struct protocol_ops protocol_transfer;     /* transfer.c */
extern const struct protocol_ops protocol_pending_2017; /* pending_2017.c */

/* protocol_ops_of - never NULL. */
const struct protocol_ops *protocol_ops_of(enum sd_protocol protocol);

#endif
