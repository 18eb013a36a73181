/* SPDX-License-Identifier: MIT */
/*
 * litmus_cast.h - the numbers of the litmus tests, from litmus.def, and their cast.
 *
 * Included by guest and VMM. vCPU 0 and 1 initiate, vCPU 2 is the target of both;
 * the initiators are not each other's: they never look through their windows.
 */
#ifndef SD_LITMUS_CAST_H
#define SD_LITMUS_CAST_H

enum sd_litmus {
#define SD_LITMUS(identifier, name, protocol, guest, script, oracle, expected, hazard) \
	SD_LITMUS_##identifier,
#include "litmus.def"
#undef SD_LITMUS
	SD_LITMUSES
};

enum sd_litmus_cast {
	SD_CAST_A,              /* initiator */
	SD_CAST_B,              /* initiator */
	SD_CAST_T,              /* target */
	SD_CAST
};

#define SD_LITMUS_INITIATORS 2

#endif
