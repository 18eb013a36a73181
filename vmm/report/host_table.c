// SPDX-License-Identifier: MIT
/*
 * host_table.c - the text of --host: what this KVM host is, what it costs.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/table_shows_every_protocol_test.c
 */
#include "report.h"

#include "figure.h"
#include "line.h"

/* Is the slice neither what the user has said nor what it is elsewhere? options_suit_host() */
static bool slice_follows_host(const struct options *options)
{
	return options->action == OPTIONS_RUN && options->preempt != PREEMPT_HOST &&
		!options->slice_given;
}

void emulated_print(FILE *out, const struct run_results *run)
{
	if (run->host.emulated)
		line_print(out, "emulated host (%s): times are an emulator's and mean ratios only%s",
			   run->host.below, slice_follows_host(run->options)
			   ? "; slices of 20 ms by default" : "");
}

static void facts_print(FILE *out, const struct run_results *run)
{
	const struct host_facts *host = &run->host;

	emulated_print(out, run);
	line_print(out, "%-14s %s, at most %u vCPUs", "KVM", host->kvm, host->max_vcpus);
	line_print(out, "%-14s %s", "below KVM", host->below);
	line_print(out, "%-14s %s", "kernel", host->kernel);
	line_print(out, "%-14s %s", "CPU", host->cpu);
	line_print(out, "%-14s %u, load %.2f", "CPUs online", host->cpus_online, host->load_1m);
	line_print(out, "%-14s %.3f GHz, clocksource %s", "TSC", (double)host->tsc_hz / 1e9,
		   host->clocksource);
	line_print(out, "%-14s %s", "mitigations", host->mitigations);
	line_print(out, "%-14s 0x%08x", "PV features", host->pv_features);
	line_print(out, "%-14s marked by %s", "preempted byte",
		   host->marks_preempted ? "KVM and the VMM" : "the VMM only");
	line_print(out, "%-14s by %s (%s)", "entry flush", figure_entry_flush(run->entry_flush),
		   figure_entry_flush_test(run));
	line_print(out, "%-14s %s", "confine", confine_name(run->options->confine));
	line_print(out, "%-14s %s stale translations", "exits", run->exit_keeps_stale ? "keep" : "drop");
}

static void cost_print(FILE *out, const char *what, const struct histogram *cost_ns)
{
	if (cost_ns->count == 0) {
		fprintf(out, "%-36s not measured\n", what);
		return;
	}
	fprintf(out, "%-36s %7s %7s %7s %8s\n", what,
		figure_quantile(cost_ns, FIGURE_P50).text, figure_quantile(cost_ns, FIGURE_P90).text,
		figure_quantile(cost_ns, FIGURE_P99).text,
		figure_count(cost_ns->count).text);
}

void host_print(FILE *out, const struct run_results *run, const struct host_costs *costs)
{
	facts_print(out, run);
	fprintf(out, "\n%-36s %7s %7s %7s %8s\n", "primitive", "p50", "p90", "p99", "samples");
	cost_print(out, "IPI round trip", &costs->ipi_round_trip_ns);
	cost_print(out, "shootdown floor, one running target", &costs->shootdown_floor_ns);
	cost_print(out, "reading of the clock, in the guest", &costs->clock_ns);
	cost_print(out, "gate, ring 3 to ring 0 and back", &costs->gate_ns);
	cost_print(out, "exit to userspace and back", &costs->exit_ns);
	cost_print(out, "kick of a vCPU out of the guest", &costs->kick_ns);
	cost_print(out, "kick for a changed mapping", &costs->kick_flush_ns);
	cost_print(out, "flush on entry, steal time", &costs->flush_on_entry_steal_ns);
	cost_print(out, "flush on entry, KVM_SET_SREGS", &costs->flush_on_entry_sregs_ns);
	cost_print(out, "futex hand-over on one CPU", &costs->futex_handover_ns);
	cost_print(out, "slot switch", &costs->slot_switch_ns);
}
