/* SPDX-License-Identifier: MIT */
/*
 * stamps.h - reading the pages that the host moves about (stamp.h), by this vCPU and,
 * through the same addresses, by the VMM.
 */
#ifndef STAMPS_H
#define STAMPS_H

#include <stdint.h>

/* On its vCPU's stack; zero at first. */
struct g_stamps {
	uint64_t next_ticks;            /* TSC */
	uint64_t state;                 /* of what is drawn */
};

/* g_stamps_poll - a batch, if the VMM wants that and it is time for one. */
void g_stamps_poll(struct g_stamps *stamps, uint32_t self);

#endif
