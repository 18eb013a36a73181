/* SPDX-License-Identifier: MIT */
/*
 * litmus_list.h - the names of the litmus tests: INTERLEAVING/VARIANT.
 *
 * Pure; any thread.
 * Tested: tests/kvm/litmus_shows_each_hazard_test.py
 */
#ifndef LITMUS_LIST_H
#define LITMUS_LIST_H

#include <stdbool.h>

#include "litmus_cast.h"

/* litmus_list_name - of a litmus; "?" for a number that is none. */
const char *litmus_list_name(enum sd_litmus litmus);

/* litmus_list_matches - is @litmus meant by @wanted: its name, its interleaving, or NULL? */
bool litmus_list_matches(enum sd_litmus litmus, const char *wanted);

/* litmus_list_has - does @wanted mean any? */
bool litmus_list_has(const char *wanted);

/* litmus_list_known - all interleavings, for messages. */
const char *litmus_list_known(void);

#endif
