// SPDX-License-Identifier: MIT
/*
 * threshold.c - figures by name: did they stay below what --fail-over allows, and what
 * --print wants.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  tests/unit/thresholds_are_kept_or_told_test.c
 */
#include "report.h"

#include <inttypes.h>

#include "figure.h"
#include "line.h"

enum threshold threshold_of(const struct run_results *run, const struct figure_limit *limit,
			    uint64_t *value_ns)
{
	uint64_t samples;

	if (!figure_value_ns(run, &limit->key, value_ns, &samples))
		return THRESHOLD_UNMEASURED;
	return *value_ns > limit->limit_ns ? THRESHOLD_EXCEEDED : THRESHOLD_HELD;
}

void print_figures(FILE *out, const struct run_results *run)
{
	for (uint32_t i = 0; i < run->options->print_count; i++) {
		uint64_t samples, value_ns;

		if (figure_value_ns(run, &run->options->print[i], &value_ns, &samples))
			fprintf(out, "%" PRIu64 "\n", value_ns);
		else
			fputs("-\n", out);
	}
}

/* "not measured", or of how many samples and how many it takes. */
static void say_unmeasured(FILE *messages, const struct run_results *run,
			   const struct figure_limit *limit, const char *name)
{
	uint64_t value_ns, samples;

	(void)figure_value_ns(run, &limit->key, &value_ns, &samples);
	fprintf(messages, "%s: not measured", name);
	if (samples != 0)
		fprintf(messages, " (%" PRIu64 " sample%s, it takes %" PRIu64 ")", samples,
			line_plural(samples), figure_quantile_least(limit->key.quantile));
	fprintf(messages, ", so nothing shows that it keeps below %" PRIu64 " ns\n",
		limit->limit_ns);
}

/* A run that was cut short does not fail for what it has not measured. */
static bool threshold_fails(const struct run_results *run, enum threshold threshold)
{
	return threshold == THRESHOLD_EXCEEDED ||
		(threshold == THRESHOLD_UNMEASURED && !run->interrupted && !run->broke.broke);
}

enum exit_status thresholds_of(const struct run_results *run, FILE *messages)
{
	enum exit_status status = EXIT_OK;

	for (uint32_t i = 0; i < run->options->fail_over_count; i++) {
		const struct figure_limit *limit = &run->options->fail_over[i];
		char name[FIGURE_KEY_BYTES];
		uint64_t value_ns;
		enum threshold threshold = threshold_of(run, limit, &value_ns);

		figure_key_text(name, &limit->key);
		if (threshold == THRESHOLD_EXCEEDED)
			fprintf(messages, "%s: %" PRIu64 " ns, over the limit of %" PRIu64 " ns\n",
				name, value_ns, limit->limit_ns);
		else if (threshold == THRESHOLD_UNMEASURED)
			say_unmeasured(messages, run, limit, name);
		if (threshold_fails(run, threshold))
			status = EXIT_THRESHOLD;
	}
	return status;
}
