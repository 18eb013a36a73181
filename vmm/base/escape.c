// SPDX-License-Identifier: MIT
/*
 * escape.c - foreign text as a part of one line (escape.h).
 *
 * Threads: any; no state.
 * Follows: RFC 3629 (UTF-8); ECMA-48 for what a terminal obeys.
 * Tested:  tests/unit/messages_are_one_line_test.c
 */
#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Longest that one sequence becomes: four bytes, each as \xNN. */
#define TOKEN_BYTES 16

/* Bytes of a message before it is cut: room for two names of files as long as Linux allows. */
#define MESSAGE_BYTES 6144

#define GAP "..."

/* Bytes that the first byte of a UTF-8 sequence announces; 0 if it cannot be one. */
static size_t announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Is @second allowed after @first? No overlong forms, no surrogates, nothing above
 * U+10FFFF. */
static bool follows(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

size_t escape_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t bytes = announced(at[0]);

	if (bytes > 1 && !follows(at[0], at[1]))
		return 0;
	/* The zero at the end of a string ends a sequence like any other wrong byte. */
	for (size_t i = 2; i < bytes; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return bytes;
}

static uint32_t code_point(const char *text, size_t bytes)
{
	const unsigned char *at = (const unsigned char *)text;
	uint32_t code = bytes == 1 ? at[0] : at[0] & (0x7fu >> bytes);

	for (size_t i = 1; i < bytes; i++)
		code = code << 6 | (at[i] & 0x3fu);
	return code;
}

/* Controls of ASCII and ISO 6429, separators of lines, marks of direction. */
static bool is_obeyed(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
		(code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
		(code >= 0x2066 && code <= 0x2069);
}

static size_t put_escaped(char *out, unsigned char byte)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	out[used++] = '\\';
	if (byte == '\n' || byte == '\t' || byte == '\r') {
		out[used++] = byte == '\n' ? 'n' : byte == '\t' ? 't' : 'r';
		return used;
	}
	out[used++] = 'x';
	out[used++] = hex[byte >> 4];
	out[used++] = hex[byte & 15];
	return used;
}

/* What stands for the next @taken bytes of @text. Returns the bytes of @token. */
static size_t next_token(char token[TOKEN_BYTES], const char *text, size_t *taken)
{
	size_t bytes = escape_utf8(text), used = 0;

	*taken = bytes != 0 ? bytes : 1;
	if (bytes != 0 && !is_obeyed(code_point(text, bytes))) {
		memcpy(token, text, bytes);
		return bytes;
	}
	for (size_t i = 0; i < *taken; i++)
		used += put_escaped(token + used, (unsigned char)text[i]);
	return used;
}

size_t escape_text(char *out, size_t bytes, const char *text)
{
	size_t used = 0, done = 0;

	while (text[done] != '\0') {
		char token[TOKEN_BYTES];
		size_t taken, length = next_token(token, text + done, &taken);

		if (length > bytes - 1 - used)
			break;
		memcpy(out + used, token, length);
		used += length;
		done += taken;
	}
	out[used] = '\0';
	return done;
}

/* The longest end of @text that fits @bytes, escaped, and has no half sequence at its
 * beginning. */
static void escape_end(char *out, size_t bytes, const char *text)
{
	size_t length = strlen(text);
	const char *from = length < bytes ? text : text + length - bytes;

	while (from[escape_text(out, bytes, from)] != '\0' || (*from & 0xc0) == 0x80)
		from++;
}

void escape_format(char *out, size_t bytes, const char *format, va_list args)
{
	char message[MESSAGE_BYTES];
	size_t done, used;

	if (vsnprintf(message, sizeof(message), format, args) < 0)
		message[0] = '\0';
	done = escape_text(out, bytes, message);
	if (message[done] == '\0')
		return;
	done = escape_text(out, (bytes - strlen(GAP)) / 2, message);
	used = strlen(out);
	memcpy(out + used, GAP, strlen(GAP));
	used += strlen(GAP);
	escape_end(out + used, bytes - used, message + done);
}
