/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the kernel that an emulated machine boots, and its modules.
 *
 * Looked for in the folder that SHOOTDOWN_KERNEL names, in kernel/ beside this program,
 * where `run` unpacks Debian's, and in / itself, where linux-image-cloud-amd64 may be
 * installed.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <limits.h>
#include <stddef.h>

#include "archive.h"

struct kernel {
	char image[PATH_MAX];           /* bzImage */
	char modules[PATH_MAX];         /* the folder of its modules */
};

/* kernel_find - -ENOENT and a line in @complaint, of @bytes, when there is none. */
__attribute__((warn_unused_result))
int kernel_find(struct kernel *kernel, char *complaint, size_t bytes);

/**
 * kernel_add_modules - the modules that @words name, into @archive's folder modules/.
 *
 * Shape:   @words ends with NULL; each begins with NAME.ko, what follows a blank is for the
 *          agent.
 * Errors:  -ENOENT and a line in @complaint for one that this kernel does not have.
 */
__attribute__((warn_unused_result))
int kernel_add_modules(const struct kernel *kernel, const char *const *words,
		       struct archive *archive, char *complaint, size_t bytes);

#endif
