// SPDX-License-Identifier: MIT
/*
 * rlimits.c - resource limits (rlimits.h).
 *
 * Threads: main.
 * Follows: getrlimit(2).
 */
#include "rlimits.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "figure_key.h"

/* Everything but vCPUs and histograms: KVM, VM, ring, results, memory, /proc and cgroups;
 * some may be open for a moment only. */
#define FILES_FIXED 40

#define THREAD_STACK_BYTES (256u << 10)

static uint32_t g_files;                /* enough of them for this run */

/* The lowest number that is free: as many are open, and perhaps some more beyond it. */
static uint32_t files_open(void)
{
	int fd = dup(STDERR_FILENO);

	if (fd < 0)
		return 3;
	close(fd);
	return (uint32_t)fd;
}

static uint32_t files_of(const struct options *options)
{
	uint32_t files = files_open() + FILES_FIXED + options->vcpus;

	if (options_wants(options, EXTRA_HGRM))
		files += options->protocol_count * FIGURE_FILES;
	return files;
}

/* As they were when the run began: later main may not ask. */
static struct { unsigned long long files, memory, file_bytes; } g_soft;

static unsigned long long soft_limit(__rlimit_resource_t resource)
{
	struct rlimit limit;

	return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/* Without this a thread has as much stack as RLIMIT_STACK says. That may be too little, or
 * too much for a thousand threads. */
static void set_thread_stacks(void)
{
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes) != 0)
		return;
	if (pthread_attr_setstacksize(&attributes, THREAD_STACK_BYTES) == 0)
		(void)pthread_setattr_default_np(&attributes);
	pthread_attr_destroy(&attributes);
}

void rlimits_raise(const struct options *options)
{
	struct rlimit limit;

	set_thread_stacks();
	g_files = files_of(options);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < g_files) {
		limit.rlim_cur = g_files < limit.rlim_max ? g_files : limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	g_soft.files = soft_limit(RLIMIT_NOFILE);
	g_soft.memory = soft_limit(RLIMIT_AS);
	g_soft.file_bytes = soft_limit(RLIMIT_FSIZE);
}

const char *rlimits_words(int error)
{
	static char text[128];

	text[0] = '\0';
	if (error == EMFILE)
		snprintf(text, sizeof(text), " (RLIMIT_NOFILE is %llu, %u are enough: ulimit -n)",
			 g_soft.files, g_files);
	else if (error == ENFILE)
		snprintf(text, sizeof(text), " (fs.file-max, of the whole machine)");
	else if (error == ENOMEM && g_soft.memory != RLIM_INFINITY)
		snprintf(text, sizeof(text), " (RLIMIT_AS is %llu bytes)", g_soft.memory);
	else if (error == EFBIG && g_soft.file_bytes != RLIM_INFINITY)
		snprintf(text, sizeof(text), " (RLIMIT_FSIZE is %llu bytes)", g_soft.file_bytes);
	return text;
}
