/* SPDX-License-Identifier: MIT */
/*
 * capabilities.h - giving up what the run does not need.
 */
#ifndef CAPABILITIES_H
#define CAPABILITIES_H

#include <stdbool.h>

#include "why.h"

/**
 * capabilities_drop - keep no capability, or CAP_SYS_NICE alone, in this thread
 * and all it starts, and never gain one again (no_new_privs).
 *
 * Call it when every file is open and before any vCPU thread starts.
 * Errors:  EXIT_HOST.
 */
__attribute__((warn_unused_result))
int capabilities_drop(bool keep_sys_nice, struct why *why);

#endif
