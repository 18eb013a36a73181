// SPDX-License-Identifier: MIT
/*
 * protocol.c - the list of protocols, from protocols.def.
 */
#include "protocol.h"

#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
	extern const struct g_protocol_ops g_protocol_##identifier;
#include "protocols.def"
#undef SD_PROTOCOL

const struct g_protocol_ops *const g_protocols[SD_PROTOCOLS] = {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
	[SD_PROTOCOL_##identifier] = &g_protocol_##identifier,
#include "protocols.def"
#undef SD_PROTOCOL
};
