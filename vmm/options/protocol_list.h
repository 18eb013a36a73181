/* SPDX-License-Identifier: MIT */
/*
 * protocol_list.h - the columns of protocols.def, and the value of --protocol.
 *
 * Pure; any thread.
 * Tested: tests/unit/options_are_checked_test.c
 */
#ifndef PROTOCOL_LIST_H
#define PROTOCOL_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "protocols.h"

/**
 * protocol_list_read - names, safe and all, between commas.
 *
 * Shape:   @protocols has SD_PROTOCOLS elements; the first *count are filled,
 *          in the order of @text, safe and all in that of protocols.def, each
 *          protocol once.
 * Errors:  -EINVAL and *unknown at the item that names nothing; it ends at the
 *          next comma or the end of @text. The list is then half filled.
 */
__attribute__((warn_unused_result))
int protocol_list_read(const char *text, enum sd_protocol protocols[SD_PROTOCOLS],
		       uint32_t *count, const char **unknown);

/* protocol_read - the protocol whose name the first @bytes of @text are. -EINVAL. */
__attribute__((warn_unused_result))
int protocol_read(const char *text, size_t bytes, enum sd_protocol *protocol);

/* protocol_list_known - all that protocol_list_read() takes, for messages. */
const char *protocol_list_known(void);

/* protocol_name, protocol_kind, protocol_walkers, protocol_effect - columns of
 * protocols.def. */
const char *protocol_name(enum sd_protocol protocol);
enum sd_protocol_kind protocol_kind(enum sd_protocol protocol);
enum sd_protocol_walkers protocol_walkers(enum sd_protocol protocol);
enum sd_effect protocol_effect(enum sd_protocol protocol);

#endif
