// SPDX-License-Identifier: MIT
/*
 * byte_wrong.c - initiators that read KVM's byte wrong, and one that stops between its
 * look and its compare-and-swap and then does it right.
 */
#include "litmus.h"

#define HANDLED .begin = g_litmus_serve_begin, .end = g_litmus_serve_end

static enum g_post ask(struct sd_region *target, uint32_t *want)
{
	*want = sd_word_request(target);
	return G_POST_WAIT;
}

/* sd_byte_defer() in two parts. */
static bool mark_after_step(struct sd_region *target, bool *tried)
{
	uint8_t old = sd_u8_load(&target->preempted);

	g_step(SD_STEP_LOOKED);
	*tried = old & SD_BYTE_PREEMPTED;
	return *tried && sd_u8_cas(&target->preempted, old, old | SD_BYTE_FLUSH_TLB);
}

static enum g_post look_then_mark(uint32_t self, struct sd_region *target, uint32_t *want)
{
	bool tried;

	(void)self;
	return mark_after_step(target, &tried) ? G_POST_COVERED : ask(target, want);
}

static const struct g_protocol_ops deferred_in_two_parts = { .post = look_then_mark };
const struct g_litmus g_litmus_deferred_looks = { .ops = &deferred_in_two_parts, HANDLED };

/* Wrong: a compare-and-swap that has failed is taken for one that has not. */
static enum g_post look_then_mark_inverted(uint32_t self, struct sd_region *target,
					   uint32_t *want)
{
	bool tried, marked = mark_after_step(target, &tried);

	(void)self;
	return tried && !marked ? G_POST_COVERED : ask(target, want);
}

static const struct g_protocol_ops deferred_inverted = { .post = look_then_mark_inverted };
const struct g_litmus g_litmus_cas_inverted = { .ops = &deferred_inverted, HANDLED };

/* Wrong: what waits for a preempted target leaves, and nothing says that it has to flush. */
static bool cover_without_mark(struct sd_region *target)
{
	return sd_u8_load(&target->preempted) & SD_BYTE_PREEMPTED;
}

static const struct g_protocol_ops takeover_unmarked = {
	.post = g_post_by_byte,
	.cover = cover_without_mark,
};
const struct g_litmus g_litmus_cover_without_mark = { .ops = &takeover_unmarked, HANDLED };

/* Wrong: the mark that is there may be older than this initiator's PTE store, which no
 * locked operation has drained. */
static enum g_post post_looks(uint32_t self, struct sd_region *target, uint32_t *want)
{
	if (sd_u8_load(&target->preempted) == (SD_BYTE_PREEMPTED | SD_BYTE_FLUSH_TLB))
		return G_POST_COVERED;
	return g_post_by_byte(self, target, want);
}

static const struct g_protocol_ops takeover_looks = {
	.post = post_looks,
	.cover = sd_byte_defer,
};
const struct g_litmus g_litmus_look_is_enough = { .ops = &takeover_looks, HANDLED };
