// SPDX-License-Identifier: MIT
/*
 * guest_log.c - lines of the guest's (guest_log.h).
 *
 * Threads: as guest_log.h says.
 * Tested:  tests/unit/guest_log_has_an_end_test.c
 */
#include "guest_log.h"

#include <inttypes.h>
#include <unistd.h>

#include "terminal.h"

void guest_log_init(struct guest_log *log)
{
	*log = (struct guest_log){ .count = 0 };
	pthread_mutex_init(&log->lock, NULL);
}

void guest_log_destroy(struct guest_log *log)
{
	pthread_mutex_destroy(&log->lock);
}

void guest_log_add(struct guest_log *log, const struct guest_log_line *line)
{
	pthread_mutex_lock(&log->lock);
	if (log->count == GUEST_LOG_LINES || log->taken == GUEST_LOG_MOST) {
		log->dropped++;
	} else {
		log->lines[log->count++] = *line;
		log->taken++;
	}
	pthread_mutex_unlock(&log->lock);
}

/* Over a progress line, where there is one. */
static void begin_line(FILE *out)
{
	if (out == stderr && terminal_moves(STDERR_FILENO))
		fputs(TERMINAL_OVER, out);
}

void guest_log_print(struct guest_log *log, FILE *out)
{
	struct guest_log_line lines[GUEST_LOG_LINES];
	uint32_t count;

	pthread_mutex_lock(&log->lock);
	count = log->count;
	for (uint32_t i = 0; i < count; i++)
		lines[i] = log->lines[i];
	log->count = 0;
	pthread_mutex_unlock(&log->lock);
	for (uint32_t i = 0; i < count; i++) {
		begin_line(out);
		fprintf(out, "vCPU %u: %s\n", lines[i].vcpu, lines[i].text);
	}
}

void guest_log_print_dropped(struct guest_log *log, FILE *out)
{
	if (log->dropped == 0)
		return;
	begin_line(out);
	fprintf(out, "vmm: dropped %" PRIu64 " more line%s of the guest\n",
		log->dropped, log->dropped == 1 ? "" : "s");
}
