// SPDX-License-Identifier: MIT
/*
 * protocol_ops.c - which protocol has which part in the VMM.
 */
#include "protocol_ops.h"

const struct protocol_ops *protocol_ops_of(enum sd_protocol protocol)
{
	static const struct protocol_ops *const table[SD_PROTOCOLS] = {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
		[SD_PROTOCOL_##identifier] = &protocol_##vmm,
#include "protocols.def"
#undef SD_PROTOCOL
	};

	return table[protocol];
}
