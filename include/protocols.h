/* SPDX-License-Identifier: MIT */
/*
 * protocols.h - the numbers of the protocols, from protocols.def.
 *
 * Included by guest and VMM.
 */
#ifndef SD_PROTOCOLS_H
#define SD_PROTOCOLS_H

enum sd_protocol {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) SD_PROTOCOL_##identifier,
#include "protocols.def"
#undef SD_PROTOCOL
	SD_PROTOCOLS
};

enum sd_protocol_kind {
	SD_KIND_SAFE,           /* a stale load is a failure */
	SD_KIND_CONTROL,        /* it is a failure if no load is stale */
	SD_KIND_UNSAFE,         /* known to lose flushes, now and then: neither is a failure */
};

enum sd_protocol_walkers {
	SD_WALKERS_HELD,        /* a flush waits for whoever walks with interrupts off */
	SD_WALKERS_MISSED,      /* it may return while a preempted vCPU is in a walk */
};

/* Which counts show that a protocol was in effect. The three in the middle do so only where
 * targets were preempted. */
enum sd_effect {
	SD_EFFECT_IPIS,         /* targets interrupted */
	SD_EFFECT_WAKES,        /* initiators that slept were woken */
	SD_EFFECT_YIELDS,       /* slots given to targets */
	SD_EFFECT_DEFERS,       /* targets marked, and not waited for */
	SD_EFFECT_ASKS,         /* exits that ask the VMM */
	SD_EFFECT_NOTHING,
};

#endif
