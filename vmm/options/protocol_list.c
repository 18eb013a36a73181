// SPDX-License-Identifier: MIT
/*
 * protocol_list.c - the columns of protocols.def, and the value of --protocol
 * (protocol_list.h).
 *
 * Tested: tests/unit/options_are_checked_test.c
 */
#include "protocol_list.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "value.h"

static const char *const g_names[] = {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) [SD_PROTOCOL_##identifier] = name,
#include "protocols.def"
#undef SD_PROTOCOL
};

static const enum sd_protocol_kind g_kinds[] = {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
	[SD_PROTOCOL_##identifier] = SD_KIND_##kind,
#include "protocols.def"
#undef SD_PROTOCOL
};

static const enum sd_protocol_walkers g_walkers[] = {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
	[SD_PROTOCOL_##identifier] = SD_WALKERS_##walkers,
#include "protocols.def"
#undef SD_PROTOCOL
};

static const enum sd_effect g_effects[] = {
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) \
	[SD_PROTOCOL_##identifier] = SD_EFFECT_##effect,
#include "protocols.def"
#undef SD_PROTOCOL
};

/* Words for more than one protocol. */
enum group { GROUP_SAFE, GROUP_ALL };

static const char *const g_groups[] = {
	[GROUP_SAFE] = "safe",
	[GROUP_ALL] = "all",
};

const char *protocol_name(enum sd_protocol protocol)
{
	assert((unsigned int)protocol < SD_PROTOCOLS);
	return g_names[protocol];
}

enum sd_protocol_kind protocol_kind(enum sd_protocol protocol)
{
	assert((unsigned int)protocol < SD_PROTOCOLS);
	return g_kinds[protocol];
}

enum sd_protocol_walkers protocol_walkers(enum sd_protocol protocol)
{
	assert((unsigned int)protocol < SD_PROTOCOLS);
	return g_walkers[protocol];
}

enum sd_effect protocol_effect(enum sd_protocol protocol)
{
	assert((unsigned int)protocol < SD_PROTOCOLS);
	return g_effects[protocol];
}

const char *protocol_list_known(void)
{
	return
#define SD_PROTOCOL(identifier, name, kind, walkers, effect, vmm) name ", "
#include "protocols.def"
#undef SD_PROTOCOL
	"safe, all";
}

static void list_add(enum sd_protocol *protocols, uint32_t *count, enum sd_protocol protocol)
{
	for (uint32_t i = 0; i < *count; i++) {
		if (protocols[i] == protocol)
			return;
	}
	protocols[(*count)++] = protocol;
}

int protocol_read(const char *text, size_t bytes, enum sd_protocol *protocol)
{
	static const struct value_names names = VALUE_NAMES(g_names);
	uint32_t number;

	if (value_read_name(text, bytes, &names, &number))
		return -EINVAL;
	*protocol = (enum sd_protocol)number;
	return 0;
}

/* Add all protocols that @item, of @bytes and not terminated, stands for. Returns
 * false when it is no word. */
static bool list_add_item(enum sd_protocol *protocols, uint32_t *count,
			  const char *item, size_t bytes)
{
	static const struct value_names groups = VALUE_NAMES(g_groups);
	enum sd_protocol protocol;
	uint32_t group;

	if (!protocol_read(item, bytes, &protocol)) {
		list_add(protocols, count, protocol);
		return true;
	}
	if (value_read_name(item, bytes, &groups, &group))
		return false;
	for (unsigned int i = 0; i < SD_PROTOCOLS; i++) {
		if (group == GROUP_ALL || g_kinds[i] == SD_KIND_SAFE)
			list_add(protocols, count, (enum sd_protocol)i);
	}
	return true;
}

int protocol_list_read(const char *text, enum sd_protocol protocols[SD_PROTOCOLS],
		       uint32_t *count, const char **unknown)
{
	*count = 0;
	for (const char *item = text;; item++) {
		size_t bytes = strcspn(item, ",");

		if (!list_add_item(protocols, count, item, bytes)) {
			*unknown = item;
			return -EINVAL;
		}
		item += bytes;
		if (*item == '\0')
			return 0;
	}
}
