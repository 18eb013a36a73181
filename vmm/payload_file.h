/* SPDX-License-Identifier: MIT */
/*
 * payload_file.h - the payload: a file, read once, or the one in this binary.
 */
#ifndef PAYLOAD_FILE_H
#define PAYLOAD_FILE_H

#include "machine.h"
#include "why.h"

/**
 * payload_read - all of @path into memory of its own, and a look whether it can be loaded.
 * What becomes of the file afterwards does not matter. NULL: the built-in payload.
 *
 * Errors:  EXIT_USAGE.
 */
__attribute__((warn_unused_result))
int payload_read(const char *path, struct machine_payload *payload, struct why *why);

/* payload_free - what payload_read() has read; nothing of the built-in one. */
void payload_free(struct machine_payload *payload);

#endif
