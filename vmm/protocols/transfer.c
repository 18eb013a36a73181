// SPDX-License-Identifier: MIT
/*
 * transfer.c - park takes over what the vCPU has not served: "VMEXIT
 * transferring IPI_PENDING to SHOULD_FLUSH" of 2017, in one atomic step.
 */
#include "protocol_ops.h"

const struct protocol_ops protocol_transfer = {
	.park = sd_word_park,
};
