// SPDX-License-Identifier: MIT
/*
 * litmus_table.c - what the litmus tests have shown, as text.
 */
#include <inttypes.h>

#include "figure.h"
#include "line.h"
#include "report.h"

/* "park-in-two-steps/ipi-pending-2017-as-written" */
#define NAME_COLUMNS 46

static bool shows_nothing(const struct litmus_result *result)
{
	return result->checks == 0 || result->complete != result->rounds;
}

const char *litmus_skipped(const struct litmus_result *result)
{
	if (result->skip != NULL)
		return result->skip;
	return shows_nothing(result) || result->lost != 0 ? NULL : result->unless;
}

bool litmus_is_expected(const struct litmus_result *result)
{
	if (litmus_skipped(result) != NULL)
		return true;
	return !shows_nothing(result) && (result->lost != 0) == result->loses;
}

enum exit_status litmus_verdict(const struct litmus_result *results, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!litmus_is_expected(&results[i]))
			return EXIT_WRONG;
	return EXIT_OK;
}

const char *litmus_observed(const struct litmus_result *result)
{
	if (litmus_skipped(result) != NULL)
		return "SKIP";
	if (shows_nothing(result))
		return "nothing";
	return result->lost != 0 ? "lost" : "never";
}

static void print_result(FILE *out, const struct litmus_result *result)
{
	const char *skipped = litmus_skipped(result);

	fprintf(out, "%-*s  %-8s  ", NAME_COLUMNS, result->name, result->loses ? "lost" : "never");
	if (skipped != NULL)
		fprintf(out, "SKIP: %s", skipped);
	else
		fprintf(out, "%-8s", litmus_observed(result));
	if (result->rounds == 0) {
		fprintf(out, "%s\n", litmus_is_expected(result) ? "" : "  DIFFERS");
		return;
	}
	fprintf(out, "  (%" PRIu64 " of %" PRIu64 ")%s\n", result->lost, result->rounds,
		litmus_is_expected(result) ? "" : "  DIFFERS");
	if (result->complete != result->rounds)
		fprintf(out, "  %" PRIu64 " of them came to their end as written\n", result->complete);
}

void litmus_print(FILE *out, const struct run_results *run, const struct litmus_result *results,
		  uint32_t count)
{
	uint32_t differing = 0, skipped = 0;
	uint64_t checks = 0, stale = 0;

	emulated_print(out, run);
	line_print(out, "host kvm-%s on %s, %s, %s", run->host.kvm, figure_below(&run->host),
		   run->host.kernel, run->host.cpu);
	putc('\n', out);
	fprintf(out, "%-*s  %-8s  %-8s  (lost of rounds)\n", NAME_COLUMNS, "litmus", "expected",
		"observed");
	for (uint32_t i = 0; i < count; i++) {
		print_result(out, &results[i]);
		differing += !litmus_is_expected(&results[i]);
		skipped += litmus_skipped(&results[i]) != NULL;
		checks += results[i].checks;
		stale += results[i].stale;
	}
	fprintf(out, "\n%" PRIu32 " as expected, %" PRIu32 " not, %" PRIu32 " skipped; %" PRIu64
		" stale of %" PRIu64 " checks\n", count - differing - skipped, differing, skipped, stale,
		checks);
	if (skipped > 0 && !run->exit_keeps_stale && figure_kept_on(&run->host) != NULL)
		fprintf(out, "what needs a TLB that an exit does not empty: ./run --on %s vmm --litmus\n",
			figure_kept_on(&run->host));
}
