// SPDX-License-Identifier: MIT
/*
 * protocol_list.c - the columns of protocols.def (options.h) and the value of
 * --protocol (protocol_list.h).
 *
 * Tested: tests/unit/options_are_checked_test.c
 */
#include "protocol_list.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "options.h"

static const struct protocol_row {
	const char *name;
	enum sd_protocol_kind kind;
} g_protocols[] = {
#define SD_PROTOCOL(identifier, name, kind, vmm) \
	[SD_PROTOCOL_##identifier] = { name, SD_KIND_##kind },
#include "protocols.def"
#undef SD_PROTOCOL
};

static const struct protocol_row *protocol_row(enum sd_protocol protocol)
{
	assert((unsigned int)protocol < SD_PROTOCOLS);
	return &g_protocols[protocol];
}

const char *protocol_name(enum sd_protocol protocol)
{
	return protocol_row(protocol)->name;
}

enum sd_protocol_kind protocol_kind(enum sd_protocol protocol)
{
	return protocol_row(protocol)->kind;
}

const char *protocol_list_known(void)
{
	return
#define SD_PROTOCOL(identifier, name, kind, vmm) name ", "
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

/* Is @item, of @bytes and not terminated, the word @name? */
static bool item_is(const char *item, size_t bytes, const char *name)
{
	return strlen(name) == bytes && !memcmp(item, name, bytes);
}

/* Add all protocols that @item stands for. Returns false when it is no word. */
static bool list_add_item(enum sd_protocol *protocols, uint32_t *count,
			  const char *item, size_t bytes)
{
	bool all = item_is(item, bytes, "all");
	bool safe = item_is(item, bytes, "safe");
	bool known = all || safe;

	for (unsigned int i = 0; i < SD_PROTOCOLS; i++) {
		bool named = item_is(item, bytes, g_protocols[i].name);

		if (all || named || (safe && g_protocols[i].kind == SD_KIND_SAFE))
			list_add(protocols, count, (enum sd_protocol)i);
		known |= named;
	}
	return known;
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
