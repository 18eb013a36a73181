// SPDX-License-Identifier: MIT
/* archive.c - an initramfs, written into a memory file (archive.h). */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int archive_begin(struct archive *archive, int fd)
{
	*archive = (struct archive){ .file = fdopen(fd, "w+") };
	return archive->file == NULL ? -errno : 0;
}

static void put(struct archive *archive, const void *data, size_t bytes)
{
	static const char zeros[4];

	if (bytes > 0)
		fwrite(data, 1, bytes, archive->file);
	archive->bytes += bytes;
	/* What follows begins on a multiple of four bytes. */
	if (archive->bytes % 4 != 0 && data != zeros)
		put(archive, zeros, 4 - archive->bytes % 4);
}

void archive_entry(struct archive *archive, const char *name, mode_t mode, const void *data,
		   size_t bytes)
{
	unsigned links = S_ISDIR(mode) ? 2 : 1;

	/* magic, inode, mode, owner, group, links, time, size, four device numbers, bytes of
	 * the name with its zero, no checksum */
	int head = fprintf(archive->file,
			   "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
			   ++archive->entries, mode, 0, 0, links, 0, bytes, 0, 0, 0, 0,
			   strlen(name) + 1, 0);

	archive->bytes += head > 0 ? (uint64_t)head : 0;
	put(archive, name, strlen(name) + 1);
	put(archive, data, bytes);
}

void archive_folder(struct archive *archive, const char *name)
{
	archive_entry(archive, name, S_IFDIR | 0755, NULL, 0);
}

void archive_bytes(struct archive *archive, const char *name, mode_t mode, const void *data,
		   size_t bytes)
{
	archive_entry(archive, name, S_IFREG | mode, data, bytes);
}

int archive_file(struct archive *archive, const char *name, mode_t mode, const char *path)
{
	struct stat status;
	void *data = NULL;
	int error = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &status) != 0) {
		error = -errno;
		goto close_fd;
	}
	if (status.st_size > 0) {
		data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED) {
			error = -errno;
			goto close_fd;
		}
	}
	archive_bytes(archive, name, mode, data, (size_t)status.st_size);
	if (data != NULL)
		munmap(data, (size_t)status.st_size);
close_fd:
	if (fd >= 0)
		close(fd);
	return error;
}

int archive_end(struct archive *archive)
{
	int fd = -1;

	archive_entry(archive, "TRAILER!!!", 0, NULL, 0);
	if (fflush(archive->file) == 0 && !ferror(archive->file))
		fd = fcntl(fileno(archive->file), F_DUPFD_CLOEXEC, 3);
	int error = fd < 0 ? (errno != 0 ? -errno : -EIO) : 0;
	fclose(archive->file);
	if (error != 0)
		return error;
	lseek(fd, 0, SEEK_SET);
	return fd;
}
