/* SPDX-License-Identifier: MIT */
/*
 * host_enter.h - go where KVM is, with the command line that this program has.
 *
 * Threads: main's, before any other starts and before anything is opened.
 * Tested:  tests/hosts/, tests/kvm/missing_kvm_is_named_test.py
 */
#ifndef HOST_ENTER_H
#define HOST_ENTER_H

#include <stddef.h>

#include "host_spec.h"

/**
 * host_enter - go on inside the host that @text and @spec name, where that is not here.
 *
 * Shape:   @argv as main() has it: the program is executed again in the machine with all of
 *          it, and finds there that it has arrived.
 * Returns: 0 when this is the place. Otherwise this process is another program from here
 *          on, whose exit status is the command's.
 * Errors:  -errno and a line in @complaint, of @bytes: the program that enters a host is not
 *          there.
 */
__attribute__((warn_unused_result))
int host_enter(const char *text, const struct host_spec *spec, char **argv, char *complaint,
	       size_t bytes);

#endif
