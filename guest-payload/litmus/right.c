// SPDX-License-Identifier: MIT
/*
 * right.c - the protocols themselves, with a handler that can be held: nothing is lost.
 */
#include "litmus.h"

#define RIGHT(name) \
	const struct g_litmus g_litmus_##name = { \
		.ops = &g_protocol_##name, \
		.begin = g_litmus_serve_begin, \
		.end = g_litmus_serve_end, \
	}

RIGHT(generation);
RIGHT(takeover);
RIGHT(deferred);
