// SPDX-License-Identifier: MIT
/*
 * flush_counter.c - KVM's flushes on entry, counted by perf (flush_counter.h).
 *
 * Owns:    the one counter of the process. Threads inherit it.
 * Threads: main.
 * Tested:  tests/kvm/entry_flushes_are_all_done_test.py
 */
#include "flush_counter.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EVENT  "events/kvm/kvm_pv_tlb_flush/id"
/* The others are entries that found nothing to flush. */
#define FILTER "need_flush_tlb == 1"

static int g_fd = -1;

static int find_tracepoint(uint64_t *id, struct why *why)
{
	static const char *const places[] = {
		"/sys/kernel/tracing/" EVENT, "/sys/kernel/debug/tracing/" EVENT,
	};
	unsigned long long number;
	FILE *file = NULL;
	int found;

	for (size_t i = 0; file == NULL && i < sizeof(places) / sizeof(places[0]); i++)
		file = fopen(places[i], "re");
	if (file == NULL)
		return why_set(why, EXIT_HOST, errno, "--extra flushes: %s: %s", places[0],
			       strerror(errno));
	found = fscanf(file, "%llu", &number);
	fclose(file);
	if (found != 1)
		return why_set(why, EXIT_HOST, EIO, "--extra flushes: %s: no number", places[0]);
	*id = number;
	return 0;
}

int flush_counter_open(struct why *why)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(event),
		.inherit = 1,
	};
	uint64_t id = 0;
	int error = find_tracepoint(&id, why);

	if (error != 0)
		return error;
	event.config = id;
	g_fd = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (g_fd < 0)
		return why_set(why, EXIT_HOST, errno, "--extra flushes: perf_event_open: %s",
			       strerror(errno));
	if (ioctl(g_fd, PERF_EVENT_IOC_SET_FILTER, FILTER) == 0)
		return 0;
	error = why_set(why, EXIT_HOST, errno, "--extra flushes: filter \"%s\": %s", FILTER,
			strerror(errno));
	flush_counter_close();
	return error;
}

int flush_counter_read(uint64_t *flushes, struct why *why)
{
	ssize_t got;

	*flushes = 0;
	if (g_fd < 0)
		return 0;
	got = read(g_fd, flushes, sizeof(*flushes));
	if (got == (ssize_t)sizeof(*flushes))
		return 0;
	return why_set(why, EXIT_HOST, got < 0 ? errno : EIO, "perf's count of flushes: %s",
		       got < 0 ? strerror(errno) : "cut short");
}

void flush_counter_close(void)
{
	if (g_fd >= 0)
		close(g_fd);
	g_fd = -1;
}
