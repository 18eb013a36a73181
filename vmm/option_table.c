// SPDX-License-Identifier: MIT
/*
 * option_table.c - the options with their readers and limits (option_table.h).
 *
 * Limits that depend on another option are options.c's.
 * Tested: tests/unit/options_are_checked_test.c
 */
#include "option_table.h"

#include <inttypes.h>
#include <string.h>

#include "layout.h"
#include "protocol_list.h"
#include "value.h"

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
			       row->name, value, CPU_SETSIZE - 1);
	options->cpus_given = true;
	return 0;
}

static int read_protocols(const struct option_row *row, const char *value,
			  struct options *options, struct why *why)
{
	const char *unknown;
	size_t bytes;

	if (!protocol_list_read(value, options->protocols, &options->protocol_count, &unknown))
		return 0;
	bytes = strcspn(unknown, ",");
	if (bytes == 0)
		return value_refuse(row, value, "a name in the list is empty", why);
	return why_set(why, EXIT_USAGE, EINVAL, "--%s %.*s: unknown; one of %s",
		       row->name, bytes < 64 ? (int)bytes : 64, unknown,
		       protocol_list_known());
}

static int read_entry_flush(const struct option_row *row, const char *value,
			    struct options *options, struct why *why)
{
	static const char *const names[] = {
		[ENTRY_FLUSH_AUTO] = "auto",
		[ENTRY_FLUSH_STEAL] = "steal",
		[ENTRY_FLUSH_SREGS] = "sregs",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(value, names[i]))
			continue;
		options->entry_flush = (enum entry_flush)i;
		return 0;
	}
	return value_refuse(row, value, "must be auto, steal or sregs", why);
}

static int read_quiet(const struct option_row *row, const char *value,
		      struct options *options, struct why *why)
{
	(void)row, (void)value, (void)why;
	options->quiet = true;
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

#define VALUE(n, reader) \
	.name = n, .read = reader
#define TEXT(n, member) \
	.name = n, .read = read_text, .field = offsetof(struct options, member)
#define NUMBER(n, reader, member, lowest, highest) \
	.name = n, .read = reader, .field = offsetof(struct options, member), \
	.min = lowest, .max = highest
#define ACTION(n, action) \
	.name = n, .read = read_action, .min = action, .bare = true

const struct option_row g_option_rows[OPTION_ROWS] = {
	{ NUMBER("vcpus",      read_u32,     vcpus,      1, SD_MAX_VCPUS) },
	{ NUMBER("overcommit", read_u32,     overcommit, 1, SD_MAX_VCPUS) },
	{ VALUE("cpus",        read_cpus) },
	{ NUMBER("slice-us",   read_u32,     slice_us,   50, 10000000) },
	{ VALUE("protocol",    read_protocols) },
	{ NUMBER("duration",   read_seconds, duration_s, 10, 86400000) },
	{ NUMBER("flushes",    read_u64,     flushes,    1, UINT64_C(1000000000000)) },
	{ NUMBER("warmup",     read_seconds, warmup_s,   0, 60000) },
	{ NUMBER("repeat",     read_u32,     repeat,     1, 10000) },
	{ NUMBER("initiators", read_u32,     initiators, 1, SD_MAX_INITIATORS) },
	{ NUMBER("pace-us",    read_u32,     pace_us,    0, 1000000) },
	{ VALUE("entry-flush", read_entry_flush) },
	{ NUMBER("realtime",   read_u32,     realtime,   0, 99) },
	{ VALUE("seed",        read_seed) },
	{ TEXT("out",  out) },
	{ TEXT("csv",  csv) },
	{ TEXT("json", json) },
	{ VALUE("quiet", read_quiet), .bare = true, .letter = 'q' },
	{ ACTION("host",           OPTIONS_HOST) },
	{ ACTION("version",        OPTIONS_VERSION) },
	{ ACTION("help",           OPTIONS_HELP), .letter = 'h' },
	{ ACTION("list-protocols", OPTIONS_LIST_PROTOCOLS) },
};
