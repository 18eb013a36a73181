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

/* Bytes that the first byte of a UTF-8 sequence announces; 0 if it cannot be one. */
static size_t utf8_announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Is @second allowed behind @first? No overlong forms, no surrogates, nothing
 * above U+10FFFF. */
static bool utf8_follows(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

/* Bytes of the well-formed sequence at @text, 0 if there is none. The
 * terminating zero of a string ends a sequence like any other wrong byte. */
static size_t utf8_sequence(const unsigned char *text)
{
	size_t bytes = utf8_announced(text[0]);

	if (bytes > 1 && !utf8_follows(text[0], text[1]))
		return 0;
	for (size_t i = 2; i < bytes; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return bytes;
}

/* @to has room for four times the bytes of @text, and a zero. */
static void escape(char *to, const char *text)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *from = (const unsigned char *)text;

	while (*from != '\0') {
		size_t bytes = utf8_sequence(from);

		if (bytes == 0) {
			*to++ = '\\';
			*to++ = 'x';
			*to++ = hex[*from >> 4];
			*to++ = hex[*from++ & 15];
			continue;
		}
		memcpy(to, from, bytes);
		to += bytes;
		from += bytes;
	}
	*to = '\0';
}

json_t *part_string(const char *text)
{
	char *escaped = malloc(4 * strlen(text) + 1);
	json_t *value;

	if (escaped == NULL)
		return NULL;
	escape(escaped, text);
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
	const size_t flags = JSON_INDENT(2) | JSON_REAL_PRECISION(REAL_DIGITS);
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
