/* SPDX-License-Identifier: MIT */
/*
 * returned.h - what a command wrote in an emulated machine, put in place in this one.
 *
 * Each file is written beside its place and then renamed: what was there before is whole
 * until then, and stays whole where something cannot be written.
 * Tested: tests/unit/returned_files_are_whole_or_not_there_test.c
 */
#ifndef RETURNED_H
#define RETURNED_H

#include <stddef.h>
#include <stdint.h>

/**
 * returned_put - all of an archive, as agent/changes.c makes it, below the folder @root.
 *
 * Shape:   @root is "" for the machine's own. Files get this process's owner and their own
 *          mode.
 * Errors:  -errno, one line in @complaint, of @size, and nothing has changed; -EPROTO when it
 *          is no whole archive. An error of the renames themselves leaves those that were done.
 */
__attribute__((warn_unused_result))
int returned_put(const char *root, const uint8_t *archive, size_t bytes, char *complaint,
		 size_t size);

#endif
