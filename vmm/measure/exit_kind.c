// SPDX-License-Identifier: MIT
/*
 * exit_kind.c - names of the exits (exit_kind.h).
 *
 * Tested: tests/unit/table_shows_every_protocol_test.c
 */
#include "exit_kind.h"

#include <stddef.h>

const char *exit_kind_name(uint32_t kind)
{
	static const char *const names[EXIT_KINDS] = {
		[EXIT_KIND_SIGNAL] = "signal",
		[SD_REQ_READY] = "ready",
		[SD_REQ_FAIL] = "fail",
		[SD_REQ_FLUSH_ME] = "flush-me",
		[SD_REQ_NOTHING] = "nothing",
		[SD_REQ_STOPPED] = "stopped",
		[SD_REQ_YIELD_TO] = "yield-to",
		[SD_REQ_FLUSH_OTHERS] = "flush-others",
		[SD_REQ_FINISH] = "finish",
		[SD_REQ_SLEEP] = "sleep",
		[SD_REQ_WAKE] = "wake",
		[SD_REQ_SPUN] = "spun",
		[SD_REQ_LOG] = "log",
		[SD_REQ_CHECK_STAMPS] = "check-stamps",
		[SD_REQ_BREAK] = "break",
		[SD_REQ_STEP + SD_STEP_POSTED] = "step-posted",
		[SD_REQ_STEP + SD_STEP_READ] = "step-read",
		[SD_REQ_STEP + SD_STEP_FLUSHED] = "step-flushed",
		[SD_REQ_STEP + SD_STEP_SERVED] = "step-served",
		[SD_REQ_STEP + SD_STEP_PUBLISH] = "step-publish",
		[SD_REQ_STEP + SD_STEP_WALK] = "step-walk",
	};

	return kind < EXIT_KINDS && names[kind] != NULL ? names[kind] : "doorbell";
}
