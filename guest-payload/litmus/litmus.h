/* SPDX-License-Identifier: MIT */
/*
 * litmus.h - what makes the guest's side of one litmus differ from another.
 *
 * Initiators flush and the target serves as in any job, but each of them stops where
 * the VMM holds it (g_step()), and the handler's body runs in ring 3: where ring 0 is emulated
 * no translation that is loaded between its flush and its return would be seen to be
 * stale. A litmus fills in how to ask and wait, and what the handler does before and
 * after its flush. Handlers of this folder are no protocol's: some are wrong on purpose.
 */
#ifndef LITMUS_H
#define LITMUS_H

#include "litmus_cast.h"
#include "protocol.h"
#include "workloads/workload.h"

struct g_litmus {
	/* Required: of the initiators. post and served are required or as in
	 * struct g_protocol_ops; begin, wait_all and help are not used. */
	const struct g_protocol_ops *ops;
	/* Optional: the handler up to its flush; *seen is what end needs to know. False:
	 * nothing to do, no flush. NULL: its initiators send no IPI. */
	bool (*begin)(struct sd_region *own, uint32_t *seen);
	/* With begin: the handler after its flush. */
	void (*end)(struct sd_region *own, uint32_t seen);
	/* Optional: what the initiators change and free, and how the target looks; begin,
	 * before, move, returned, after (unflushed) and observe. NULL: windows. */
	const struct g_workload *workload;
};

/* The protocols' own tables. */
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
	extern const struct g_protocol_ops g_protocol_##identifier;
#include "protocols.def"
#undef SD_PROTOCOL

/* g_litmus_run - this vCPU's part of SD_JOB_LITMUS; returns when it is stopped. */
void g_litmus_run(uint32_t self);

/* g_litmus_serve_begin, g_litmus_serve_end - the handler of the request word, for those
 * that have no other. */
bool g_litmus_serve_begin(struct sd_region *own, uint32_t *seen);
void g_litmus_serve_end(struct sd_region *own, uint32_t seen);

/* entry.S: the flush vectors' ring-0 entry, and the gate back from the handler. */
void g_litmus_enter(void);
void g_litmus_leave(void);

#endif
