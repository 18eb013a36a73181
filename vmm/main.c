// SPDX-License-Identifier: MIT
/*
 * main.c - parse, wire, run, return.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "elf_loader.h"
#include "host_below.h"
#include "host_enter.h"
#include "rlimits.h"
#include "options.h"
#include "payload_image.h"
#include "run.h"
#include "standard.h"

#define PAYLOAD_MAX_BYTES (64 << 20)

/* The file named on the command line, or the payload in this binary. */
static int find_payload(const char *path, struct machine_payload *payload, struct why *why)
{
	struct stat status;
	uint64_t entry;
	void *image;
	int fd;

	if (path == NULL) {
		payload->name = "built-in payload";
		payload->image = payload_image;
		payload->bytes = (size_t)(payload_image_end - payload_image);
		return 0;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		return why_set(why, EXIT_USAGE, errno, "%s: %s", path, strerror(errno));
	payload->name = path;
	payload->is_foreign = true;
	payload->image = (const uint8_t *)"";
	payload->bytes = 0;
	if (!S_ISREG(status.st_mode) || status.st_size > PAYLOAD_MAX_BYTES) {
		close(fd);
		return why_set(why, EXIT_USAGE, EINVAL, "%s: not a file of at most %d bytes", path,
			       PAYLOAD_MAX_BYTES);
	}
	if (status.st_size != 0) {
		image = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		payload->image = image;
		payload->bytes = (size_t)status.st_size;
		if (image == MAP_FAILED)
			why_set(why, EXIT_USAGE, errno, "%s: %s", path, strerror(errno));
	}
	close(fd);
	if (why->text[0] != '\0')
		return -EINVAL;
	/* Now, before a bad file has cost anybody the results of the last run. */
	return elf_load(path, payload->image, payload->bytes, NULL, 0, &entry, why);
}

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

/* Where the user wants KVM from, or where there is one: a machine that is emulated gets the
 * same command line, once it has been found to be a good one. */
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

int main(int argc, char **argv)
{
	struct run run = { .argc = argc, .argv = argv, .main_ns = clock_ns() };
	struct options options;
	struct why why = { 0 };

	standard_open();
	/* Then the write fails, and says so. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	if (options_parse(argc, argv, &options, &why) != 0 ||
	    find_payload(options.payload, &run.payload, &why) != 0 ||
	    find_host(&options, argv, &why) != 0) {
		fprintf(stderr, "vmm: %s\n", why.text);
		return why.status;
	}
	options_suit_host(&options, host_below().emulated);
	run.options = &options;
	switch (options.action) {
	case OPTIONS_HELP:
		fputs(options_help(), stdout);
		return standard_flush();
	case OPTIONS_VERSION:
		puts("vmm " VMM_VERSION);
		return standard_flush();
	case OPTIONS_LIST_PROTOCOLS:
		list_protocols();
		return standard_flush();
	case OPTIONS_HOST:
		return run_host(&run);
	case OPTIONS_LITMUS:
		return run_litmus(&run);
	case OPTIONS_RUN:
		break;
	}
	return run_bench(&run);
}
