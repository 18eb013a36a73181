/* SPDX-License-Identifier: MIT */
/*
 * options_parse.h - from the command line to options, and --help.
 *
 * Pure: reads argv and nothing else, so it is tested without KVM.
 * Tested: tests/unit/options_are_checked_test.c
 */
#ifndef OPTIONS_PARSE_H
#define OPTIONS_PARSE_H

#include <stdio.h>

#include "options.h"

/**
 * options_parse - fill @options from the command line.
 *
 * Errors:  -EINVAL with one line in @why (EXIT_USAGE): unknown option or value,
 *          a number out of range, an unknown protocol (with the list).
 */
__attribute__((warn_unused_result))
int options_parse(int argc, char **argv, struct options *options, struct why *why);

/* options_suit_host - defaults that are others on an @emulated host, once that is known:
 * slices of 20 ms. What was given stays. */
void options_suit_host(struct options *options, bool emulated);

/* options_help - the text of --help, in 80 columns, to @out (option_help.c). */
void options_help(FILE *out);

#endif
