/* SPDX-License-Identifier: MIT */
/*
 * confine_kind.h - the kinds of threads, each with a table of its own (tables.c).
 */
#ifndef CONFINE_KIND_H
#define CONFINE_KIND_H

enum confine_kind {
	CONFINE_MAIN,           /* the event loop, with the io_uring */
	CONFINE_VCPU,
	CONFINE_MOVER,          /* moves pages (--reclaim) */
	CONFINE_RECLAIM,        /* frees tables after a grace period (--shadow-reclaim rcu) */
	CONFINE_KINDS,
};


#endif
