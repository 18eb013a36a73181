// SPDX-License-Identifier: MIT
/*
 * options.c - the command line, checked (options.h).
 *
 * The options themselves are rows of option_table.c; here they are fetched by
 * getopt_long(), and what depends on two of them is settled when all are read.
 *
 * Threads: main's, before any other starts: getopt has static state.
 * Tested:  tests/unit/options_are_checked_test.c,
 *          tests/unit/options_defaults_follow_the_manual_test.c
 */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include "layout.h"
#include "option_table.h"
#include "protocol_list.h"

/* What getopt_long() returns for row 0, above every character. */
#define CODE_ROW_0 256

/* teardown's walkers switch interrupts off by the task priority register of the APIC
 * page, which the payload has mapped up to as many vCPUs as an xAPIC can name. */
#define TEARDOWN_MAX_VCPUS 255

#define SLICE_US          2000
#define SLICE_US_EMULATED 20000         /* a slot switch alone takes half a millisecond there */

/* getopt's own: a leading dash has it return operands as code 1, in order and
 * whatever the environment says; the colon tells ':' from '?'. */
#define SHORT_OPTIONS "-:qh"
#define CODE_OPERAND  1

static void options_set_defaults(struct options *options)
{
	const char *unknown;

	*options = (struct options){
		.action = OPTIONS_RUN,
		.on = "auto",
		.vcpus = 8,
		.overcommit = 0,        /* not given: options_settle() */
		.slice_us = 0,          /* not given: options_settle() */
		.duration_s = 0,        /* not given */
		.warmup_s = 0.1,
		.repeat = 1,
		.initiators = 0,        /* not given */
		.pages = 1,
		.flush_ceiling = FLUSH_CEILING_AUTO,
		.workload = WORKLOAD_TOGGLE,
		.table_free = TABLE_FREE_RCU,
		.shadow_reclaim = SHADOW_RECLAIM_MODE,
		.preempt = PREEMPT_SLICE,
		.pace_us = 100,
		.seed = 1,
		.entry_flush = ENTRY_FLUSH_AUTO,
		.confine = CONFINE_DEFAULT,
		.out = "./out",
	};
	/* Cannot fail: a word it knows. */
	(void)!protocol_list_read("safe", options->protocols, &options->protocol_count, &unknown);
}

/* --initiators when it is not given. Never 0: where nobody is left awake, it is the
 * sleepers that are too many. */
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
		return why_set(why, EXIT_USAGE, EINVAL, "--litmus: plays the built-in payload, not %.64s (a name goes behind '=')",
			       options->payload);
	if (options->overcommit == 0)
		options->overcommit = vcpus < 4 ? vcpus : 4;
	options->slice_given = options->slice_us != 0;
	if (!options->slice_given)
		options->slice_us = SLICE_US;
	options->slots = (vcpus + options->overcommit - 1) / options->overcommit;
	options->duration_given = options->duration_s > 0 || options->flushes == 0;
	if (options->duration_s <= 0)
		options->duration_s = 2;
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
	if (code == ':' || (!row->bare && optarg != NULL && *optarg == '\0'))
		return why_set(why, EXIT_USAGE, EINVAL, "--%s: needs a value", row->name);
	return row->read(row, optarg, options, why);
}

/* --help and its like answer at once, whatever comes behind them. */
static bool options_answer_only(const struct options *options)
{
	return options->action != OPTIONS_RUN && options->action != OPTIONS_HOST &&
		options->action != OPTIONS_LITMUS;
}

static int argument_of(const struct option_row *row)
{
	if (row->optional)
		return optional_argument;
	return row->bare ? no_argument : required_argument;
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
	for (; optind < argc && !error; optind++)       /* behind "--" */
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

const char *options_help(void)
{
	return
"Usage: vmm [OPTION]... [PAYLOAD]   an ELF64 file instead of the built-in one\n"
"Measure how long TLB shootdowns hold up a vCPU, and prove that none gets lost.\n"
"  --on HOST             kvm, amd or intel (emulated): whose KVM (kvm, else amd)\n"
"  --vcpus N             vCPUs, 1 to 1024 (8)\n"
"  --overcommit K        vCPUs that share a slot, 1 to N (4, or N if less)\n"
"  --cpus LIST           CPUs the slots are pinned to, as in 0-3,8 (all)\n"
"  --slice-us US         of a vCPU on its slot, 50 to 1e7 (2000, emulated: 20000)\n"
"  --preempt POLICY      slice, random, at-step[=STEP,...] or host (slice); STEP:\n"
"                        posted, read, flushed, served, publish, walk (all)\n"
"  --ple US              spinning that costs the slot, up to 1000000; 0: none (0)\n"
"  --sleepers N          vCPUs that are asleep most of the time, up to 1023 (0)\n"
"  --realtime PRIO       SCHED_FIFO priority of vCPUs, 1 to 99; 0 is off (0)\n"
"  --entry-flush WAY     flush on entry: auto, steal or sregs (auto)\n"
"  --clear-pending       take back the IPI of a request that park took over\n"
"  --confine MODE        seccomp filters: on, log or off (" CONFINE_DEFAULT_NAME ")\n"
"The measurement, of each protocol\n"
"  --protocol LIST       names, safe or all; see --list-protocols (safe)\n"
"  --duration S          seconds, 0.01 to 86400 (2)\n"
"  --flushes N           stop after N, up to 1e12; alone there is no time limit\n"
"  --warmup S            seconds before it that do not count, up to 60 (0.1)\n"
"  --repeat R            rounds over all protocols, 1 to 10000 (1)\n"
"  --workload NAME       toggle (remap), churn (map, unmap), teardown (toggle)\n"
"  --table-free WHEN     when teardown frees a page table: now or rcu (rcu)\n"
"  --initiators I        vCPUs that flush, 1 to 64 (1, churn: all but sleepers)\n"
"  --pages P             pages of one flush, 1 to 64 (1)\n"
"  --flush-ceiling P     more than P pages: a full flush (33, emulated ring 0: 0)\n"
"  --pace-us US          pause between two flushes of one, up to 1000000 (100)\n"
"  --reclaim RATE        pages that the host moves each second, up to 1e6 (0)\n"
"  --shadow-reclaim HOW  freeing the VMM's own tables: mode, rcu, counter (mode)\n"
"  --seed X              for all that is random, decimal or 0x... (1)\n"
"Results\n"
"  --out DIR             folder for the files (./out); -q, --quiet: no progress\n"
"  --csv, --json FILE    instead of those in DIR; --trace FILE: for Perfetto\n"
"  --break-over US       stop at a flush held up longer, keep vCPUs and timeline\n"
"  --fail-over LIST      limits, as generation:stall.p99=200us: exit 6 above one\n"
"  --print LIST          ns, as ipi:wall.max; --require-proof: exit 1 without one\n"
"  --extra LIST          exits: table; flushes: done on entry; hgrm, hist: files\n"
"Instead of a run: --list-protocols, --version, -h, --help; --host (this KVM and\n"
"its costs); --litmus[=NAME] (the known ways to lose a flush, step by step)\n"
"Exit: 0 well, 1 wrong, 2 usage, 3 host, 4 guest, 5 results, 6 over threshold\n";
}
