// SPDX-License-Identifier: MIT
/*
 * exits_table.c - exits by protocol and reason, in the manner of perf-kvm(1).
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/table_shows_every_protocol_test.c
 */
#include "protocol_list.h"
#include "report.h"

#include "figure.h"
#include "line.h"

static double percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0.0 : (double)part * 100.0 / (double)whole;
}

static struct exit_figure sum_of(const struct protocol_result *result)
{
	struct exit_figure sum = { 0 };

	for (uint32_t kind = 0; kind < EXIT_KINDS; kind++) {
		sum.count += result->exits[kind].count;
		sum.total_ns += result->exits[kind].total_ns;
	}
	return sum;
}

static void rows_print(FILE *out, const struct protocol_result *result)
{
	struct exit_figure sum = sum_of(result);

	for (uint32_t kind = 0; kind < EXIT_KINDS; kind++) {
		const struct exit_figure *figure = &result->exits[kind];

		if (figure->count == 0)
			continue;
		line_print(out, "%-16s %-12s %7s %6.1f%% %6.1f%%  %6s %6s %6s",
			   protocol_name(result->protocol), exit_kind_name(kind),
			   figure_count(figure->count).text, percent(figure->count, sum.count),
			   percent(figure->total_ns, sum.total_ns),
			   figure_time(figure->total_ns).text,
			   figure_time(figure->total_ns / figure->count).text,
			   figure_time(figure->max_ns).text);
	}
}

void exits_print(FILE *out, const struct run_results *run)
{
	fprintf(out, "\n%-16s %-12s %7s %7s %7s  %6s %6s %6s\n", "protocol", "exit", "count",
		"count%", "time%", "time", "mean", "max");
	for (uint32_t i = 0; i < run->result_count; i++)
		rows_print(out, &run->results[i]);
	line_print(out, "exits to userspace, warm-up included; time is out of the guest, parks apart");
}
