/* SPDX-License-Identifier: MIT */
/*
 * toggle.h - the workload of SD_JOB_TOGGLE: initiators remap their windows and
 * flush, everyone else watches.
 */
#ifndef TOGGLE_H
#define TOGGLE_H

#include <stdint.h>

/* g_toggle_run - this vCPU's part of the job; returns when it is stopped. */
void g_toggle_run(uint32_t self);

#endif
