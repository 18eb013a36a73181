/* SPDX-License-Identifier: MIT */
/*
 * standstill.h - the vCPUs of a guest that gets nowhere, for the message that says so.
 *
 * Tested: tests/unit/standstill_is_told_in_few_lines_test.c
 */
#ifndef STANDSTILL_H
#define STANDSTILL_H

struct session;

/* vCPUs that have a line; of a thousand the others say no more. */
#define STANDSTILL_VCPUS 16

/**
 * standstill_text - a line for each of the first vCPUs, and how many more there are.
 *
 * Shape:   those first that run, or have a request to serve: somebody waits for them; each
 *          kind by number. Lines begin with "vmm: ".
 * Threads: main, when the vCPU threads have ended: their fields are quiet.
 * Returns: static storage, written over by the next call.
 */
const char *standstill_text(const struct session *session);

#endif
