/* SPDX-License-Identifier: MIT */
/*
 * beside.h - files that were built or installed together with the running program.
 */
#ifndef BESIDE_H
#define BESIDE_H

#include <stddef.h>

/* beside_this - @name in the folder of the running program. -errno, -ENAMETOOLONG. */
__attribute__((warn_unused_result))
int beside_this(const char *name, char *path, size_t bytes);

#endif
