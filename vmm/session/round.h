/* SPDX-License-Identifier: MIT */
/*
 * round.h - one protocol, one round: warm up, record, stop, add up.
 */
#ifndef ROUND_H
#define ROUND_H

#include "kvm_stats.h"
#include "results.h"
#include "row_file.h"
#include "session.h"
#include "trace.h"

struct round {
	const struct options *options;
	uint32_t number;                /* of --repeat, from 0 */
	bool shows_progress;            /* the live line on stderr */
	struct row_file *csv;           /* NULL: none */
	struct trace *trace;            /* NULL: none */
	struct moved_pages *moved;      /* NULL: nobody asks */
	struct protocol_result *result; /* added to */
	struct break_result *broke;     /* NULL: nothing breaks the run */
	bool interrupted;               /* out: a signal came */
};

/* protocol_result_init - nothing measured yet. */
void protocol_result_init(struct protocol_result *result, enum sd_protocol protocol);

/**
 * round_read_marks - how often KVM has marked the vCPUs preempted, all of them together.
 * Not known where that cannot matter: KVM marks none, and the VMM does.
 *
 * Threads: main, while no vCPU runs.
 * Errors:  EXIT_HOST.
 */
__attribute__((warn_unused_result))
int round_read_marks(struct session *session, struct kvm_marks *sum, struct why *why);

/**
 * round_run - run @round->result->protocol once.
 *
 * Errors:  as session_check(). What was measured up to then is in the result
 *          and in the CSV.
 */
__attribute__((warn_unused_result))
int round_run(struct session *session, struct round *round, struct why *why);

#endif
