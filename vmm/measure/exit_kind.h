/* SPDX-License-Identifier: MIT */
/*
 * exit_kind.h - why a vCPU left KVM_RUN for userspace: a signal, or a doorbell.
 *
 * Any other exit ends the run. Those that KVM handles itself are not seen here.
 */
#ifndef EXIT_KIND_H
#define EXIT_KIND_H

#include <stdint.h>

#include "control.h"

/* The doorbells by their number, which begins at 1. */
#define EXIT_KIND_SIGNAL 0              /* KVM_EXIT_INTR: a kick, or the end of a slice */
#define EXIT_KINDS       (SD_REQ_STEP + SD_LITMUS_STEPS)

/* exit_kind_of - of the doorbell @request, whatever the guest has put there. */
static inline uint32_t exit_kind_of(uint32_t request)
{
	uint32_t code = request & UINT16_MAX;

	return code < EXIT_KINDS ? code : SD_REQ_FAIL;
}

/* exit_kind_name - "doorbell" for one without a name of its own. */
const char *exit_kind_name(uint32_t kind);

#endif
