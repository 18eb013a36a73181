/* SPDX-License-Identifier: MIT */
/*
 * run.h - the three things the program does: the bench, --host and --litmus.
 */
#ifndef RUN_H
#define RUN_H

#include "files.h"
#include "machine.h"
#include "options.h"

struct run {
	const struct options *options;
	int argc;
	char **argv;
	uint64_t main_ns;               /* CLOCK_MONOTONIC at the start of main() */
	struct machine_payload payload;
	struct files *files;            /* settled */
};

/* run_bench - every protocol, every round, the report. Returns the exit status. */
enum exit_status run_bench(const struct run *run);

/* run_host - what this host is and what its primitives cost. */
enum exit_status run_host(const struct run *run);

/* run_litmus - the directed interleavings, and whether each has shown what it had to. */
enum exit_status run_litmus(const struct run *run);

#endif
