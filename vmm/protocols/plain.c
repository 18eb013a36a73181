// SPDX-License-Identifier: MIT
/*
 * plain.c - park only marks: what mainline KVM does for its guests.
 */
#include "protocol_ops.h"

static bool plain_park(struct sd_region *region)
{
	sd_word_mark(region);
	return false;
}

const struct protocol_ops protocol_plain = {
	.park = plain_park,
};
