// SPDX-License-Identifier: MIT
/* kernel.c - the kernel that an emulated machine boots (kernel.h). */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beside.h"

/* @pattern below @root: the last of all that fit, in order of their names. */
static int last_of(const char *root, const char *pattern, char *path, size_t bytes)
{
	char whole[PATH_MAX];
	glob_t found;
	int error = -ENOENT;

	if (snprintf(whole, sizeof(whole), "%s/%s", root, pattern) >= (int)sizeof(whole))
		return -ENAMETOOLONG;
	if (glob(whole, 0, NULL, &found) == 0 && found.gl_pathc > 0 &&
	    snprintf(path, bytes, "%s", found.gl_pathv[found.gl_pathc - 1]) < (int)bytes)
		error = 0;
	globfree(&found);
	return error;
}

static int kernel_below(const char *root, struct kernel *kernel)
{
	const char *version;

	if (last_of(root, "boot/vmlinuz-*-cloud-amd64", kernel->image, sizeof(kernel->image)) != 0 ||
	    access(kernel->image, R_OK) != 0)
		return -ENOENT;
	version = strstr(kernel->image, "vmlinuz-") + strlen("vmlinuz-");
	if (snprintf(kernel->modules, sizeof(kernel->modules), "%s/lib/modules/%s", root, version) >=
	    (int)sizeof(kernel->modules))
		return -ENAMETOOLONG;
	return access(kernel->modules, R_OK | X_OK) == 0 ? 0 : -ENOENT;
}

int kernel_find(struct kernel *kernel, char *complaint, size_t bytes)
{
	const char *named = getenv("SHOOTDOWN_KERNEL");
	char beside[PATH_MAX];

	if (named != NULL && *named != '\0') {
		if (kernel_below(named, kernel) == 0)
			return 0;
		snprintf(complaint, bytes, "SHOOTDOWN_KERNEL: no boot/vmlinuz-*-cloud-amd64 with modules in %.200s",
			 named);
		return -ENOENT;
	}
	if (beside_this("kernel", beside, sizeof(beside)) == 0 &&
	    kernel_below(beside, kernel) == 0)
		return 0;
	if (kernel_below("", kernel) == 0)
		return 0;
	snprintf(complaint, bytes, "no kernel for it (Debian package linux-image-cloud-amd64)");
	return -ENOENT;
}

/* Where below the kernel's modules is the file @name? */
static int module_find(const struct kernel *kernel, const char *name, char *path, size_t bytes)
{
	char *roots[] = { (char *)kernel->modules, NULL };
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
	int error = -ENOENT;

	if (walk == NULL)
		return -errno;
	for (FTSENT *entry; error != 0 && (entry = fts_read(walk)) != NULL;)
		if (strcmp(entry->fts_name, name) == 0 &&
		    snprintf(path, bytes, "%s", entry->fts_path) < (int)bytes)
			error = 0;
	fts_close(walk);
	return error;
}

/* How many of @bytes are the module itself: the signature is appended to it, and a CPU that
 * is emulated takes seconds to check it.
 * Follows: include/linux/module_signature.h */
static size_t module_bytes(const uint8_t *data, size_t bytes)
{
	static const char magic[] = "~Module signature appended~\n";
	const size_t magic_bytes = sizeof(magic) - 1, info_bytes = 12;
	size_t signature;

	if (bytes < magic_bytes + info_bytes ||
	    memcmp(data + bytes - magic_bytes, magic, magic_bytes) != 0)
		return bytes;
	bytes -= magic_bytes;
	/* Its last four bytes, big-endian. */
	signature = (size_t)data[bytes - 4] << 24 | (size_t)data[bytes - 3] << 16 |
		    (size_t)data[bytes - 2] << 8 | data[bytes - 1];
	bytes -= info_bytes;
	return signature < bytes ? bytes - signature : bytes;
}

static int module_add(struct archive *archive, const char *entry, const char *path)
{
	struct stat status;
	void *data = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fstat(fd, &status) == 0)
		data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (fd >= 0)
		close(fd);
	if (data == MAP_FAILED)
		return -ENOENT;
	archive_bytes(archive, entry, 0644, data, module_bytes(data, (size_t)status.st_size));
	munmap(data, (size_t)status.st_size);
	return 0;
}

int kernel_add_modules(const struct kernel *kernel, const char *const *words,
		       struct archive *archive, char *complaint, size_t bytes)
{
	archive_folder(archive, "modules");
	for (; *words != NULL; words++) {
		char name[64], entry[80], path[PATH_MAX];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(*words, " "), *words);
		snprintf(entry, sizeof(entry), "modules/%s", name);
		if (module_find(kernel, name, path, sizeof(path)) != 0 ||
		    module_add(archive, entry, path) != 0) {
			snprintf(complaint, bytes, "the kernel %.200s has no module %s", kernel->image,
				 name);
			return -ENOENT;
		}
	}
	return 0;
}
