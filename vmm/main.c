// SPDX-License-Identifier: MIT
/*
 * main.c - parse, wire, run, return.
 */
#include <signal.h>
#include <stdio.h>

#include "clock.h"
#include "files.h"
#include "host_below.h"
#include "host_enter.h"
#include "options_parse.h"
#include "protocol_list.h"
#include "rlimits.h"
#include "options.h"
#include "payload_file.h"
#include "run.h"
#include "standard.h"

static void list_protocols(void)
{
	static const char *const kinds[] = {
		[SD_KIND_SAFE] = "safe",
		[SD_KIND_CONTROL] = "control: loses flushes by design and must be caught",
		[SD_KIND_UNSAFE] = "unsafe: loses flushes now and then",
	};

	for (enum sd_protocol protocol = 0; protocol < SD_PROTOCOLS; protocol++)
		printf("%-18s%s\n", protocol_name(protocol), kinds[protocol_kind(protocol)]);
}

/* Take KVM from where the user wants it, or from where there is one. An emulated machine gets
 * the same command line, and only one that has been found to be right. */
static int find_host(const struct options *options, char **argv, struct why *why)
{
	char complaint[sizeof(why->text)];

	if (options->action != OPTIONS_RUN && options->action != OPTIONS_HOST &&
	    options->action != OPTIONS_LITMUS)
		return 0;
	rlimits_raise(options);
	if (host_enter(options->on, &options->host, argv, complaint, sizeof(complaint)) != 0)
		return why_set(why, EXIT_HOST, ENOENT, "%s", complaint);
	return 0;
}

static enum exit_status act(const struct run *run)
{
	switch (run->options->action) {
	case OPTIONS_HELP:
		options_help(stdout);
		return standard_flush();
	case OPTIONS_VERSION:
		puts("vmm " VMM_VERSION);
		return standard_flush();
	case OPTIONS_LIST_PROTOCOLS:
		list_protocols();
		return standard_flush();
	case OPTIONS_HOST:
		return run_host(run);
	case OPTIONS_LITMUS:
		return run_litmus(run);
	default:
		return run_bench(run);
	}
}

int main(int argc, char **argv)
{
	static struct files files;
	struct run run = { .argc = argc, .argv = argv, .main_ns = clock_ns(), .files = &files };
	enum exit_status status;
	struct options options;
	struct why why = { 0 };

	standard_open();
	/* Ignored: the write fails instead, and that is reported. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (options_parse(argc, argv, &options, &why) != 0 ||
	    files_settle(&files, &options, &why) != 0 ||
	    payload_read(options.payload, &run.payload, &why) != 0 ||
	    find_host(&options, argv, &why) != 0) {
		fprintf(stderr, "vmm: %s\n", why.text);
		return why.status;
	}
	options_suit_host(&options, host_below().emulated);
	run.options = &options;
	status = act(&run);
	payload_free(&run.payload);
	return status;
}
