/* SPDX-License-Identifier: MIT */
/*
 * rlimits.h - the resource limits of this process: raised where that is allowed, named where
 * one was met.
 *
 * Tested: tests/kvm/limits_name_themselves_test.py, tests/kvm/small_stacks_are_enough_test.py
 */
#ifndef RLIMITS_H
#define RLIMITS_H

#include "options.h"

/**
 * rlimits_raise - the soft limit of descriptors, to what a run of @options takes, as far as
 * the hard one allows; and the stacks of all threads that begin later, to what they need,
 * whatever the limit. Before the first file is opened.
 */
void rlimits_raise(const struct options *options);

/**
 * rlimits_words - after a message about @error, a positive errno: the limit that was met,
 * what it is, and what would do; "" where no limit explains it.
 *
 * Returns: a static text, valid until the next call.
 */
const char *rlimits_words(int error);

#endif
