/* SPDX-License-Identifier: MIT */
/*
 * protocol.h - what makes one flush protocol differ from another.
 *
 * A flush is always the same three steps (flush.c): post to every target, one
 * trip through the gate for the IPIs and the local flush, wait for those that
 * were not covered. A protocol fills in how to post and how to wait. One file,
 * one table.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

#include "guest.h"
#include "protocols.h"
#include "word.h"

enum g_post {
	G_POST_WAIT,            /* IPI it and wait until it has served *want */
	G_POST_COVERED,         /* marked: it flushes before it runs again */
	G_POST_SKIPPED,         /* left alone: only negative controls do that */
};

struct g_protocol_ops {
	/* Instead of all the others: cover every vCPU but @self, without IPIs. */
	void (*cover_all)(uint32_t self, struct g_range range);
	/* Optional: before the first of @targets posts. */
	void (*begin)(uint32_t self, uint32_t targets);
	/* Required without cover_all: ask one target. Its locked operation on the target's word or
	 * byte makes sure that the PTE stores come before the question (word.h). */
	enum g_post (*post)(uint32_t self, struct sd_region *target, uint32_t *want);
	/* Optional, instead of the three below: wait for all that were asked. NULL:
	 * spin, one target after another. */
	void (*wait_all)(uint32_t self);
	/* Optional: tried while waiting; true when the target is now covered. */
	bool (*cover)(struct sd_region *target);
	/* Optional: called once for each target that is waited for and found to be
	 * preempted. */
	void (*help)(uint32_t self, uint32_t target);
	/* Optional: has the target flushed? NULL: its served word has reached
	 * @want. */
	bool (*served)(const struct sd_region *target, uint32_t want);
	/* Of the IPI; 0: SD_VECTOR_FLUSH, whose handler serves the request word and
	 * is told the range. */
	uint8_t vector;
};

/* g_post_to_all - ask the target whether it runs or not. */
static inline enum g_post g_post_to_all(uint32_t self, struct sd_region *target,
					uint32_t *want)
{
	(void)self;
	*want = sd_word_request(target);
	return G_POST_WAIT;
}

/* g_post_by_byte - defer a target that KVM's byte calls preempted, else ask it:
 * the post of every protocol that lives on that byte. */
static inline enum g_post g_post_by_byte(uint32_t self, struct sd_region *target,
					 uint32_t *want)
{
	(void)self;
	if (sd_byte_defer(target))
		return G_POST_COVERED;
	*want = sd_word_request(target);
	return G_POST_WAIT;
}

/* The tables, by enum sd_protocol. */
extern const struct g_protocol_ops *const g_protocols[SD_PROTOCOLS];

#endif
