// SPDX-License-Identifier: MIT
/*
 * option_table.c - the options with their readers and limits (option_table.h).
 *
 * Limits that depend on another option are options.c's.
 * Tested: tests/unit/options_are_checked_test.c
 */
#include "option_table.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "control.h"
#include "layout.h"
#include "litmus_list.h"
#include "protocol_list.h"
#include "range.h"

#define ALL_STEPS ((UINT32_C(1) << SD_STEPS) - 1)

static const char *const g_workloads[] = {
	[WORKLOAD_TOGGLE] = "toggle",
	[WORKLOAD_CHURN] = "churn",
	[WORKLOAD_TEARDOWN] = "teardown",
};

static const char *const g_table_frees[] = {
	[TABLE_FREE_RCU] = "rcu",
	[TABLE_FREE_NOW] = "now",
};

static const char *const g_shadow_reclaims[] = {
	[SHADOW_RECLAIM_MODE] = "mode",
	[SHADOW_RECLAIM_RCU] = "rcu",
	[SHADOW_RECLAIM_COUNTER] = "counter",
};

static const char *const g_preempts[] = {
	[PREEMPT_SLICE] = "slice",
	[PREEMPT_RANDOM] = "random",
	[PREEMPT_AT_STEP] = "at-step",
	[PREEMPT_HOST] = "host",
};

static const char *const g_steps[] = {
	[SD_STEP_POSTED] = "posted",
	[SD_STEP_READ] = "read",
	[SD_STEP_FLUSHED] = "flushed",
	[SD_STEP_SERVED] = "served",
	[SD_STEP_PUBLISH] = "publish",
	[SD_STEP_WALK] = "walk",
};

static const char *const g_entry_flushes[] = {
	[ENTRY_FLUSH_AUTO] = "auto",
	[ENTRY_FLUSH_STEAL] = "steal",
	[ENTRY_FLUSH_SREGS] = "sregs",
};

static const char *const g_extras[] = {
	[EXTRA_EXITS] = "exits",
	[EXTRA_FLUSHES] = "flushes",
	[EXTRA_HGRM] = "hgrm",
	[EXTRA_HIST] = "hist",
};

_Static_assert(sizeof(g_extras) / sizeof(g_extras[0]) == EXTRAS, "an extra has no name");
static const char *const g_confines[] = {
	[CONFINE_ON] = "on",
	[CONFINE_LOG] = "log",
	[CONFINE_OFF] = "off",
};

_Static_assert(sizeof(g_steps) / sizeof(g_steps[0]) == SD_STEPS, "a step has no name");

static const struct value_names g_workload_names = VALUE_NAMES(g_workloads);
static const struct value_names g_table_free_names = VALUE_NAMES(g_table_frees);
static const struct value_names g_shadow_reclaim_names = VALUE_NAMES(g_shadow_reclaims);
static const struct value_names g_preempt_names = VALUE_NAMES(g_preempts);
static const struct value_names g_step_names = VALUE_NAMES(g_steps);
static const struct value_names g_extra_names = VALUE_NAMES(g_extras);
static const struct value_names g_entry_flush_names = VALUE_NAMES(g_entry_flushes);
static const struct value_names g_confine_names = VALUE_NAMES(g_confines);

static const char *name_of(const struct value_names *names, uint32_t value)
{
	assert(value < names->count);
	return names->names[value];
}

const char *workload_name(enum workload workload)
{
	return name_of(&g_workload_names, workload);
}

const char *table_free_name(enum table_free table_free)
{
	return name_of(&g_table_free_names, table_free);
}

const char *shadow_reclaim_name(enum shadow_reclaim shadow_reclaim)
{
	return name_of(&g_shadow_reclaim_names, shadow_reclaim);
}

const char *preempt_name(enum preempt preempt)
{
	return name_of(&g_preempt_names, preempt);
}

const char *confine_name(enum confine_mode confine)
{
	return name_of(&g_confine_names, confine);
}

const char *step_name(uint32_t step)
{
	return name_of(&g_step_names, step);
}

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
	if (!list || !value_read_name_set(list + 1, &g_step_names, steps, &unknown))
		return 0;
	value_names_text(known, sizeof(known), &g_step_names, ", ");
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

/* The row's min is the action. */
static int read_action(const struct option_row *row, const char *value,
		       struct options *options, struct why *why)
{
	(void)value, (void)why;
	options->action = (enum options_action)row->min;
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
	.name = n, .read = read_flag, .field = offsetof(struct options, member), .bare = true
#define NUMBER(n, reader, member, lowest, highest) \
	.name = n, .read = reader, .field = offsetof(struct options, member), \
	.min = lowest, .max = highest
#define ACTION(n, action) \
	.name = n, .read = read_action, .min = action, .bare = true

/* read_name() writes four bytes. */
_Static_assert(sizeof(enum workload) == sizeof(uint32_t) &&
	       sizeof(enum table_free) == sizeof(uint32_t) &&
	       sizeof(enum shadow_reclaim) == sizeof(uint32_t) &&
	       sizeof(enum confine_mode) == sizeof(uint32_t) &&
	       sizeof(enum entry_flush) == sizeof(uint32_t), "an enumeration is no uint32_t");

const struct option_row g_option_rows[OPTION_ROWS] = {
	{ VALUE("on",             read_on) },
	{ NUMBER("vcpus",         read_u32,     vcpus,         1, SD_MAX_VCPUS) },
	{ NUMBER("overcommit",    read_u32,     overcommit,    1, SD_MAX_VCPUS) },
	{ VALUE("cpus",           read_cpus) },
	{ NUMBER("slice-us",      read_u32,     slice_us,      50, 10000000) },
	{ VALUE("preempt",        read_preempt), .names = &g_preempt_names },
	{ NUMBER("ple",           read_u32,     ple_us,        0, 1000000) },
	{ NUMBER("sleepers",      read_u32,     sleepers,      0, SD_MAX_VCPUS - 1) },
	{ NUMBER("realtime",      read_u32,     realtime,      0, 99) },
	{ NAME("entry-flush",     entry_flush,  &g_entry_flush_names) },
	{ FLAG("clear-pending",   clear_pending) },
	{ NAME("confine",         confine,      &g_confine_names) },
	{ VALUE("protocol",       read_protocols) },
	{ NUMBER("duration",      read_seconds, duration_s,    10, 86400000) },
	{ NUMBER("flushes",       read_u64,     flushes,       1, UINT64_C(1000000000000)) },
	{ NUMBER("warmup",        read_seconds, warmup_s,      0, 60000) },
	{ NUMBER("repeat",        read_u32,     repeat,        1, 10000) },
	{ NAME("workload",        workload,     &g_workload_names) },
	{ NAME("table-free",      table_free,   &g_table_free_names) },
	{ NUMBER("reclaim",       read_u32,     reclaim_hz,    0, 1000000) },
	{ NAME("shadow-reclaim",  shadow_reclaim, &g_shadow_reclaim_names) },
	{ NUMBER("initiators",    read_u32,     initiators,    1, SD_MAX_INITIATORS) },
	{ NUMBER("pages",         read_u32,     pages,         1, SD_MAX_PAGES) },
	{ NUMBER("flush-ceiling", read_u32,     flush_ceiling, 0, SD_RANGE_MAX_PAGES) },
	{ NUMBER("pace-us",       read_u32,     pace_us,       0, 1000000) },
	{ VALUE("seed",           read_seed) },
	{ TEXT("out",  out) },
	{ TEXT("csv",  csv) },
	{ TEXT("json", json) },
	{ TEXT("trace", trace) },
	{ NUMBER("break-over",    read_u64,     break_over_us, 1, 1000000000) },
	{ VALUE("fail-over", read_limits) },
	{ FLAG("require-proof", require_proof) },
	{ VALUE("print", read_keys) },
	{ VALUE("extra", read_extras), .names = &g_extra_names },
	{ FLAG("quiet", quiet), .letter = 'q' },
	{ ACTION("host",           OPTIONS_HOST) },
	{ VALUE("litmus",         read_litmus), .optional = true },
	{ ACTION("version",        OPTIONS_VERSION) },
	{ ACTION("help",           OPTIONS_HELP), .letter = 'h' },
	{ ACTION("list-protocols", OPTIONS_LIST_PROTOCOLS) },
};
