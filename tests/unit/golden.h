/* SPDX-License-Identifier: MIT */
/*
 * golden.h - a whole text against the one in tests/golden/.
 *
 * GOLDEN=write in the environment: the text becomes the golden one (tests/README.md).
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit_test.h"

#define GOLDEN_BYTES 65536

/* Where both differ first: the line of either. */
static void golden_differ(const char *path, const char *golden, const char *text)
{
	int line = 1;

	while (*golden != '\0' && *text != '\0') {
		size_t wanted = strcspn(golden, "\n"), found = strcspn(text, "\n");

		if (wanted != found || memcmp(golden, text, wanted) != 0)
			break;
		golden += wanted + (golden[wanted] == '\n');
		text += found + (text[found] == '\n');
		line++;
	}
	fail_msg("%s:%d: \"%.*s\"\nfound: \"%.*s\"\n(GOLDEN=write takes it)", path, line,
		 (int)strcspn(golden, "\n"), golden, (int)strcspn(text, "\n"), text);
}

static void golden_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* @text is what stands in tests/golden/@name. */
static void golden_check(const char *name, const char *text)
{
	static char golden[GOLDEN_BYTES];
	const char *wish = getenv("GOLDEN");
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), GOLDEN_DIR "/%s", name);
	if (wish != NULL && strcmp(wish, "write") == 0) {
		golden_write(path, text);
		return;
	}
	file = fopen(path, "r");
	if (file == NULL)
		fail_msg("%s: no such file (GOLDEN=write makes it)", path);
	golden[fread(golden, 1, sizeof(golden) - 1, file)] = '\0';
	fclose(file);
	if (strcmp(golden, text) != 0)
		golden_differ(path, golden, text);
}

#endif
