// SPDX-License-Identifier: MIT
/* host_enter.c - go where KVM is (host_enter.h). */
#include "host_enter.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "beside.h"
#include "kvm_usable.h"

/* Built in hosts/ beside vmm, or installed in the folder for programs that others call. */
static int enter_find(char *path, size_t bytes)
{
	if (beside_this("hosts/enter", path, bytes) == 0 && access(path, X_OK) == 0)
		return 0;
	snprintf(path, bytes, "%s", HOSTS_INSTALLED "/enter");
	return access(path, X_OK) == 0 ? 0 : -ENOENT;
}

/* Is this machine the place? */
static bool arrived(const struct host_spec *spec, char *reason, size_t bytes)
{
	const char *inside = getenv(HOST_VARIABLE);
	int kvm;

	*reason = '\0';
	if (spec->kind == HOST_KVM)
		return true;
	if (inside != NULL)
		return spec->kind == HOST_AUTO || strcmp(inside, host_kind_name(spec->kind)) == 0;
	if (spec->kind != HOST_AUTO)
		return false;
	kvm = kvm_usable(reason, bytes);
	if (kvm >= 0)
		close(kvm);
	/* One that is there, and a limit in the way: whoever opens it next says so. */
	return kvm >= 0 || kvm == -EMFILE || kvm == -ENFILE;
}

static char **with_before(const char *first, const char *second, char **argv)
{
	size_t count = 0;
	char **longer;

	while (argv[count] != NULL)
		count++;
	longer = calloc(count + 3, sizeof(*longer));
	if (longer == NULL)
		return NULL;
	longer[0] = (char *)first;
	longer[1] = (char *)second;
	memcpy(longer + 2, argv, count * sizeof(*argv));
	return longer;
}

int host_enter(const char *text, const struct host_spec *spec, char **argv, char *complaint,
	       size_t bytes)
{
	char enter[PATH_MAX], self[PATH_MAX], reason[256];
	char **command;

	if (arrived(spec, reason, sizeof(reason)))
		return 0;
	if (enter_find(enter, sizeof(enter)) != 0 || beside_this("vmm", self, sizeof(self)) != 0) {
		snprintf(complaint, bytes, "%s%sno emulated machine: hosts/enter is not built or installed (./run vmm builds it)",
			 reason, *reason == '\0' ? "" : "; and ");
		return -ENOENT;
	}
	argv[0] = self;
	command = with_before("vmm", text, argv);
	if (command != NULL)
		execv(enter, command);
	snprintf(complaint, bytes, "%s: %s", enter, strerror(errno));
	return -errno;
}
