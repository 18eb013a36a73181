/* SPDX-License-Identifier: MIT */
/*
 * json_part.h - a JSON object under construction, with one error flag.
 *
 * jansson reports "out of memory" by NULL or -1 at each step, and takes both
 * as input: so the steps run on, and part_text() tells in the end.
 * Threads: one owner at a time.
 * Tested: tests/unit/summary_has_the_promised_shape_test.c
 */
#ifndef JSON_PART_H
#define JSON_PART_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct json_part {
	json_t *json;           /* NULL or incomplete when failed */
	bool failed;            /* memory ran out here or in a part of it */
};

/* part_new - an empty object; part_text() or another part takes it over. */
struct json_part part_new(void);

/* part_put - take @value, NULL if it could not be made, as member @key. */
void part_put(struct json_part *part, const char *key, json_t *value);

/* part_append - the same, as the next element of @array, which @part will hold. */
void part_append(struct json_part *part, json_t *array, json_t *value);

/* part_put_part, part_append_part - take a finished object with its flag. */
void part_put_part(struct json_part *part, const char *key, struct json_part member);
void part_append_part(struct json_part *part, json_t *array, struct json_part element);

/* part_put_count - jansson's integers are signed: INT64_MAX stands for more. */
void part_put_count(struct json_part *part, const char *key, uint64_t value);

/* part_put_real - written with six significant digits; 0 if not finite. */
void part_put_real(struct json_part *part, const char *key, double value);

/* part_put_null - of what was not measured. */
void part_put_null(struct json_part *part, const char *key);

/* part_put_flag - true or false. */
void part_put_flag(struct json_part *part, const char *key, bool value);

/**
 * part_string, part_put_text - a string from outside, in any bytes.
 *
 * Returns: a JSON string in which each byte that is not part of well-formed
 *          UTF-8 has become the four characters \xNN; NULL when memory ran out.
 * Source:  The Unicode Standard 15.0, table 3-7.
 */
json_t *part_string(const char *text);
void part_put_text(struct json_part *part, const char *key, const char *text);

/**
 * part_text - the end of @part: its text, indented, with a newline.
 *
 * Returns: a malloc'ed string for the caller to free; NULL when memory ran out
 *          at any step. @part is gone in both cases.
 */
char *part_text(struct json_part part);

#endif
