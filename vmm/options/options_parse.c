// SPDX-License-Identifier: MIT
/*
 * options_parse.c - the command line, checked (options_parse.h).
 *
 * The options themselves are rows of option_table.c; here they are fetched by
 * getopt_long(), and what depends on two of them is settled when all are read.
 *
 * Threads: main's, before any other starts: getopt has static state.
 * Tested:  tests/unit/options_are_checked_test.c,
 *          tests/unit/options_defaults_follow_the_manual_test.c
 */
#include "options_parse.h"

#include <getopt.h>
#include <string.h>

#include "layout.h"
#include "option_table.h"
#include "protocol_list.h"

/* What getopt_long() returns for row 0, above every character. */
#define CODE_ROW_0 256

/* teardown's walkers switch interrupts off by the task priority register of the APIC page.
 * The payload maps that page for as many vCPUs as an xAPIC can name. */
#define TEARDOWN_MAX_VCPUS 255

/* getopt's own: a leading dash has it return operands as code 1, in order and
 * whatever the environment says; the colon tells ':' from '?'. */
#define SHORT_OPTIONS "-:qh"
#define CODE_OPERAND  1

/* What is 0 here and not in the table is settled when all options are known. */
static void options_set_defaults(struct options *options)
{
	*options = (struct options){
		.action = OPTIONS_RUN,
		.flush_ceiling = FLUSH_CEILING_AUTO,
	};
	for (const struct option_row *row = g_option_rows; row < g_option_rows + OPTION_ROWS; row++) {
		struct why why;

		/* Cannot fail: a value that it takes. */
		if (row->initial != NULL)
			(void)!row->read(row, row->initial, options, &why);
	}
}

/* --initiators when it is not given. Never 0: where nobody is left awake, there are too
 * many sleepers, and that is what is refused. */
static uint32_t initiators_default(const struct options *options)
{
	uint32_t awake;

	if (options->workload != WORKLOAD_CHURN || options->vcpus <= options->sleepers)
		return 1;
	awake = options->vcpus - options->sleepers;
	return awake < SD_MAX_INITIATORS ? awake : SD_MAX_INITIATORS;
}

/* What each vCPU is, and how many frames the initiators need. */
static int initiators_settle(struct options *options, struct why *why)
{
	uint32_t most_pages;

	if (options->initiators == 0)
		options->initiators = initiators_default(options);
	if (options->initiators > options->vcpus)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--initiators %u: must be 1 to %u (--vcpus)",
			       options->initiators, options->vcpus);
	if (options->sleepers > options->vcpus - options->initiators)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--sleepers %u: must be 0 to %u (--vcpus less --initiators)",
			       options->sleepers, options->vcpus - options->initiators);
	most_pages = SD_MAX_FRAMES / (SD_FRAME_SETS + 1) / options->initiators;
	if (options->pages > most_pages)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--pages %u: must be 1 to %u with %u initiators",
			       options->pages, most_pages, options->initiators);
	return 0;
}

/* A table that is freed takes all its pages along: flushes are full. */
static int teardown_settle(struct options *options, struct why *why)
{
	if (options->workload != WORKLOAD_TEARDOWN)
		return 0;
	if (options->vcpus > TEARDOWN_MAX_VCPUS)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--vcpus %u: must be 1 to %d with --workload teardown (xAPIC)",
			       options->vcpus, TEARDOWN_MAX_VCPUS);
	if (options->flush_ceiling != FLUSH_CEILING_AUTO && options->flush_ceiling != 0)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--flush-ceiling %u: must be 0 with --workload teardown",
			       options->flush_ceiling);
	options->flush_ceiling = 0;
	return 0;
}

/* Is @key measured? A threshold on anything else would hold whatever happens. */
static int figure_settle(const struct options *options, const char *option,
			 const struct figure_key *key, struct why *why)
{
	char name[FIGURE_KEY_BYTES];

	for (uint32_t i = 0; i < options->protocol_count; i++)
		if (options->protocols[i] == key->protocol)
			return 0;
	figure_key_text(name, key);
	return why_set(why, EXIT_USAGE, EINVAL, "--%s %s: %s is not measured (--protocol)", option,
		       name, protocol_name(key->protocol));
}

static int figures_settle(const struct options *options, struct why *why)
{
	int error = 0;

	for (uint32_t i = 0; error == 0 && i < options->fail_over_count; i++)
		error = figure_settle(options, "fail-over", &options->fail_over[i].key, why);
	for (uint32_t i = 0; error == 0 && i < options->print_count; i++)
		error = figure_settle(options, "print", &options->print[i], why);
	return error;
}

static int options_settle(struct options *options, struct why *why)
{
	uint32_t vcpus = options->vcpus;

	if (options->overcommit > vcpus)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "--overcommit %u: must be 1 to %u (--vcpus)",
			       options->overcommit, vcpus);
	if (initiators_settle(options, why) || teardown_settle(options, why) ||
	    figures_settle(options, why))
		return -EINVAL;
	if (options->realtime > 0 && options->preempt == PREEMPT_HOST)
		return why_set(why, EXIT_USAGE, EINVAL, "--realtime %u: not with --preempt host",
			       options->realtime);
	if (options->action == OPTIONS_LITMUS && options->payload != NULL)
		return why_set(why, EXIT_USAGE, EINVAL, "--litmus: plays the built-in payload, not %.64s (a name goes after '=')",
			       options->payload);
	if (options->overcommit == 0)
		options->overcommit = vcpus < 4 ? vcpus : 4;
	options->slice_given = options->slice_us != 0;
	if (!options->slice_given)
		options->slice_us = SLICE_US;
	options->slots = (vcpus + options->overcommit - 1) / options->overcommit;
	options->duration_given = options->duration_s > 0 || options->flushes == 0;
	if (options->duration_s <= 0)
		options->duration_s = DURATION_S;
	return 0;
}

static int payload_set(const char *payload, struct options *options, struct why *why)
{
	if (options->payload)
		return why_set(why, EXIT_USAGE, EINVAL,
			       "%.64s: only one PAYLOAD, and %.64s was given",
			       payload, options->payload);
	if (*payload == '\0')
		return why_set(why, EXIT_USAGE, EINVAL, "PAYLOAD: the name is empty");
	options->payload = payload;
	return 0;
}

static const struct option_row *row_of_code(int code)
{
	if (code >= CODE_ROW_0)
		return &g_option_rows[code - CODE_ROW_0];
	for (size_t i = 0; i < OPTION_ROWS; i++) {
		if (g_option_rows[i].letter != 0 && g_option_rows[i].letter == code)
			return &g_option_rows[i];
	}
	return NULL;
}

/* getopt_long() said '?': optopt is the option's code if it has one, else the
 * letter, else 0 and @argument is a long option that nothing begins with, or
 * more than one. */
static int unknown_refuse(const char *argument, struct why *why)
{
	const struct option_row *row = row_of_code(optopt);
	size_t bytes = strcspn(argument, "=");

	if (row)
		return why_set(why, EXIT_USAGE, EINVAL, "--%s: takes no value", row->name);
	if (optopt)
		return why_set(why, EXIT_USAGE, EINVAL, "unknown option -%c (see --help)", optopt);
	return why_set(why, EXIT_USAGE, EINVAL, "unknown option %.*s (see --help)",
		       bytes < 64 ? (int)bytes : 64, argument);
}

static int option_take(int code, char **argv, struct options *options, struct why *why)
{
	const struct option_row *row;

	if (code == CODE_OPERAND)
		return payload_set(optarg, options, why);
	if (code == '?')
		return unknown_refuse(argv[optind - 1], why);
	row = row_of_code(code == ':' ? optopt : code);
	if (code == ':' || (row->value != NULL && optarg != NULL && *optarg == '\0'))
		return why_set(why, EXIT_USAGE, EINVAL, "--%s: needs a value", row->name);
	return row->read(row, optarg, options, why);
}

/* --help and its like answer at once, whatever comes after them. */
static bool options_answer_only(const struct options *options)
{
	return options->action != OPTIONS_RUN && options->action != OPTIONS_HOST &&
		options->action != OPTIONS_LITMUS;
}

static int argument_of(const struct option_row *row)
{
	if (row->optional)
		return optional_argument;
	return row->value == NULL ? no_argument : required_argument;
}

static int options_read(int argc, char **argv, struct options *options, struct why *why)
{
	struct option longs[OPTION_ROWS + 1] = { 0 };
	int code, error = 0;

	for (int i = 0; i < OPTION_ROWS; i++) {
		longs[i].name = g_option_rows[i].name;
		longs[i].has_arg = argument_of(&g_option_rows[i]);
		longs[i].val = CODE_ROW_0 + i;
	}
	opterr = 0;
	optind = 0;     /* start over, also inside getopt */
	while ((code = getopt_long(argc, argv, SHORT_OPTIONS, longs, NULL)) != -1) {
		error = option_take(code, argv, options, why);
		if (error || options_answer_only(options))
			return error;
	}
	for (; optind < argc && !error; optind++)       /* after "--" */
		error = payload_set(argv[optind], options, why);
	return error;
}

int options_parse(int argc, char **argv, struct options *options, struct why *why)
{
	int error;

	options_set_defaults(options);
	error = options_read(argc, argv, options, why);
	if (!error && !options_answer_only(options))
		error = options_settle(options, why);
	return error;
}

void options_suit_host(struct options *options, bool emulated)
{
	if (emulated && !options->slice_given)
		options->slice_us = SLICE_US_EMULATED;
}
