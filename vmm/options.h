/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line, checked.
 *
 * Pure: reads argv and nothing else, so it is tested without KVM.
 * Tested: tests/unit/options_are_checked_test.c
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "protocols.h"
#include "why.h"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_HOST,           /* --host */
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_LIST_PROTOCOLS,
};

/* Which way a vCPU's TLB is flushed on entry. */
enum entry_flush {
	ENTRY_FLUSH_AUTO,       /* by the functional test at start */
	ENTRY_FLUSH_STEAL,      /* KVM_VCPU_FLUSH_TLB in the steal-time region */
	ENTRY_FLUSH_SREGS,      /* KVM_SET_SREGS with CR4.PGE toggled */
};

struct options {
	enum options_action action;
	uint32_t vcpus;                 /* 1 to SD_MAX_VCPUS */
	uint32_t overcommit;            /* vCPUs a slot, 1 to vcpus */
	uint32_t slots;                 /* ceil(vcpus / overcommit) */
	uint32_t slice_us;
	bool cpus_given;
	cpu_set_t cpus;                 /* --cpus; empty unless cpus_given */
	enum sd_protocol protocols[SD_PROTOCOLS]; /* in the order given, none twice */
	uint32_t protocol_count;
	bool duration_given;            /* false with --flushes alone: no deadline */
	double duration_s;              /* a protocol and round */
	uint64_t flushes;               /* recorded, all initiators together; 0 no limit */
	double warmup_s;
	uint32_t repeat;
	uint32_t initiators;            /* 1 to min(vcpus, SD_MAX_INITIATORS) */
	uint32_t pace_us;
	uint32_t realtime;              /* SCHED_FIFO priority, 0 off */
	uint64_t seed;
	enum entry_flush entry_flush;
	const char *out;                /* folder */
	const char *csv;                /* file, NULL: out/flush-latency.csv */
	const char *json;               /* file, NULL: out/summary.json (--host: none) */
	bool quiet;
	const char *payload;            /* ELF file, NULL: the built-in one */
};

/**
 * options_parse - fill @options from the command line.
 *
 * Errors:  -EINVAL with one line in @why (EXIT_USAGE): unknown option or value,
 *          a number out of range, an unknown protocol (with the list).
 */
__attribute__((warn_unused_result))
int options_parse(int argc, char **argv, struct options *options, struct why *why);

/* options_help - the text of --help: fits 80 x 40. */
const char *options_help(void);

/* protocol_name, protocol_kind - columns of protocols.def. */
const char *protocol_name(enum sd_protocol protocol);
enum sd_protocol_kind protocol_kind(enum sd_protocol protocol);

#endif
