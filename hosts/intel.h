/* SPDX-License-Identifier: MIT */
/*
 * intel.h - the parts of the emulated Intel machine: intel.c starts it.
 */
#ifndef INTEL_H
#define INTEL_H

#include <stdbool.h>

#include "emulator.h"

/**
 * intel_add_files - what the command needs, as the root that it will see.
 *
 * The working folder, the program with its libraries, and each argument, or what follows its
 * equals sign, that names a file. A program other than vmm gets the shell, the core utilities,
 * Python and the source tree too.
 * Errors: -errno and machine->complaint.
 */
__attribute__((warn_unused_result))
int intel_add_files(struct emulator *machine, const struct request *request,
		    struct archive *archive);

/* intel_is_vmm - is the program @name that of this build? */
bool intel_is_vmm(const char *name);

/**
 * intel_iso_make - a CD that boots the machine's kernel and initramfs with the arguments
 * @append.
 *
 * Returns: a memory file; -errno and machine->complaint.
 */
__attribute__((warn_unused_result))
int intel_iso_make(struct emulator *machine, const char *append);

#endif
