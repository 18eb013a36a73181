// SPDX-License-Identifier: MIT
/*
 * litmus_list.c - the names of the litmus tests (litmus_list.h).
 */
#include "litmus_list.h"

#include <stdio.h>
#include <string.h>

static const char *const g_names[] = {
#define SD_LITMUS(identifier, name, protocol, guest, script, oracle, expected, hazard) \
	[SD_LITMUS_##identifier] = name,
#include "litmus.def"
#undef SD_LITMUS
};

/* Bytes of the interleaving's name. */
static size_t interleaving_bytes(const char *name)
{
	return strcspn(name, "/");
}

const char *litmus_list_name(enum sd_litmus litmus)
{
	return (unsigned int)litmus < SD_LITMUSES ? g_names[litmus] : "?";
}

bool litmus_list_matches(enum sd_litmus litmus, const char *wanted)
{
	const char *name = g_names[litmus];
	size_t bytes = interleaving_bytes(name);

	return wanted == NULL || strcmp(name, wanted) == 0 ||
		(strlen(wanted) == bytes && memcmp(name, wanted, bytes) == 0);
}

bool litmus_list_has(const char *wanted)
{
	for (enum sd_litmus litmus = 0; litmus < SD_LITMUSES; litmus++)
		if (litmus_list_matches(litmus, wanted))
			return true;
	return false;
}

const char *litmus_list_known(void)
{
	static char known[512];
	size_t used = 0;

	for (enum sd_litmus litmus = 0; litmus < SD_LITMUSES; litmus++) {
		const char *name = g_names[litmus];
		size_t bytes = interleaving_bytes(name);

		if (litmus != 0 && strncmp(g_names[litmus - 1], name, bytes + 1) == 0)
			continue;
		if (used + bytes + 3 > sizeof(known))
			break;
		used += (size_t)sprintf(known + used, "%s%.*s", used == 0 ? "" : ", ", (int)bytes,
					name);
	}
	return known;
}
