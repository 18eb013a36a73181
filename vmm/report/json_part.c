// SPDX-License-Identifier: MIT
/*
 * json_part.c - a JSON object under construction, with one error flag.
 *
 * Owns:    what is under construction, until part_text().
 * Threads: one owner at a time.
 * Tested:  tests/unit/summary_has_the_promised_shape_test.c
 */
#include "json_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"

#define REAL_DIGITS 6           /* significant; more would be noise */

struct json_part part_new(void)
{
	json_t *json = json_object();

	return (struct json_part){ .json = json, .failed = json == NULL };
}

void part_put(struct json_part *part, const char *key, json_t *value)
{
	part->failed |= json_object_set_new(part->json, key, value) != 0;
}

void part_append(struct json_part *part, json_t *array, json_t *value)
{
	part->failed |= json_array_append_new(array, value) != 0;
}

void part_put_part(struct json_part *part, const char *key, struct json_part member)
{
	part_put(part, key, member.json);
	part->failed |= member.failed;
}

void part_append_part(struct json_part *part, json_t *array, struct json_part element)
{
	part_append(part, array, element.json);
	part->failed |= element.failed;
}

void part_put_count(struct json_part *part, const char *key, uint64_t value)
{
	part_put(part, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

void part_put_real(struct json_part *part, const char *key, double value)
{
	part_put(part, key, json_real(isfinite(value) ? value : 0.0));
}

void part_put_null(struct json_part *part, const char *key)
{
	part_put(part, key, json_null());
}

void part_put_flag(struct json_part *part, const char *key, bool value)
{
	part_put(part, key, json_boolean(value));
}

/* What is no UTF-8, and so no text of JSON's, as \xNN; jansson escapes the rest. @to has
 * room for four times the bytes of @text, and a zero. */
static void make_utf8(char *to, const char *text)
{
	static const char hex[] = "0123456789abcdef";

	while (*text != '\0') {
		size_t bytes = escape_utf8(text);

		if (bytes == 0) {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = hex[(unsigned char)*text >> 4];
			*to++ = hex[*text++ & 15];
			continue;
		}
		memcpy(to, text, bytes);
		to += bytes;
		text += bytes;
	}
	*to = '\0';
}

json_t *part_string(const char *text)
{
	char *escaped = malloc(4 * strlen(text) + 1);
	json_t *value;

	if (escaped == NULL)
		return NULL;
	make_utf8(escaped, text);
	value = json_string(escaped);
	free(escaped);
	return value;
}

void part_put_text(struct json_part *part, const char *key, const char *text)
{
	part_put(part, key, part_string(text));
}

/* Twice json_dumpb(), to measure and to write: json_dumps() of jansson 2.14
 * leaves a key out when its buffer cannot grow, and reports success. */
static char *dump(const json_t *json)
{
	/* ASCII, so that a terminal that shows the file has nothing to obey. */
	const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS) | JSON_ENSURE_ASCII;
	size_t bytes = json_dumpb(json, NULL, 0, flags);
	char *text = bytes > 0 ? malloc(bytes + 2) : NULL;

	if (text == NULL || json_dumpb(json, text, bytes, flags) != bytes) {
		free(text);
		return NULL;
	}
	memcpy(text + bytes, "\n", 2);
	return text;
}

char *part_text(struct json_part part)
{
	char *text = part.failed ? NULL : dump(part.json);

	json_decref(part.json);
	return text;
}
