// SPDX-License-Identifier: MIT
/* beside.c - files that came together with the running program (beside.h). */
#include "beside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int beside_this(const char *name, char *path, size_t bytes)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		return -errno;
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	if (snprintf(path, bytes, "%s/%s", self, name) >= (int)bytes)
		return -ENAMETOOLONG;
	return 0;
}
