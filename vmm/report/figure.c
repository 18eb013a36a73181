// SPDX-License-Identifier: MIT
/*
 * figure.c - figures derived from results, and figures as short text.
 *
 * Owns:    nothing; no state.
 * Threads: any.
 * Tested:  as figure.h says.
 */
#include "figure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "count.h"

static double quotient(double part, uint64_t whole)
{
	return whole == 0 ? 0.0 : part / (double)whole;
}

double figure_flushes_per_s(const struct protocol_result *result)
{
	return quotient((double)result->flushes * 1e9, result->measured_ns);
}

double figure_round_per_s(const struct round_figure *round)
{
	return quotient((double)round->flushes * 1e9, round->measured_ns);
}

double figure_per_flush(const struct protocol_result *result, uint64_t events)
{
	return quotient((double)events, result->flushes);
}

/* The payload writes both counts: their sum may not fit. */
uint64_t figure_bad_walks(const struct protocol_result *result)
{
	uint64_t bad = result->walks_poisoned;

	(void)count_add(&bad, result->walks_reused);
	return bad;
}

double figure_taken_pct(const struct protocol_result *result)
{
	return quotient((double)result->taken_ns * 100.0, result->slot_cpu_ns);
}

const struct histogram *figure_times(const struct protocol_result *result,
				     enum figure_times times)
{
	const struct histogram *const all[FIGURE_TIMES] = {
		[FIGURE_WALL] = &result->wall_ns,
		[FIGURE_STALL] = &result->stall_ns,
		[FIGURE_FLOOR] = &result->floor_ns,
		[FIGURE_PTE] = &result->pte_ns,
		[FIGURE_SWITCH] = &result->switch_ns,
	};

	return all[times];
}

bool figure_quantile_ns(const struct histogram *times_ns, enum figure_quantile quantile,
			uint64_t *value_ns)
{
	bool measured = times_ns->count >= figure_quantile_least(quantile);

	*value_ns = measured ? histogram_quantile(times_ns, figure_quantile_share(quantile)) : 0;
	return measured;
}

bool figure_value_ns(const struct run_results *run, const struct figure_key *key,
		     uint64_t *value_ns, uint64_t *samples)
{
	*value_ns = *samples = 0;
	for (uint32_t i = 0; i < run->result_count; i++) {
		const struct histogram *times_ns;

		if (run->results[i].protocol != key->protocol)
			continue;
		times_ns = figure_times(&run->results[i], key->times);
		*samples = times_ns->count;
		return figure_quantile_ns(times_ns, key->quantile, value_ns);
	}
	return false;
}

/* Decimals that leave three digits; 9.996 has one, as it rounds to 10.0. */
static int decimals_of(double value)
{
	if (value < 9.995)
		return 2;
	return value < 99.95 ? 1 : 0;
}

/* @value in the largest of @units, a factor 1000 apart, that leaves it at 1 or more. */
static struct figure_text three_digits(double value, const char *const *units, size_t count)
{
	struct figure_text figure;
	size_t unit = 0;

	for (; value >= 999.5 && unit + 1 < count; unit++)
		value /= 1000.0;
	snprintf(figure.text, sizeof(figure.text), "%.*f%s", decimals_of(value), value, units[unit]);
	return figure;
}

/* The units above seconds are there for what a hostile payload may report. */
struct figure_text figure_time(uint64_t ns)
{
	static const char *const units[] = { "us", "ms", "s", "ks", "Ms", "Gs" };
	struct figure_text figure;

	if (ns >= 1000)
		return three_digits((double)ns / 1000.0, units, sizeof(units) / sizeof(units[0]));
	snprintf(figure.text, sizeof(figure.text), "%" PRIu64 "ns", ns);
	return figure;
}

/* SI, beyond what a count can reach: a rate may be a count in 1 ns. */
static const char *const g_prefixes[] = { "", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q" };
#define PREFIXES (sizeof(g_prefixes) / sizeof(g_prefixes[0]))

struct figure_text figure_count(uint64_t count)
{
	struct figure_text figure;

	if (count >= 10000)
		return three_digits((double)count, g_prefixes, PREFIXES);
	snprintf(figure.text, sizeof(figure.text), "%" PRIu64, count);
	return figure;
}

struct figure_text figure_ratio(double ratio)
{
	struct figure_text figure;

	if (ratio >= 999.5 && ratio < 9999.5)
		snprintf(figure.text, sizeof(figure.text), "%.0f", ratio);
	else if (ratio >= 0.005)
		return three_digits(ratio, g_prefixes, PREFIXES);
	else
		snprintf(figure.text, sizeof(figure.text), "%s", ratio > 0.0 ? "<.01" : "0");
	return figure;
}

struct figure_text figure_quantile(const struct histogram *times_ns,
				   enum figure_quantile quantile)
{
	uint64_t value_ns;

	if (!figure_quantile_ns(times_ns, quantile, &value_ns))
		return (struct figure_text){ "-" };
	return figure_time(value_ns);
}

const char *figure_below(const struct host_facts *host)
{
	return strcmp(host->below, "none") == 0 ? "bare metal" : host->below;
}

const char *figure_kept_on(const struct host_facts *host)
{
	if (!host->emulated)
		return NULL;
	return strcmp(host->kvm, "vmx") == 0 ? "intel,ept=0" : "amd,npt=0";
}

const char *figure_entry_flush(enum entry_flush entry_flush)
{
	switch (entry_flush) {
	case ENTRY_FLUSH_STEAL:
		return "steal";
	case ENTRY_FLUSH_SREGS:
		return "sregs";
	case ENTRY_FLUSH_AUTO:
		break;
	}
	return "unknown";
}

const char *figure_entry_flush_test(const struct run_results *run)
{
	if (run->steal_failed != 0)
		return "tested: steal failed";
	return run->entry_flush_tested ? "tested" : "not tested";
}
