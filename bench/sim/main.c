// SPDX-License-Identifier: MIT
/*
 * main.c - the model as a program: parameters in, a row a flush out.
 *
 *   sim [--NAME VALUE]...
 *
 * Times in nanoseconds, costs as P50[,P90]; nothing is free but what is not given. The
 * CSV is vmm's. The last line on stderr is what was counted, as `NAME N` pairs.
 * Exit status: 0; 2 usage; 5 no memory or nobody to write to.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define EXIT_USAGE   2
#define EXIT_RESULTS 5

enum reader {
	READ_PROTOCOL,
	READ_U32,
	READ_U64,
	READ_COST,
	READ_FLAG,
};

struct row {
	const char *name;
	enum reader reader;
	size_t field;
};

#define FIELD(member) offsetof(struct sim_params, member)

static const struct row g_rows[] = {
	{ "protocol",       READ_PROTOCOL, FIELD(protocol) },
	{ "vcpus",          READ_U32,      FIELD(vcpus) },
	{ "slots",          READ_U32,      FIELD(slots) },
	{ "initiators",     READ_U32,      FIELD(initiators) },
	{ "pages",          READ_U32,      FIELD(pages) },
	{ "flush-ceiling",  READ_U32,      FIELD(flush_ceiling) },
	{ "slice-ns",       READ_U64,      FIELD(slice_ns) },
	{ "pace-ns",        READ_U64,      FIELD(pace_ns) },
	{ "work-ns",        READ_U64,      FIELD(work_ns) },
	{ "warmup-ns",      READ_U64,      FIELD(warmup_ns) },
	{ "duration-ns",    READ_U64,      FIELD(duration_ns) },
	{ "seed",           READ_U64,      FIELD(seed) },
	{ "checks",         READ_FLAG,     FIELD(checks) },
	{ "post-ns",        READ_COST,     FIELD(post) },
	{ "gate-ns",        READ_COST,     FIELD(gate) },
	{ "send-ns",        READ_COST,     FIELD(send) },
	{ "deliver-ns",     READ_COST,     FIELD(deliver) },
	{ "handler-ns",     READ_COST,     FIELD(handler) },
	{ "flush-ns",       READ_COST,     FIELD(flush) },
	{ "page-ns",        READ_COST,     FIELD(page) },
	{ "exit-ns",        READ_COST,     FIELD(exit) },
	{ "kick-ns",        READ_COST,     FIELD(kick) },
	{ "enter-ns",       READ_COST,     FIELD(enter) },
	{ "switch-ns",      READ_COST,     FIELD(switch_) },
	{ "entry-flush-ns", READ_COST,     FIELD(entry_flush) },
	{ "signal-ns",      READ_COST,     FIELD(signal) },
	{ "kicked-flush-ns", READ_COST,    FIELD(kicked_flush) },
	{ "pte-ns",         READ_COST,     FIELD(pte) },
};

#define ROWS (sizeof(g_rows) / sizeof(g_rows[0]))

/* A day: no sum of durations overflows. */
#define MAX_NUMBER UINT64_C(86400000000000)

static const char *const g_names[SD_PROTOCOLS] = {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) [SD_PROTOCOL_##identifier] = name,
#include "protocols.def"
#undef SD_PROTOCOL
};

/* Reads up to @end characters of a number; returns where it ends, or NULL. */
static const char *number_read(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	if (*text < '0' || *text > '9')
		return NULL;
	*number = strtoull(text, &end, 10);
	return errno != 0 || *number > MAX_NUMBER ? NULL : end;
}

static bool cost_read(const char *text, struct sim_cost *cost)
{
	const char *end = number_read(text, &cost->p50_ns);

	cost->p90_ns = cost->p50_ns;
	if (end != NULL && *end == ',')
		end = number_read(end + 1, &cost->p90_ns);
	return end != NULL && *end == '\0' && cost->p50_ns <= cost->p90_ns;
}

static bool protocol_read(const char *text, enum sd_protocol *protocol)
{
	for (unsigned i = 0; i < SD_PROTOCOLS; i++)
		if (strcmp(text, g_names[i]) == 0 && sim_protocol_is_known((enum sd_protocol)i)) {
			*protocol = (enum sd_protocol)i;
			return true;
		}
	return false;
}

static bool value_read(const struct row *row, const char *text, struct sim_params *params)
{
	void *field = (char *)params + row->field;
	const char *end;
	uint64_t number;
	uint32_t narrow;

	switch (row->reader) {
	case READ_PROTOCOL:
		return protocol_read(text, field);
	case READ_COST:
		return cost_read(text, field);
	case READ_FLAG:
		params->checks = true;
		return true;
	case READ_U32:
	case READ_U64:
		break;
	}
	end = number_read(text, &number);
	if (end == NULL || *end != '\0' || (row->reader == READ_U32 && number > UINT32_MAX))
		return false;
	narrow = (uint32_t)number;
	if (row->reader == READ_U32)
		memcpy(field, &narrow, sizeof(narrow));
	else
		memcpy(field, &number, sizeof(number));
	return true;
}

static int usage(void)
{
	fputs("usage: sim [--NAME VALUE]...; NAME:", stderr);
	for (size_t i = 0; i < ROWS; i++)
		fprintf(stderr, " %s", g_rows[i].name);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

static int options_read(int argc, char **argv, struct sim_params *params)
{
	struct option longs[ROWS + 1] = { 0 };
	int code;

	for (size_t i = 0; i < ROWS; i++) {
		longs[i].name = g_rows[i].name;
		longs[i].has_arg = g_rows[i].reader == READ_FLAG ? no_argument : required_argument;
		longs[i].val = (int)i + 1;
	}
	opterr = 0;
	while ((code = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		const struct row *row;

		if (code == '?')
			return usage();
		row = &g_rows[code - 1];
		if (value_read(row, optarg, params))
			continue;
		fprintf(stderr, "sim: --%s %.64s: makes no sense\n", row->name, optarg);
		return EXIT_USAGE;
	}
	return optind < argc ? usage() : 0;
}

static void print_flush(void *context, const struct sim_flush *flush)
{
	printf("%s,0,%u,%u,%u,%u,%u,%u,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
	       (const char *)context, flush->seq, flush->initiator, flush->targets, flush->ipis,
	       flush->deferred, flush->taken_over, flush->pages, flush->start_ns, flush->pte_ns,
	       flush->wall_ns, flush->stall_ns);
}

static void print_counts(const struct sim_counts *counts)
{
	fprintf(stderr, "events %" PRIu64 " switches %" PRIu64 " ipis %" PRIu64
		" spurious_ipis %" PRIu64 " transfers %" PRIu64 " takeovers %" PRIu64
		" yields %" PRIu64 " sleeps %" PRIu64 " wakes %" PRIu64 " kicks %" PRIu64
		" waits_on_parked %" PRIu64 " checks %" PRIu64 " uncovered %" PRIu64 "\n",
		counts->events, counts->switches, counts->ipis, counts->spurious_ipis,
		counts->transfers, counts->takeovers, counts->yields, counts->sleeps,
		counts->wakes, counts->kicks, counts->waits_on_parked, counts->checks,
		counts->uncovered);
}

static int run(const struct sim_params *params)
{
	struct sim sim;
	int error = sim_create(&sim, params);

	if (error == -EINVAL) {
		fputs("sim: at least 2 vCPUs, no more slots or initiators than vCPUs\n", stderr);
		return EXIT_USAGE;
	}
	if (error == 0) {
		sim.record = print_flush;
		sim.context = (void *)(uintptr_t)g_names[params->protocol];
		puts("protocol,run,seq,initiator,targets,ipis,deferred,taken_over,pages,start_ns,"
		     "pte_ns,wall_ns,stall_ns");
		while ((error = sim_step(&sim)) == 1)
			;
		print_counts(&sim.counts);
		sim_destroy(&sim);
	}
	if (error == 0 && fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(stderr, "sim: %s\n", strerror(error != 0 ? -error : errno));
	return EXIT_RESULTS;
}

int main(int argc, char **argv)
{
	struct sim_params params = {
		.vcpus = 8,
		.slots = 2,
		.initiators = 1,
		.pages = 1,
		.slice_ns = 2000000,
		.pace_ns = 100000,
		.duration_ns = 1000000000,
		.seed = 1,
	};
	int status = options_read(argc, argv, &params);

	return status != 0 ? status : run(&params);
}
