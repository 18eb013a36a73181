// SPDX-License-Identifier: MIT
/* returned.c - what a command wrote in an emulated machine (returned.h). */
#include "returned.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "write_all.h"

#define HEAD_BYTES 110

struct entry {
	const char *name;
	mode_t mode;
	const uint8_t *data;
	size_t bytes;
};

/* One thing to do at the end, or to take back. */
struct change {
	char *place;
	char *beside;           /* a file or link to be renamed; NULL: a folder that was made */
	bool gone;              /* @place is to be removed */
};

struct returned {
	const char *root;
	struct change *changes;
	size_t count;
	char *complaint;
	size_t size;
};

static int fail(struct returned *returned, int error, const char *name)
{
	snprintf(returned->complaint, returned->size, "%.300s: %s", name, strerror(error));
	/* One line, whatever it names. */
	for (char *c = returned->complaint; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return -error;
}

/* ---- the archive ---- */

static bool field(const uint8_t *head, size_t which, size_t *value)
{
	char digits[9], *end;

	memcpy(digits, head + 6 + 8 * which, 8);
	digits[8] = '\0';
	*value = strtoul(digits, &end, 16);
	return *end == '\0';
}

static bool name_is_safe(const char *name)
{
	for (const char *part = name; part != NULL;) {
		size_t bytes = strcspn(part, "/");

		if (bytes == 0 || (bytes <= 2 && strncmp(part, "..", bytes) == 0))
			return false;
		part = part[bytes] == '\0' ? NULL : part + bytes + 1;
	}
	return true;
}

/* 1 and an entry, 0 at the trailer, -EPROTO. */
static int entry_next(const uint8_t *archive, size_t bytes, size_t *at, struct entry *entry)
{
	size_t mode, size, name_bytes, data_at;

	if (*at > bytes || bytes - *at < HEAD_BYTES || memcmp(archive + *at, "070701", 6) != 0 ||
	    !field(archive + *at, 1, &mode) || !field(archive + *at, 6, &size) ||
	    !field(archive + *at, 11, &name_bytes))
		return -EPROTO;
	data_at = (*at + HEAD_BYTES + name_bytes + 3) & ~(size_t)3;
	if (name_bytes == 0 || name_bytes > PATH_MAX || data_at > bytes || size > bytes - data_at)
		return -EPROTO;
	entry->name = (const char *)archive + *at + HEAD_BYTES;
	entry->mode = (mode_t)mode;
	entry->data = archive + data_at;
	entry->bytes = size;
	if (entry->name[name_bytes - 1] != '\0' || strlen(entry->name) != name_bytes - 1)
		return -EPROTO;
	*at = (data_at + size + 3) & ~(size_t)3;
	if (strcmp(entry->name, "TRAILER!!!") == 0)
		return 0;
	return name_is_safe(entry->name) ? 1 : -EPROTO;
}

/* ---- beside ---- */

static struct change *change_add(struct returned *returned, const char *place)
{
	struct change *longer = reallocarray(returned->changes, returned->count + 1,
					     sizeof(*longer));

	if (longer == NULL)
		return NULL;
	returned->changes = longer;
	longer[returned->count] = (struct change){ .place = strdup(place) };
	return longer[returned->count].place == NULL ? NULL : &longer[returned->count++];
}

static int file_write(const char *path, const struct entry *entry)
{
	int fd, error;

	if (S_ISLNK(entry->mode)) {
		char target[PATH_MAX];

		snprintf(target, sizeof(target), "%.*s", (int)entry->bytes, entry->data);
		return symlink(target, path) == 0 ? 0 : -errno;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = write_all(fd, entry->data, entry->bytes);
	if (error == 0 && fchmod(fd, entry->mode & 07777) != 0)
		error = -errno;
	/* Some file systems say only here that they are full. */
	if (close(fd) != 0 && error == 0)
		error = -errno;
	return error;
}

/* A link that stands here is written through, as the command would have. */
static int place_find(const struct entry *entry, const char *path, char *place)
{
	struct stat status;

	if (S_ISLNK(entry->mode) || realpath(path, place) == NULL)
		strcpy(place, path);
	if (stat(place, &status) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	return access(place, W_OK) == 0 ? 0 : -errno;
}

static int file_put(struct returned *returned, const struct entry *entry, const char *path)
{
	char place[PATH_MAX], beside[PATH_MAX];
	struct change *change;
	int error = place_find(entry, path, place);
	char *last = strrchr(place, '/');

	if (error != 0)
		return fail(returned, -error, path);
	if (snprintf(beside, sizeof(beside), "%.*s/.%.200s.%d", (int)(last - place), place, last + 1,
		     getpid()) >= (int)sizeof(beside))
		return fail(returned, ENAMETOOLONG, path);
	change = change_add(returned, place);
	if (change == NULL || (change->beside = strdup(beside)) == NULL)
		return fail(returned, ENOMEM, path);
	error = file_write(beside, entry);
	return error == 0 ? 0 : fail(returned, -error, path);
}

static int folder_put(struct returned *returned, const struct entry *entry, const char *path)
{
	struct stat status;

	if (mkdir(path, entry->mode & 07777) == 0)
		return change_add(returned, path) != NULL ? 0 : fail(returned, ENOMEM, path);
	if (stat(path, &status) == 0)
		return S_ISDIR(status.st_mode) ? 0 : fail(returned, ENOTDIR, path);
	return fail(returned, errno, path);
}

static int entry_put(struct returned *returned, const struct entry *entry)
{
	char path[PATH_MAX];
	struct change *change;

	if (snprintf(path, sizeof(path), "%s/%s", returned->root, entry->name) >= (int)sizeof(path))
		return fail(returned, ENAMETOOLONG, entry->name);
	if (S_ISDIR(entry->mode))
		return folder_put(returned, entry, path);
	if (!S_ISCHR(entry->mode))
		return file_put(returned, entry, path);
	change = change_add(returned, path);
	if (change == NULL)
		return fail(returned, ENOMEM, path);
	change->gone = true;
	return 0;
}

/* ---- in place ---- */

static int finish(struct returned *returned)
{
	int error = 0;

	for (size_t i = 0; i < returned->count; i++) {
		struct change *change = &returned->changes[i];

		if (change->gone)
			(void)remove(change->place);
		else if (change->beside != NULL && rename(change->beside, change->place) != 0 &&
			 error == 0)
			error = fail(returned, errno, change->place);
	}
	return error;
}

/* The newest first: a folder is empty when its turn comes. */
static void take_back(struct returned *returned)
{
	for (size_t i = returned->count; i-- > 0;) {
		struct change *change = &returned->changes[i];

		if (change->beside != NULL)
			unlink(change->beside);
		else if (!change->gone)
			rmdir(change->place);
	}
}

int returned_put(const char *root, const uint8_t *archive, size_t bytes, char *complaint,
		 size_t size)
{
	struct returned returned = { .root = root, .complaint = complaint, .size = size };
	struct entry entry;
	size_t at = 0;
	int error = 0, more;

	while (error == 0 && (more = entry_next(archive, bytes, &at, &entry)) > 0)
		error = entry_put(&returned, &entry);
	if (error == 0 && more < 0)
		error = fail(&returned, EPROTO, "the archive of what was written");
	if (error == 0)
		error = finish(&returned);
	else
		take_back(&returned);
	for (size_t i = 0; i < returned.count; i++) {
		free(returned.changes[i].place);
		free(returned.changes[i].beside);
	}
	free(returned.changes);
	return error;
}
