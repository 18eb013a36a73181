// SPDX-License-Identifier: MIT
/*
 * generation_wrong.c - handlers of the request word that acknowledge what they have not
 * served.
 */
#include "litmus.h"

/* Wrong: what has been asked meanwhile was not read before the flush. */
static void end_reads_again(struct sd_region *own, uint32_t seen)
{
	(void)seen;
	sd_word_serve_end(own, sd_word_serve_begin(own));
}

const struct g_litmus g_litmus_serve_reads_again = {
	.ops = &g_protocol_generation,
	.begin = g_litmus_serve_begin,
	.end = end_reads_again,
};

/* Wrong: the initiator goes on before the flush. */
static bool begin_serves(struct sd_region *own, uint32_t *seen)
{
	*seen = sd_word_serve_begin(own);
	sd_word_serve_end(own, *seen);
	return true;
}

static void end_does_nothing(struct sd_region *own, uint32_t seen)
{
	(void)own;
	(void)seen;
}

const struct g_litmus g_litmus_serve_before_flush = {
	.ops = &g_protocol_generation,
	.begin = begin_serves,
	.end = end_does_nothing,
};
