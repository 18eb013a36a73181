// SPDX-License-Identifier: MIT
/*
 * option_table.c - the options: their readers, limits, defaults and texts (option_table.h).
 *
 * Limits that depend on another option are options_parse.c's.
 * Tested: tests/unit/options_are_checked_test.c
 */
#include "option_table.h"

#include <inttypes.h>
#include <string.h>

#include "control.h"
#include "layout.h"
#include "litmus_list.h"
#include "protocol_list.h"
#include "range.h"

#define ALL_STEPS ((UINT32_C(1) << SD_STEPS) - 1)

static void field_store(const struct option_row *row, struct options *options,
			const void *value, size_t bytes)
{
	memcpy((char *)options + row->field, value, bytes);
}

static int value_refuse(const struct option_row *row, const char *value,
			const char *complaint, struct why *why)
{
	return why_set(why, EXIT_USAGE, EINVAL, "--%s %.64s: %s", row->name, value, complaint);
}

static int number_read(const struct option_row *row, const char *value, uint64_t *number,
		       struct why *why)
{
	int error = value_read_u64(value, number);

	if (error == -EINVAL)
		return value_refuse(row, value, "not a whole number", why);
	if (error || *number < row->min || *number > row->max)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--%s %.64s: must be %" PRIu64 " to %" PRIu64,
			       row->name, value, row->min, row->max);
	return 0;
}

static int read_u32(const struct option_row *row, const char *value,
		    struct options *options, struct why *why)
{
	uint64_t number;
	uint32_t narrow;
	int error = number_read(row, value, &number, why);

	if (error)
		return error;
	narrow = (uint32_t)number;
	field_store(row, options, &narrow, sizeof(narrow));
	return 0;
}

static int read_u64(const struct option_row *row, const char *value,
		    struct options *options, struct why *why)
{
	uint64_t number;
	int error = number_read(row, value, &number, why);

	if (!error)
		field_store(row, options, &number, sizeof(number));
	return error;
}

static int read_seconds(const struct option_row *row, const char *value,
			struct options *options, struct why *why)
{
	double min_s = (double)row->min / 1000, max_s = (double)row->max / 1000;
	double seconds;

	if (value_read_decimal(value, &seconds))
		return value_refuse(row, value, "not a number of seconds", why);
	if (seconds < min_s || seconds > max_s)
		return why_set(why, EXIT_USAGE, EINVAL, "--%s %.64s: must be %g to %g",
			       row->name, value, min_s, max_s);
	field_store(row, options, &seconds, sizeof(seconds));
	return 0;
}

static int read_text(const struct option_row *row, const char *value,
		     struct options *options, struct why *why)
{
	(void)why;
	field_store(row, options, &value, sizeof(value));
	return 0;
}

static int read_seed(const struct option_row *row, const char *value,
		     struct options *options, struct why *why)
{
	if (value_read_seed(value, &options->seed))
		return value_refuse(row, value, "must be a 64-bit number, decimal or 0x...", why);
	return 0;
}

static int read_cpus(const struct option_row *row, const char *value,
		     struct options *options, struct why *why)
{
	if (value_read_cpus(value, &options->cpus))
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--%s %.64s: must be a list such as 0-3,8 of CPUs 0 to %d",
			       row->name, value, CPUS_MAX - 1);
	options->cpus_given = true;
	return 0;
}

/* @unknown is the item of the list @value that is none of @known; @before stands
 * before the list on the command line. */
static int item_refuse(const struct option_row *row, const char *value, const char *before,
		       const char *unknown, const char *known, struct why *why)
{
	size_t bytes = strcspn(unknown, ",");

	if (bytes == 0)
		return value_refuse(row, value, "a name in the list is empty", why);
	return why_set(why, EXIT_USAGE, EINVAL, "--%s %s%.*s: unknown; one of %s", row->name,
		       before, bytes < 64 ? (int)bytes : 64, unknown, known);
}

static int read_protocols(const struct option_row *row, const char *value,
			  struct options *options, struct why *why)
{
	const char *unknown;

	if (!protocol_list_read(value, options->protocols, &options->protocol_count, &unknown))
		return 0;
	return item_refuse(row, value, "", unknown, protocol_list_known(), why);
}

static int name_refuse(const struct option_row *row, const char *value, struct why *why)
{
	char names[128];

	value_names_text(names, sizeof(names), row->names, " or ");
	return why_set(why, EXIT_USAGE, EINVAL, "--%s %.64s: must be %s", row->name, value, names);
}

/* The field is an enumeration. */
static int read_name(const struct option_row *row, const char *value,
		     struct options *options, struct why *why)
{
	uint32_t number;

	if (value_read_name(value, strlen(value), row->names, &number))
		return name_refuse(row, value, why);
	field_store(row, options, &number, sizeof(number));
	return 0;
}

/* at-step alone is all of them; @value is "at-step" or "at-step=...". */
static int steps_read(const struct option_row *row, const char *value, uint32_t *steps,
		      struct why *why)
{
	const char *list = strchr(value, '='), *unknown;
	char known[128];

	*steps = ALL_STEPS;
	if (!list || !value_read_name_set(list + 1, row->parts, steps, &unknown))
		return 0;
	value_names_text(known, sizeof(known), row->parts, ", ");
	return item_refuse(row, value, "at-step=", unknown, known, why);
}

static int read_preempt(const struct option_row *row, const char *value,
			struct options *options, struct why *why)
{
	size_t bytes = strcspn(value, "=");
	uint32_t preempt, steps = 0;
	int error = 0;

	if (value_read_name(value, bytes, row->names, &preempt) ||
	    (value[bytes] != '\0' && preempt != PREEMPT_AT_STEP))
		return name_refuse(row, value, why);
	if (preempt == PREEMPT_AT_STEP)
		error = steps_read(row, value, &steps, why);
	options->preempt = (enum preempt)preempt;
	options->steps = steps;
	return error;
}

static int read_extras(const struct option_row *row, const char *value,
		       struct options *options, struct why *why)
{
	const char *unknown;
	char known[64];

	if (!value_read_name_set(value, row->names, &options->extras, &unknown))
		return 0;
	value_names_text(known, sizeof(known), row->names, ", ");
	return item_refuse(row, value, "", unknown, known, why);
}

/* @item of @bytes is one of a list of figures. */
static int figure_refuse(const struct option_row *row, const char *item, size_t bytes,
			 const char *complaint, struct why *why)
{
	return why_set(why, EXIT_USAGE, EINVAL, "--%s %.*s: %s", row->name,
		       bytes < 64 ? (int)bytes : 64, item, complaint);
}

/* Reads item number @index of a list; NULL, or what is wrong with it. */
typedef const char *(*figure_reader)(struct options *options, uint32_t index, const char *item,
				     size_t bytes);

static int figures_read(const struct option_row *row, const char *value, struct options *options,
			figure_reader read, uint32_t *count, struct why *why)
{
	*count = 0;
	for (const char *item = value;; item++) {
		size_t bytes = strcspn(item, ",");
		const char *complaint = *count == OPTIONS_MAX_FIGURES
			? "more than 32" : read(options, *count, item, bytes);

		if (complaint != NULL)
			return figure_refuse(row, item, bytes, complaint, why);
		++*count;
		item += bytes;
		if (*item == '\0')
			return 0;
	}
}

static const char *read_limit(struct options *options, uint32_t index, const char *item,
			      size_t bytes)
{
	return figure_limit_read(item, bytes, &options->fail_over[index]);
}

static const char *read_key(struct options *options, uint32_t index, const char *item,
			    size_t bytes)
{
	return figure_key_read(item, bytes, &options->print[index]);
}

static int read_limits(const struct option_row *row, const char *value,
		       struct options *options, struct why *why)
{
	return figures_read(row, value, options, read_limit, &options->fail_over_count, why);
}

static int read_keys(const struct option_row *row, const char *value,
		     struct options *options, struct why *why)
{
	return figures_read(row, value, options, read_key, &options->print_count, why);
}

static int read_flag(const struct option_row *row, const char *value,
		     struct options *options, struct why *why)
{
	const bool given = true;

	(void)value, (void)why;
	field_store(row, options, &given, sizeof(given));
	return 0;
}

/* The number that the row has as its field is the action. */
static int read_action(const struct option_row *row, const char *value,
		       struct options *options, struct why *why)
{
	(void)value, (void)why;
	options->action = (enum options_action)row->field;
	return 0;
}

static int read_litmus(const struct option_row *row, const char *value,
		       struct options *options, struct why *why)
{
	if (value != NULL && !litmus_list_has(value))
		return why_set(why, EXIT_USAGE, EINVAL, "--%s %.64s: unknown; one of %s", row->name,
			       value, litmus_list_known());
	options->action = OPTIONS_LITMUS;
	options->litmus = value;
	return 0;
}

static int read_on(const struct option_row *row, const char *value, struct options *options,
		   struct why *why)
{
	char complaint[256];

	options->on = value;
	if (host_spec_parse(value, &options->host, complaint, sizeof(complaint)) != 0)
		return why_set(why, EXIT_USAGE, EINVAL, "--%s %s", row->name, complaint);
	return 0;
}

#define VALUE(n, reader) \
	.name = n, .read = reader
#define TEXT(n, member) \
	.name = n, .read = read_text, .field = offsetof(struct options, member)
#define NAME(n, member, words) \
	.name = n, .read = read_name, .field = offsetof(struct options, member), .names = words
#define FLAG(n, member) \
	.name = n, .read = read_flag, .field = offsetof(struct options, member)
#define NUMBER(n, reader, member, lowest, highest) \
	.name = n, .read = reader, .field = offsetof(struct options, member), \
	.min = lowest, .max = highest
#define ACTION(n, action) \
	.name = n, .read = read_action, .field = action

#define STRING_OF(value) #value
#define STRING(value) STRING_OF(value)

/* read_name() writes four bytes. */
_Static_assert(sizeof(enum workload) == sizeof(uint32_t) &&
	       sizeof(enum table_free) == sizeof(uint32_t) &&
	       sizeof(enum shadow_reclaim) == sizeof(uint32_t) &&
	       sizeof(enum confine_mode) == sizeof(uint32_t) &&
	       sizeof(enum entry_flush) == sizeof(uint32_t), "an enumeration is no uint32_t");

const struct option_row g_option_rows[OPTION_ROWS] = {
	{ .heading = "The machine", VALUE("on", read_on),
	  .value = "host", .names = &g_host_names, .initial = "auto",
	  .text = "whose KVM, this machine's or an emulated one's" },
	{ NUMBER("vcpus", read_u32, vcpus, 1, SD_MAX_VCPUS),
	  .value = "N", .initial = "8", .text = "vCPUs" },
	{ NUMBER("overcommit", read_u32, overcommit, 1, SD_MAX_VCPUS),
	  .value = "K", .otherwise = "4, or all if fewer", .text = "vCPUs that share a slot" },
	{ VALUE("cpus", read_cpus),
	  .value = "list", .otherwise = "all",
	  .text = "CPUs that the slots are pinned to, as in 0-3,8" },
	{ NUMBER("slice-us", read_u32, slice_us, 50, 10000000),
	  .value = "us",
	  .otherwise = STRING(SLICE_US) ", emulated " STRING(SLICE_US_EMULATED),
	  .text = "how long a vCPU keeps its slot" },
	{ VALUE("preempt", read_preempt),
	  .value = "policy", .names = &g_preempt_names, .parts = &g_step_names,
	  .initial = "slice", .text = "what takes a vCPU off its slot" },
	{ NUMBER("ple", read_u32, ple_us, 0, 1000000),
	  .value = "us", .initial = "0", .otherwise = "0, never",
	  .text = "take the slot from a vCPU that has spun this long" },
	{ NUMBER("sleepers", read_u32, sleepers, 0, SD_MAX_VCPUS - 1),
	  .value = "N", .initial = "0", .text = "vCPUs that are asleep most of the time" },
	{ NUMBER("realtime", read_u32, realtime, 0, 99),
	  .value = "priority", .initial = "0", .otherwise = "0, off",
	  .text = "SCHED_FIFO priority of the vCPU threads" },
	{ NAME("entry-flush", entry_flush, &g_entry_flush_names),
	  .value = "way", .initial = "auto",
	  .text = "how a TLB is flushed before its vCPU runs again" },
	{ FLAG("clear-pending", clear_pending),
	  .text = "take back the IPI of a request that park has taken over" },
	{ NAME("confine", confine, &g_confine_names),
	  .value = "mode", .initial = CONFINE_DEFAULT_NAME, .text = "seccomp filters" },

	{ .heading = "The measurement", VALUE("protocol", read_protocols),
	  .value = "list", .initial = "safe", .text = "names of protocols, safe or all" },
	{ NUMBER("duration", read_seconds, duration_s, 10, 86400000),
	  .value = "s", .otherwise = STRING(DURATION_S), .text = "seconds for each protocol" },
	{ NUMBER("flushes", read_u64, flushes, 1, UINT64_C(1000000000000)),
	  .value = "N", .otherwise = "no limit",
	  .text = "stop after so many flushes of a protocol" },
	{ NUMBER("warmup", read_seconds, warmup_s, 0, 60000),
	  .value = "s", .initial = "0.1", .text = "seconds at first that do not count" },
	{ NUMBER("repeat", read_u32, repeat, 1, 10000),
	  .value = "R", .initial = "1", .text = "rounds over all protocols" },
	{ NAME("workload", workload, &g_workload_names),
	  .value = "name", .initial = "toggle", .text = "what initiators do" },
	{ NAME("table-free", table_free, &g_table_free_names),
	  .value = "when", .initial = "rcu", .text = "when teardown frees a page table" },
	{ NUMBER("initiators", read_u32, initiators, 1, SD_MAX_INITIATORS),
	  .value = "I", .otherwise = "1, with churn all but the sleepers",
	  .text = "vCPUs that flush" },
	{ NUMBER("pages", read_u32, pages, 1, SD_MAX_PAGES),
	  .value = "P", .initial = "1", .text = "pages of one flush" },
	{ NUMBER("flush-ceiling", read_u32, flush_ceiling, 0, SD_RANGE_MAX_PAGES),
	  .value = "P", .otherwise = "33 as in Linux, 0 where ring 0 is emulated",
	  .text = "flush the whole TLB for more pages than this" },
	{ NUMBER("pace-us", read_u32, pace_us, 0, 1000000),
	  .value = "us", .initial = "100", .text = "pause between two flushes of an initiator" },
	{ NUMBER("reclaim", read_u32, reclaim_hz, 0, 1000000),
	  .value = "rate", .initial = "0", .text = "pages that the host moves each second" },
	{ NAME("shadow-reclaim", shadow_reclaim, &g_shadow_reclaim_names),
	  .value = "how", .initial = "mode",
	  .text = "how the VMM holds back freed page tables of its own" },
	{ VALUE("seed", read_seed),
	  .value = "X", .initial = "1", .text = "for all that is random, decimal or with 0x" },

	{ .heading = "Results", TEXT("out", out),
	  .value = "dir", .initial = "./out", .text = "folder for the files" },
	{ TEXT("csv", csv),
	  .value = "file", .text = "instead of flush-latency.csv in that folder" },
	{ TEXT("json", json),
	  .value = "file", .text = "instead of summary.json in that folder" },
	{ TEXT("trace", trace),
	  .value = "file", .text = "write a timeline, for Perfetto" },
	{ NUMBER("break-over", read_u64, break_over_us, 1, 1000000000),
	  .value = "us", .text = "end the run at the first flush with a longer stall" },
	{ VALUE("fail-over", read_limits),
	  .value = "list", .text = "limits, as generation:stall.p99=200us; status 6 above one" },
	{ FLAG("require-proof", require_proof),
	  .text = "status 1 where a safe protocol has shown nothing" },
	{ VALUE("print", read_keys),
	  .value = "list", .text = "no table, but these figures in ns, as ipi:wall.max" },
	{ VALUE("extra", read_extras),
	  .value = "list", .names = &g_extra_names, .list = true, .text = "more tables and files" },
	{ FLAG("quiet", quiet), .letter = 'q', .text = "no progress line" },

	{ .heading = "Instead of a run", ACTION("host", OPTIONS_HOST),
	  .text = "print what KVM is here, and what its primitives cost" },
	{ VALUE("litmus", read_litmus),
	  .value = "name", .optional = true,
	  .text = "play the known ways to lose a flush, step by step" },
	{ ACTION("list-protocols", OPTIONS_LIST_PROTOCOLS),
	  .text = "print the protocols, and whether they are safe" },
	{ ACTION("version", OPTIONS_VERSION), .text = "print the version" },
	{ ACTION("help", OPTIONS_HELP), .letter = 'h', .text = "print a summary of the options" },
};
