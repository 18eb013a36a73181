/* SPDX-License-Identifier: MIT */
/*
 * host_costs.h - --host: what this host's primitives cost.
 */
#ifndef HOST_COSTS_H
#define HOST_COSTS_H

#include "results.h"
#include "session.h"

/**
 * host_costs_measure - every primitive, about 2000 times each; and @facts.
 *
 * Shape:   @cpus: the CPUs to use; IPIs need two of them.
 * Errors:  as session_create() and session_check().
 */
__attribute__((warn_unused_result))
int host_costs_measure(struct host_costs *costs, struct loop *loop, struct kvm_system system,
		       struct host_facts *facts, const cpu_set_t *cpus,
		       struct machine_payload payload, struct why *why);

#endif
