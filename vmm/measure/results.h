/* SPDX-License-Identifier: MIT */
/*
 * results.h - what a run has measured: filled by the session, read by the
 * report. Times are nanoseconds; the TSC was converted when samples were read.
 */
#ifndef RESULTS_H
#define RESULTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "exit_kind.h"
#include "histogram.h"
#include "options.h"

/* One flush, converted: a row of the CSV. */
struct flush_row {
	uint64_t start_ns;              /* since the protocol's start, guest's TSC */
	uint64_t pte_ns;
	uint64_t wall_ns;
	uint64_t stall_ns;
	uint32_t run;                   /* round of --repeat, from 0 */
	uint32_t seq;
	uint32_t initiator;
	uint32_t targets;
	uint32_t ipis;
	uint32_t deferred;
	uint32_t taken_over;
	uint32_t pages;
};

/* One round of one protocol. */
struct round_figure {
	uint64_t flushes;               /* recorded */
	uint64_t measured_ns;           /* recording */
	uint64_t decisions;             /* --preempt random: dispatches of all slots */
	uint64_t decisions_digest;      /* of each slot's first PREEMPT_DIGESTED; 0 none */
};

/* --reclaim: pages moved while others read them, over all protocols. */
struct moved_pages {
	uint64_t moves;
	uint64_t checks;                /* stamps read by the VMM, through its secondary MMU */
	uint64_t wrong;                 /* of these */
	uint64_t loads;                 /* stamps read by vCPUs */
	uint64_t loads_wrong;           /* of these */
	bool saturated;                 /* the last two did not fit: count.h */
	uint64_t walks;                 /* of the secondary MMU, stamps or not */
	uint64_t faults;                /* of these, filled from the guest's tables */
	uint64_t retries;               /* fills that a move or a flush had overtaken */
	uint64_t tables_freed;
	uint64_t tables_held_most;      /* unlinked and not yet freed */
};

/* Exits to userspace of one kind, warm-up included. Times are those out of the guest, without
 * parks. */
struct exit_figure {
	uint64_t count;
	uint64_t total_ns;
	uint64_t max_ns;
};

/* All rounds of one protocol together. */
struct protocol_result {
	enum sd_protocol protocol;
	uint32_t rounds;                /* finished or interrupted with results */
	uint64_t flushes;               /* recorded */
	uint64_t measured_ns;           /* recording, all rounds */
	struct histogram wall_ns;
	struct histogram stall_ns;
	struct histogram floor_ns;
	struct histogram pte_ns;
	struct histogram switch_ns;     /* park of one vCPU to KVM_RUN of the next */
	uint64_t over_quarter_slice;    /* stalls above slice / 4 */
	uint64_t checks;                /* of the oracle, warm-up included */
	uint64_t stale;
	uint32_t targets;               /* vCPUs that somebody else flushes */
	uint32_t targets_watched;       /* of these, looked before and after a flush; in the round
	                                   with the most of them */
	uint64_t watched;               /* how often, all of them together */
	uint64_t stale_saw;             /* epochs of one stale load, for the message */
	uint64_t stale_expected;
	uint64_t skipped;               /* targets a control left alone */
	uint64_t ipis;                  /* of the recorded flushes, and so on */
	uint64_t deferred;
	uint64_t takeovers;
	uint64_t transfers;             /* parks that took over an unserved request */
	uint64_t spurious_ipis;         /* IPIs found pending for a transferred request */
	uint64_t yields;                /* slots given up or asked for by initiators */
	uint64_t kicks;                 /* vCPUs signalled out of the guest by a request */
	uint64_t sleeps;                /* vCPUs that went off their slot to sleep */
	uint64_t wakes;                 /* of these, ended by another vCPU's doorbell */
	uint64_t spun;                  /* slices lost for spinning: --ple */
	uint64_t steps;                 /* parks between two steps of the handshake */
	uint64_t by_page;               /* requests that a handler served page by page */
	uint64_t cleared_ipis;          /* of spurious_ipis: taken back before entry */
	uint64_t walks;                 /* of page tables, with interrupts off; WORKLOAD_TEARDOWN */
	uint64_t walks_poisoned;        /* of these, met a table that had been freed */
	uint64_t walks_reused;          /* met one that was another's by then */
	uint64_t tables_freed;
	uint64_t tables_held_max;       /* most at a time, unlinked and not yet freed */
	uint64_t graces;                /* grace periods */
	uint64_t grace_ns;              /* mean length of one */
	uint64_t vcpu_cpu_ns;           /* CPU time of the vCPU threads while recording */
	uint64_t entry_flushes_asked;   /* in KVM's byte: taken away by a KVM_RUN */
	uint64_t entry_flushes_done;    /* by KVM, for that: its tracepoint kvm_pv_tlb_flush */
	uint64_t kvm_reported;          /* KVM marked a vCPU preempted (preemption_reported) */
	uint64_t kvm_other;             /* scheduled out, and not marked (preemption_other) */
	struct exit_figure exits[EXIT_KINDS];
	struct round_figure *by_round;  /* [options->repeat]; the first `rounds` are filled */
	bool saturated;                 /* a sum of counts that the payload wrote did not fit, and
	                                   stands at UINT64_MAX */
	uint64_t switches;
	uint64_t dropped;               /* samples the ring had no room for */
	uint64_t sample_ns;             /* mean cost of recording one sample */
	/* What the slots' CPUs gave to others than vCPU threads. */
	uint64_t slot_cpu_ns;           /* CPU time the slots had */
	uint64_t taken_ns;              /* of it, not used by vCPU threads */
	uint64_t steal_ns;              /* /proc/stat steal of these CPUs */
	uint64_t involuntary_switches;  /* of vCPU threads */
	uint64_t throttles;             /* times that a cgroup's quota was used up */
	uint64_t throttled_ns;          /* for how long, all CPUs together */
	uint64_t strayed;               /* parks on another CPU than the slot's */
	uint64_t clipped;               /* flushes parked for longer than they took: stall 0 */
	bool disturbed;                 /* taken_ns above 2 % of slot_cpu_ns */
};

/* What this KVM host is. Strings are never NULL. */
struct host_facts {
	char kernel[128];               /* uname: sysname release */
	char cpu[128];                  /* model name */
	char kvm[16];                   /* "vmx", "svm", "pvm" or "unknown" */
	char below[64];                 /* what KVM runs on: host_below.h */
	bool emulated;                  /* that is an emulator: so are all times */
	char mitigations[64];           /* /sys/devices/system/cpu/vulnerabilities digest or "unknown" */
	char clocksource[32];
	uint64_t clock_step_ns;         /* by which CLOCK_MONOTONIC moves, at least */
	double quota_cpus;              /* of our cgroups; 0: none */
	uint32_t cpus_online;
	uint32_t max_vcpus;             /* KVM_CAP_MAX_VCPUS */
	uint64_t tsc_hz;
	uint32_t pv_features;           /* EAX of CPUID 0x40000001 as KVM offers it */
	bool marks_preempted;           /* KVM itself may write the preempted byte */
	double load_1m;                 /* at start */
};

/* A vCPU at the moment at which a run broke. */
struct vcpu_snapshot {
	const char *state;              /* vcpu_state_name(): "running", "parked", ... */
	uint32_t slot;
	uint32_t request;               /* words of its region: include/word.h */
	uint32_t served;
	uint8_t preempted;
};

/* --break-over: the first flush that was held up too long. */
struct break_result {
	bool broke;
	enum sd_protocol protocol;      /* these two only if it broke */
	struct flush_row row;
	struct vcpu_snapshot *vcpus;    /* [options->vcpus]; NULL without --break-over */
	const char *timeline;           /* file with its last milliseconds */
	const char *file;               /* with what break_text() says */
};

/* How much a timeline holds; of the whole run. */
struct trace_counts {
	uint64_t slices;
	uint64_t arrows;
	uint64_t arrows_lost;           /* requests for which nothing was found that covered them */
	uint64_t dropped;               /* events for which there was no room in a ring */
};

struct run_results {
	const struct options *options;
	int argc;
	char **argv;
	struct host_facts host;
	struct timespec started;        /* CLOCK_REALTIME */
	struct timespec ended;
	enum entry_flush entry_flush;   /* the way in use */
	bool entry_flush_tested;        /* a stale translation was seen to go */
	uint64_t steal_failed;          /* stale translations that survived the steal-time bit,
	                                   which is therefore not in use; 0: it was not tried,
	                                   or it works */
	bool by_page;                   /* flushes go page by page: --flush-ceiling */
	bool kvm_counts_marks;          /* this KVM has the statistics for kvm_reported */
	bool exit_keeps_stale;          /* one was seen to survive a plain exit: a vCPU
	                                   that is parked may keep old translations */
	struct moved_pages moved;
	uint64_t first_instruction_ns;  /* main() to the last vCPU's first doorbell */
	bool interrupted;               /* SIGINT */
	struct break_result broke;
	struct trace_counts trace;      /* zeros without --trace */
	struct cpus slot_cpus;            /* CPUs in use */
	uint32_t result_count;
	struct protocol_result *results; /* [result_count], in the order of options */
	struct round_figure *by_round;  /* all of theirs; to be freed */
};

/* --litmus: one interleaving. Strings are static. */
struct litmus_result {
	const char *name;
	const char *hazard;             /* in one sentence */
	const char *protocol;
	bool loses;                     /* is expected to, each time; else never */
	const char *unless;             /* why this host may not show the loss; NULL: it must */
	const char *skip;               /* why it was not played; NULL: it was */
	uint64_t rounds;                /* played */
	uint64_t complete;              /* of these, every vCPU came where it had to */
	uint64_t lost;                  /* the target used a translation older than a flush */
	uint64_t checks;                /* loads compared */
	uint64_t stale;                 /* of these, too old */
};

/* --host: what the primitives cost. Empty histogram: not measured here. */
struct host_costs {
	struct histogram ipi_round_trip_ns;
	struct histogram shootdown_floor_ns;
	struct histogram clock_ns;              /* two readings, nothing between */
	struct histogram gate_ns;
	struct histogram exit_ns;
	struct histogram kick_ns;               /* of a running vCPU out of the guest */
	struct histogram kick_flush_ns;         /* and that uses what has changed */
	struct histogram flush_on_entry_steal_ns;
	struct histogram flush_on_entry_sregs_ns;
	struct histogram futex_handover_ns;
	struct histogram slot_switch_ns;
};

#endif
