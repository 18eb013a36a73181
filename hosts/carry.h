/* SPDX-License-Identifier: MIT */
/*
 * carry.h - files of this machine, into the root of an emulated one that cannot reach them.
 *
 * Under the same names, with the folders and links that lead there. Each once.
 * Tested: tests/unit/files_are_carried_with_their_links_test.c
 */
#ifndef CARRY_H
#define CARRY_H

#include "archive.h"

#define CARRIED "carried"       /* the folder of the archive that becomes the root */

struct carry {
	struct archive *archive;
	void *seen;             /* tsearch() of names */
};

void carry_begin(struct carry *carry, struct archive *archive);
void carry_end(struct carry *carry);

/**
 * carry_file - @path, which begins with a slash.
 *
 * Shape:  of a folder the folder alone. What cannot be read, or is neither file, folder nor
 *         link, is left out, but not the folders above.
 * Errors: -errno when something is left out.
 */
int carry_file(struct carry *carry, const char *path);

/* carry_tree - @path and all that is below, as carry_file(), but for names that a NULL-ended
 * list @without has, patterns as of fnmatch(). */
void carry_tree(struct carry *carry, const char *path, const char *const *without);

/**
 * carry_program - @name, as execvp() finds it, with what it is run by or linked with.
 *
 * Errors: -ENOENT: no such program.
 */
int carry_program(struct carry *carry, const char *name);

#endif
