/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the user wants: the command line, when it has been checked.
 *
 * Tested: tests/unit/options_are_checked_test.c
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cpus.h"
#include "figure_key.h"
#include "host_spec.h"
#include "protocols.h"
#include "why.h"

enum options_action {
	OPTIONS_RUN,
	OPTIONS_HOST,           /* --host */
	OPTIONS_LITMUS,         /* --litmus */
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

/* What the initiators do: a job of the payload. */
enum workload {
	WORKLOAD_TOGGLE,        /* remap a window and flush */
	WORKLOAD_CHURN,         /* map, touch, work, unmap and flush: ebizzy's shape */
	WORKLOAD_TEARDOWN,      /* build page tables, tear them down, free them */
};

/* When WORKLOAD_TEARDOWN frees a table. */
enum table_free {
	TABLE_FREE_RCU,         /* after the flush and a grace period */
	TABLE_FREE_NOW,         /* after the flush */
};

/* Who takes vCPUs off their CPU, and when. */
enum preempt {
	PREEMPT_SLICE,          /* the end of a slice, on a grid; first in, first out */
	PREEMPT_RANDOM,         /* slices of random length, the next one drawn; seeded */
	PREEMPT_AT_STEP,        /* as slice, and between two steps of the handshake */
	PREEMPT_HOST,           /* the host's scheduler alone */
};

/* How the secondary MMU holds back tables that it frees: vmm/shadow/reclaim.h. */
enum shadow_reclaim {
	SHADOW_RECLAIM_MODE,
	SHADOW_RECLAIM_RCU,
	SHADOW_RECLAIM_COUNTER,
};

/* The seccomp filters: confine/confine.h. */
enum confine_mode {
	CONFINE_ON,             /* a call that is not in the table ends the run */
	CONFINE_LOG,            /* it is named on stderr, and made */
	CONFINE_OFF,
};

/* Sanitizers make calls of their own, and coverage opens files at the end. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(VMM_INSTRUMENTED)
#define CONFINE_DEFAULT_NAME "off"
#else
#define CONFINE_DEFAULT_NAME "on"
#endif

/* --flush-ceiling not given: by what a page costs here (host_survey()). */
#define FLUSH_CEILING_AUTO UINT32_MAX

/* --extra: results that not everybody wants. */
enum extra {
	EXTRA_EXITS,            /* a table of the exits to userspace */
	EXTRA_FLUSHES,          /* flushes on entry that KVM has done: flush_counter.h */
	EXTRA_HGRM,             /* files with percentiles of FIGURE_FILES times, one a protocol */
	EXTRA_HIST,             /* files with histograms of the same, as cyclictest's */
	EXTRAS
};

/* Names in one --fail-over or --print. */
#define OPTIONS_MAX_FIGURES 32

struct options {
	enum options_action action;
	const char *on;                 /* --on as it was said */
	struct host_spec host;          /* and what it means: where KVM is */
	uint32_t vcpus;                 /* 1 to SD_MAX_VCPUS */
	uint32_t overcommit;            /* vCPUs a slot, 1 to vcpus */
	uint32_t slots;                 /* ceil(vcpus / overcommit) */
	uint32_t slice_us;
	bool slice_given;               /* --slice-us; else it follows the host: options_suit_host() */
	bool cpus_given;
	struct cpus cpus;               /* --cpus; empty unless cpus_given */
	enum sd_protocol protocols[SD_PROTOCOLS]; /* in the order given, none twice */
	uint32_t protocol_count;
	bool duration_given;            /* false with --flushes alone: no deadline */
	double duration_s;              /* a protocol and round */
	uint64_t flushes;               /* recorded, all initiators together; 0 no limit */
	double warmup_s;
	uint32_t repeat;
	uint32_t initiators;            /* 1 to min(vcpus - sleepers, SD_MAX_INITIATORS) */
	uint32_t pace_us;
	uint32_t pages;                 /* of one flush, 1 to SD_MAX_PAGES */
	uint32_t flush_ceiling;         /* more pages than this: a full flush; or _AUTO;
	                                   WORKLOAD_TEARDOWN: 0 */
	uint32_t sleepers;              /* vCPUs asleep most of the time; no initiators */
	enum workload workload;
	enum table_free table_free;     /* of WORKLOAD_TEARDOWN */
	enum preempt preempt;
	uint32_t steps;                 /* PREEMPT_AT_STEP: bits 1 << SD_STEP_, not 0 */
	uint32_t ple_us;                /* spun so long: off the slot; 0 never */
	bool clear_pending;             /* take a transferred request's IPI back */
	uint32_t reclaim_hz;            /* pages that the host moves each second; 0 none */
	enum shadow_reclaim shadow_reclaim;
	uint32_t realtime;              /* SCHED_FIFO priority, 0 off */
	uint64_t seed;
	enum entry_flush entry_flush;
	enum confine_mode confine;
	const char *out;                /* folder */
	const char *csv;                /* file, NULL: out/flush-latency.csv */
	const char *json;               /* file, NULL: out/summary.json (--host: none) */
	const char *litmus;             /* OPTIONS_LITMUS: which, NULL: all */
	const char *trace;              /* file, NULL: none */
	uint64_t break_over_us;         /* stall that ends the run; 0 none */
	struct figure_limit fail_over[OPTIONS_MAX_FIGURES];
	uint32_t fail_over_count;
	struct figure_key print[OPTIONS_MAX_FIGURES]; /* instead of the table */
	uint32_t print_count;
	uint32_t extras;                /* bits 1 << EXTRA_ */
	bool quiet;
	bool require_proof;             /* status 1 where the counts prove nothing */
	const char *payload;            /* ELF file, NULL: the built-in one */
};

/* options_wants - is @extra asked for? */
static inline bool options_wants(const struct options *options, enum extra extra)
{
	return options->extras >> extra & 1;
}

/* workload_name, table_free_name, shadow_reclaim_name, preempt_name, confine_name,
 * step_name - as on the command line.
 * @step is an SD_STEP_. */
const char *workload_name(enum workload workload);
const char *table_free_name(enum table_free table_free);
const char *shadow_reclaim_name(enum shadow_reclaim shadow_reclaim);
const char *preempt_name(enum preempt preempt);
const char *confine_name(enum confine_mode confine);
const char *step_name(uint32_t step);

#endif
