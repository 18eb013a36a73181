// SPDX-License-Identifier: MIT
/* modules.c - the kernel modules that the machine needs (agent.h). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

static int module_load(const char *word)
{
	size_t name_bytes = strcspn(word, " ");
	const char *parameters = word + name_bytes;
	char path[128];
	int fd, error = 0;

	snprintf(path, sizeof(path), "/modules/%.*s", (int)name_bytes, word);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, parameters + (*parameters == ' '), 0) != 0)
		error = -errno;
	close(fd);
	return error;
}

int modules_load(const struct request *request, char *complaint)
{
	for (const char *const *word = request->modules; *word != NULL; word++) {
		int error = module_load(*word);

		if (error != 0)
			return complain(complaint, -error, "module %s: %s", *word, strerror(-error));
	}
	return 0;
}
