// SPDX-License-Identifier: MIT
/*
 * ipi.c - interrupt every target and wait for every one: what Linux does
 * without paravirtual help. A preempted target holds the initiator up until it
 * has had its turn.
 */
#include "protocol.h"

const struct g_protocol_ops g_protocol_ipi = {
	.post = g_post_to_all,
};
