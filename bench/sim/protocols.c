// SPDX-License-Identifier: MIT
/*
 * protocols.c - how the protocols differ, in the terms of inner.h.
 *
 * Follows: guest-payload/protocols/, vmm/protocols/.
 * Tested:  tests/unit/sim_protocols_keep_their_promises_test.c
 */
#include "asleep.h"
#include "inner.h"

static enum sim_post post_to_all(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self;
	*want = sd_word_request(target);
	return POST_WAIT;
}

static enum sim_post post_by_byte(uint32_t self, struct sd_region *target, uint32_t *want)
{
	return sd_byte_defer(target) ? POST_COVERED : post_to_all(self, target, want);
}

static enum sim_post post_by_word(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self;
	return sd_word_post(target, want) == SD_POST_COVERED ? POST_COVERED : POST_WAIT;
}

static enum sim_post post_asleep(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)want;
	sd_asleep_ask(target, self);
	return POST_WAIT;
}

static enum sim_post post_to_nobody(uint32_t self, struct sd_region *target, uint32_t *want)
{
	(void)self, (void)target, (void)want;
	return POST_SKIPPED;
}

static enum sim_post post_to_running(uint32_t self, struct sd_region *target, uint32_t *want)
{
	return sd_word_preempted(target) ? POST_SKIPPED : post_to_all(self, target, want);
}

static bool park_plain(struct sd_region *region)
{
	sd_word_mark(region);
	return false;
}

const struct sim_ops sim_protocols[SD_PROTOCOLS] = {
	[SD_PROTOCOL_ipi] = { .known = true, .post = post_to_all, .park = park_plain },
	[SD_PROTOCOL_sleep] = {
		.known = true, .post = post_asleep, .park = park_plain, .sleeps = true,
	},
	[SD_PROTOCOL_yield] = {
		.known = true, .post = post_to_all, .park = park_plain, .yields = true,
	},
	[SD_PROTOCOL_deferred] = { .known = true, .post = post_by_byte, .park = park_plain },
	[SD_PROTOCOL_generation] = { .known = true, .post = post_by_word, .park = sd_word_park },
	[SD_PROTOCOL_takeover] = {
		.known = true, .post = post_by_byte, .park = park_plain, .cover = sd_byte_defer,
	},
	[SD_PROTOCOL_hypercall] = { .known = true, .park = park_plain, .by_hypercall = true },
	[SD_PROTOCOL_none] = { .known = true, .post = post_to_nobody, .park = park_plain },
	[SD_PROTOCOL_skip_preempted] = {
		.known = true, .post = post_to_running, .park = park_plain,
	},
};

bool sim_protocol_is_known(enum sd_protocol protocol)
{
	return protocol < SD_PROTOCOLS && sim_protocols[protocol].known;
}
