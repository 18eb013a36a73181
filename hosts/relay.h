/* SPDX-License-Identifier: MIT */
/*
 * relay.h - words out, signals in, and is the machine still alive?
 *
 * One thread; it waits in poll() alone, and reads the line only when what came before has
 * been written: a reader who is slow slows the command down, as a pipe does.
 * Tested: tests/hosts/
 */
#ifndef RELAY_H
#define RELAY_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"
#include "emulator.h"

enum relay_end {
	RELAY_STATUS,           /* the command has ended; .status as of waitpid() */
	RELAY_CANNOT,           /* the agent could not run it; .words say why */
	RELAY_SIGNALLED,        /* .status: the signal that ends enter at once */
	RELAY_SILENT,           /* no sign of life for .status seconds */
	RELAY_GONE,             /* the emulator has ended, or has written nonsense */
};

struct relay_result {
	enum relay_end end;
	bool begun;             /* had the command begun? */
	uint32_t status;
	int files_error;        /* 0, or -errno: what the command wrote did not come back whole */
	char words[FRAME_MAX_BYTES + 1];
};

/* relay_signals - those that are passed on to the command, blocked before any relay. */
void relay_signals(sigset_t *signals);

/**
 * relay_run - until the command or the machine has ended.
 *
 * Shape:   @signals is a signalfd() of relay_signals(). A second SIGINT or SIGTERM, or one
 *          before the command has begun, ends the relay.
 */
void relay_run(struct emulator *machine, const struct emulator_ops *ops, int signals,
	       struct relay_result *result);

#endif
