/* SPDX-License-Identifier: MIT */
/*
 * archive.h - an initramfs, written into a memory file.
 *
 * Follows: Linux Documentation/driver-api/early-userspace/buffer-format.rst, "newc".
 * Owner, time and inode numbers are fixed, so that equal contents make equal archives.
 * Tested:  tests/unit/archives_are_read_by_cpio_test.c
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct archive {
	FILE *file;
	uint32_t entries;
	uint64_t bytes;                 /* so far; a stream cannot be asked */
};

/* archive_begin - on @fd, which the archive owns from here on. -errno. */
__attribute__((warn_unused_result))
int archive_begin(struct archive *archive, int fd);

/* archive_entry, archive_folder, archive_bytes - add one entry; names have no leading slash,
 * and the folders above were added before. What fails shows in archive_end(). */
void archive_entry(struct archive *archive, const char *name, mode_t mode, const void *data,
		   size_t bytes);  /* @mode with the kind of file; a link's @data is its target */
void archive_folder(struct archive *archive, const char *name);
void archive_bytes(struct archive *archive, const char *name, mode_t mode, const void *data,
		   size_t bytes);

/* archive_file - the contents of the host's file @path as @name. -errno of opening or
 * reading it. */
__attribute__((warn_unused_result))
int archive_file(struct archive *archive, const char *name, mode_t mode, const char *path);

/* archive_end - the trailer; writes all. Returns the descriptor, at its begin, now the
 * caller's; -errno. */
__attribute__((warn_unused_result))
int archive_end(struct archive *archive);

#endif
