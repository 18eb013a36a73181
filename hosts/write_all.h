/* SPDX-License-Identifier: MIT */
/*
 * write_all.h - write(), until everything is written.
 */
#ifndef WRITE_ALL_H
#define WRITE_ALL_H

#include <stddef.h>
#include <stdint.h>

/* write_all - all of @data to @fd, which is waited for where it does not block. -errno of
 * write(). */
__attribute__((warn_unused_result))
int write_all(int fd, const uint8_t *data, size_t bytes);

#endif
