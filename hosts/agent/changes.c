// SPDX-License-Identifier: MIT
/*
 * changes.c - what the command has written, as an archive (agent.h).
 *
 * The upper folder of the root's overlay: files and links as they are now; for one that is
 * gone the overlay's own mark, a character device 0:0.
 * Follows: Linux Documentation/filesystems/overlayfs.rst
 */
#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "archive.h"

static int entry_send(struct archive *archive, const FTSENT *entry)
{
	const char *name = entry->fts_path + strlen("./");
	const struct stat *status = entry->fts_statp;
	char target[PATH_MAX];
	ssize_t bytes;

	switch (entry->fts_info) {
	case FTS_D:
		archive_entry(archive, name, status->st_mode, NULL, 0);
		return 0;
	case FTS_F:
		return archive_file(archive, name, status->st_mode & 07777, entry->fts_path);
	case FTS_SL:
	case FTS_SLNONE:
		bytes = readlink(entry->fts_path, target, sizeof(target));
		if (bytes < 0)
			return -errno;
		archive_entry(archive, name, S_IFLNK | 0777, target, (size_t)bytes);
		return 0;
	case FTS_DEFAULT:
		if (S_ISCHR(status->st_mode) && status->st_rdev == 0)
			archive_entry(archive, name, S_IFCHR, NULL, 0);
		return 0;
	default:
		return entry->fts_errno == 0 ? 0 : -entry->fts_errno;
	}
}

int changes_send(int upper, FILE *stream)
{
	struct archive archive = { .file = stream };
	char *roots[] = { (char *)"./", NULL };
	FTS *walk;
	int error = 0;

	if (fchdir(upper) != 0)
		return -errno;
	walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (walk == NULL)
		return -errno;
	for (FTSENT *entry; error == 0 && (entry = fts_read(walk)) != NULL;)
		if (entry->fts_level > 0 && entry->fts_info != FTS_DP)
			error = entry_send(&archive, entry);
	fts_close(walk);
	archive_entry(&archive, "TRAILER!!!", 0, NULL, 0);
	return error;
}
