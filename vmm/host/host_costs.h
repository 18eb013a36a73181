/* SPDX-License-Identifier: MIT */
/*
 * host_costs.h - --host: what this host's primitives cost.
 */
#ifndef HOST_COSTS_H
#define HOST_COSTS_H

#include "results.h"
#include "session.h"

/**
 * host_costs_measure - every primitive, about 2000 times each, kicks 200 times.
 *
 * Shape:   results->slot_cpus: the CPUs to use; IPIs need two of them. The facts
 *          and the way of flushing on entry are filled in.
 * Errors:  as session_create() and session_check().
 */
__attribute__((warn_unused_result))
int host_costs_measure(struct host_costs *costs, struct loop *loop, struct kvm_system system,
		       struct machine_payload payload, struct run_results *results,
		       struct why *why);

#endif
