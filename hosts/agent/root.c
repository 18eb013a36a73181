// SPDX-License-Identifier: MIT
/*
 * root.c - the root that the command sees (agent.h).
 *
 * virtiofs: the root of the machine outside, to read and to write.
 * carried: what enter has put into the initramfs, below a file system in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "carry.h"

#define NEW_ROOT "/root"
#define WRITTEN  "/written"

static const struct {
	const char *type, *from, *to;
	unsigned long flags;
} g_mounts[] = {
	{ NULL, "/proc", NEW_ROOT "/proc", MS_BIND | MS_REC },
	{ NULL, "/sys", NEW_ROOT "/sys", MS_BIND | MS_REC },
	{ NULL, "/dev", NEW_ROOT "/dev", MS_BIND | MS_REC },
};

/* What devtmpfs does not make itself. */
static int devices_make(char *complaint)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		(void)symlink(links[i][0], links[i][1]);
	(void)mkdir("/dev/pts", 0755);
	(void)mkdir("/dev/shm", 01777);
	if (mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666") != 0 ||
	    mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL) != 0)
		return complain(complaint, errno, "/dev: %s", strerror(errno));
	return 0;
}

static int carried_mount(int *upper, char *complaint)
{
	if (mkdir(WRITTEN, 0755) != 0 || mount("tmpfs", WRITTEN, "tmpfs", 0, "size=90%") != 0 ||
	    mkdir(WRITTEN "/upper", 0755) != 0 || mkdir(WRITTEN "/work", 0755) != 0 ||
	    mount("overlay", NEW_ROOT, "overlay", 0,
		  "lowerdir=/" CARRIED ",upperdir=" WRITTEN "/upper,workdir=" WRITTEN "/work") != 0)
		return complain(complaint, errno, "overlay: %s", strerror(errno));
	*upper = open(WRITTEN "/upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *upper >= 0 ? 0 : complain(complaint, errno, "overlay: %s", strerror(errno));
}

int root_make(const struct request *request, int *upper, char *complaint)
{
	int error = devices_make(complaint);

	if (error != 0)
		return error;
	if (strcmp(request->root, ROOT_CARRIED) == 0)
		error = carried_mount(upper, complaint);
	else if (mount("root", NEW_ROOT, "virtiofs", 0, NULL) != 0)
		error = complain(complaint, errno, "virtiofs: %s", strerror(errno));
	if (error != 0)
		return error;
	for (size_t i = 0; i < sizeof(g_mounts) / sizeof(g_mounts[0]); i++)
		if (mount(g_mounts[i].from, g_mounts[i].to, g_mounts[i].type, g_mounts[i].flags,
			  NULL) != 0)
			return complain(complaint, errno, "mount %s: %s", g_mounts[i].to,
					strerror(errno));
	/* The root proper, not a folder below it: user namespaces are refused to who sits in a
	 * chroot(). */
	if (chdir(NEW_ROOT) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
	    chdir("/") != 0)
		return complain(complaint, errno, "root: %s", strerror(errno));
	return 0;
}
