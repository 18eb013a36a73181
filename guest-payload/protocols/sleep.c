// SPDX-License-Identifier: MIT
/*
 * sleep.c - ipi, but the initiator does not spin: it gives its slot up, and the
 * handler that flushes last wakes it (asleep.h). Its targets get the run time it
 * would have waited in, also those that share its slot.
 */
#include "asleep.h"
#include "grace.h"
#include "protocol.h"

static void sleep_begin(uint32_t self, uint32_t targets)
{
	sd_asleep_begin(g_region(self), targets);
}

static enum g_post sleep_post(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)want;
	sd_asleep_ask(target, self);
	return G_POST_WAIT;
}

/* A sleep ends early on an interrupt, or by a wake that came too late for the
 * flush before. Asleep is parked, and quiescent; awake it has to say so (grace.h). */
static void sleep_wait_all(uint32_t self)
{
	struct sd_region *own = g_region(self);

	while (!sd_asleep_over(own)) {
		if (sd_asleep_may(own)) {
			sd_u64_store(&own->argument, 0);
			g_doorbell(SD_REQ_SLEEP);
		}
		sd_asleep_awake(own);
		sd_walk_pass(own);
	}
}

const struct g_protocol_ops g_protocol_sleep = {
	.begin = sleep_begin,
	.post = sleep_post,
	.wait_all = sleep_wait_all,
	.vector = SD_VECTOR_FLUSH_WAKE,
};
