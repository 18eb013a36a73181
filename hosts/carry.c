// SPDX-License-Identifier: MIT
/* carry.c - files of this machine, into an emulated one (carry.h). */
#include "carry.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <fts.h>
#include <limits.h>
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINKS_MAX 40                    /* as the kernel's own limit */
#define LOADER    "/lib64/ld-linux-x86-64.so.2"
/* Loaded by libc itself when a thread ends early. */
#define UNWINDER  "libgcc_s.so.1"

void carry_begin(struct carry *carry, struct archive *archive)
{
	static const char *const folders[] = { "dev", "proc", "sys" };
	char name[32];

	*carry = (struct carry){ .archive = archive };
	archive_folder(archive, CARRIED);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(name, sizeof(name), CARRIED "/%s", folders[i]);
		archive_folder(archive, name);
	}
	archive_entry(archive, CARRIED "/tmp", S_IFDIR | 01777, NULL, 0);
}

void carry_end(struct carry *carry)
{
	tdestroy(carry->seen, free);
	carry->seen = NULL;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool seen(struct carry *carry, const char *name)
{
	char *copy;

	if (tfind(name, &carry->seen, compare) != NULL)
		return true;
	copy = strdup(name);
	if (copy != NULL)
		(void)tsearch(copy, &carry->seen, compare);
	return false;
}

/* One entry; @path has no links in it but the last name. */
static int entry_add(struct carry *carry, const char *path, const struct stat *status,
		     const char *target)
{
	static const char *const machines_own[] = { "/dev", "/proc", "/sys", "/tmp" };
	char name[sizeof(CARRIED) + PATH_MAX];

	for (size_t i = 0; i < sizeof(machines_own) / sizeof(machines_own[0]); i++)
		if (strcmp(path, machines_own[i]) == 0)
			return 0;
	if (seen(carry, path))
		return 0;
	snprintf(name, sizeof(name), CARRIED "%s", path);
	if (S_ISLNK(status->st_mode))
		archive_entry(carry->archive, name, S_IFLNK | 0777, target, strlen(target));
	else if (S_ISDIR(status->st_mode))
		archive_entry(carry->archive, name, status->st_mode, NULL, 0);
	else if (S_ISREG(status->st_mode))
		return archive_file(carry->archive, name, status->st_mode & 07777, path);
	else
		return -EINVAL;
	return 0;
}

/* Where @rest, as seen from the folder @above, begins when @above's last link is followed. */
static int link_follow(const char *above, const char *target, const char *rest, char *path)
{
	int bytes = target[0] == '/' ? snprintf(path, PATH_MAX, "%s/%s", target, rest) :
				       snprintf(path, PATH_MAX, "%s/%s/%s", above, target, rest);

	return bytes < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int step(struct carry *carry, char *done, const char *part, size_t bytes,
		struct stat *status, char *target)
{
	size_t had = strlen(done);
	ssize_t length;

	if (bytes == 0 || (bytes == 1 && part[0] == '.'))
		return 0;
	if (bytes == 2 && memcmp(part, "..", 2) == 0) {
		*(had == 0 ? done : strrchr(done, '/')) = '\0';
		return 0;
	}
	if (had + bytes + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	sprintf(done + had, "/%.*s", (int)bytes, part);
	if (lstat(done, status) != 0)
		return -errno;
	if (S_ISLNK(status->st_mode)) {
		length = readlink(done, target, PATH_MAX - 1);
		if (length < 0)
			return -errno;
		target[length] = '\0';
	}
	int error = entry_add(carry, done, status, target);
	if (error != 0 || !S_ISLNK(status->st_mode))
		return error;
	done[had] = '\0';
	return 1;
}

static int walk(struct carry *carry, const char *path, int links)
{
	char done[PATH_MAX] = "", target[PATH_MAX], next[PATH_MAX];
	struct stat status = { 0 };

	for (const char *part = path; *part != '\0';) {
		size_t bytes = strcspn(part, "/");
		int error = step(carry, done, part, bytes, &status, target);

		part += bytes + (part[bytes] == '/');
		if (error < 0)
			return error;
		if (error == 1 && links == LINKS_MAX)
			return -ELOOP;
		if (error == 1)
			return link_follow(done, target, part, next) != 0 ? -ENAMETOOLONG :
			       walk(carry, next, links + 1);
	}
	return 0;
}

int carry_file(struct carry *carry, const char *path)
{
	return walk(carry, path, 0);
}

static bool left_out(const char *name, const char *const *without)
{
	for (; *without != NULL; without++)
		if (fnmatch(*without, name, 0) == 0)
			return true;
	return false;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

void carry_tree(struct carry *carry, const char *path, const char *const *without)
{
	char *roots[] = { (char *)path, NULL };
	FTS *found = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);

	for (FTSENT *entry; found != NULL && (entry = fts_read(found)) != NULL;)
		if (entry->fts_level > 0 && left_out(entry->fts_name, without))
			fts_set(found, entry, FTS_SKIP);
		else if (entry->fts_info != FTS_DP)
			(void)carry_file(carry, entry->fts_path);
	if (found != NULL)
		fts_close(found);
}

/* ---- programs ---- */

static int find(const char *name, char *path)
{
	const char *folders = getenv("PATH");
	char here[PATH_MAX];

	if (strchr(name, '/') != NULL) {
		if (name[0] == '/' || getcwd(here, sizeof(here)) == NULL)
			here[0] = '\0';
		return snprintf(path, PATH_MAX, "%s/%s", here, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
	}
	if (folders == NULL)
		folders = "/usr/bin:/bin";
	while (*folders != '\0') {
		size_t bytes = strcspn(folders, ":");

		if (snprintf(path, PATH_MAX, "%.*s/%s", (int)bytes, folders, name) < PATH_MAX &&
		    path[0] == '/' && access(path, X_OK) == 0)
			return 0;
		folders += bytes + (folders[bytes] == ':');
	}
	return -ENOENT;
}

/* What the dynamic loader finds for @path, as ldd prints it. */
static void libraries_carry(struct carry *carry, const char *path)
{
	char line[PATH_MAX];
	int ends[2];
	pid_t child;
	FILE *file;

	if (access(LOADER, X_OK) != 0 || pipe2(ends, O_CLOEXEC) != 0)
		return;
	child = vfork();
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execl(LOADER, LOADER, "--list", path, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	file = fdopen(ends[0], "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *name = strchr(line, '/');

		if (name == NULL)
			continue;
		name[strcspn(name, " \n")] = '\0';
		(void)carry_file(carry, name);
		if (strstr(name, "/libc.so.6") != NULL) {
			strcpy(strrchr(name, '/') + 1, UNWINDER);
			(void)carry_file(carry, name);
		}
	}
	if (file != NULL)
		fclose(file);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* #!/usr/bin/env NAME is NAME too. */
static void interpreter_carry(struct carry *carry, char *line)
{
	char *rest, *first, *second;

	line[strcspn(line, "\n")] = '\0';
	first = strtok_r(line, " \t", &rest);
	second = strtok_r(NULL, " \t", &rest);
	if (first != NULL)
		(void)carry_program(carry, first);
	if (first != NULL && second != NULL && strcmp(first, "/usr/bin/env") == 0)
		(void)carry_program(carry, second);
}

static void needs_carry(struct carry *carry, const char *path)
{
	char head[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);

	if (fd >= 0)
		close(fd);
	if (got > SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		libraries_carry(carry, path);
	else if (got > 2 && memcmp(head, "#!", 2) == 0)
		interpreter_carry(carry, head + 2);
}

int carry_program(struct carry *carry, const char *name)
{
	char path[PATH_MAX];
	int error = find(name, path);

	if (error == 0)
		error = carry_file(carry, path);
	if (error == 0)
		needs_carry(carry, path);
	return error;
}
