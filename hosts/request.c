// SPDX-License-Identifier: MIT
/* request.c - what the agent is to do (request.h). */
#include "request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void word_write(FILE *file, const char *key, const char *value)
{
	fprintf(file, "%s=%s", key, value);
	fputc('\0', file);
}

static void words_write(FILE *file, const char *key, char *const *words)
{
	for (; *words != NULL; words++)
		word_write(file, key, *words);
}

void request_write(const struct request *request, FILE *file)
{
	word_write(file, "host", request->host);
	word_write(file, "root", request->root);
	word_write(file, "folder", request->folder);
	words_write(file, "argument", request->command);
	words_write(file, "environment", request->environment);
	fprintf(file, "terminals=%d %d %hu %hu%c", request->terminal[1], request->terminal[2],
		request->size.ws_row, request->size.ws_col, '\0');
	fprintf(file, "mask=%o%c", request->mask, '\0');
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		fprintf(file, "limit=%d %" PRIu64 " %" PRIu64 "%c", i,
			(uint64_t)request->limits[i].rlim_cur, (uint64_t)request->limits[i].rlim_max,
			'\0');
	for (size_t i = 0; request->modules[i] != NULL; i++)
		word_write(file, "module", request->modules[i]);
}

static int list_add(char ***list, size_t *count, char *word)
{
	char **longer = reallocarray(*list, *count + 2, sizeof(*longer));

	if (longer == NULL)
		return -ENOMEM;
	longer[(*count)++] = word;
	longer[*count] = NULL;
	*list = longer;
	return 0;
}

struct counts {
	size_t arguments, variables, modules;
};

static int limit_read(const char *value, struct request *request)
{
	uint64_t soft, hard;
	int which;

	if (sscanf(value, "%d %" SCNu64 " %" SCNu64, &which, &soft, &hard) != 3 || which < 0 ||
	    which >= RLIMIT_NLIMITS)
		return -EINVAL;
	request->limits[which] = (struct rlimit){ .rlim_cur = soft, .rlim_max = hard };
	return 0;
}

static int terminals_read(const char *value, struct request *request)
{
	int out, error;

	if (sscanf(value, "%d %d %hu %hu", &out, &error, &request->size.ws_row,
		   &request->size.ws_col) != 4)
		return -EINVAL;
	request->terminal[1] = out != 0;
	request->terminal[2] = error != 0;
	return 0;
}

static int word_take(const char *key, char *value, struct request *request,
		     struct counts *counts)
{
	if (strcmp(key, "argument") == 0)
		return list_add(&request->command, &counts->arguments, value);
	if (strcmp(key, "environment") == 0)
		return list_add(&request->environment, &counts->variables, value);
	if (strcmp(key, "limit") == 0)
		return limit_read(value, request);
	if (strcmp(key, "terminals") == 0)
		return terminals_read(value, request);
	if (strcmp(key, "mask") == 0)
		request->mask = (mode_t)strtoul(value, NULL, 8);
	else if (strcmp(key, "host") == 0)
		request->host = value;
	else if (strcmp(key, "root") == 0)
		request->root = value;
	else if (strcmp(key, "folder") == 0)
		request->folder = value;
	else if (strcmp(key, "module") == 0 && counts->modules < REQUEST_MAX_MODULES)
		request->modules[counts->modules++] = value;
	else
		return -EINVAL;
	return 0;
}

int request_read(char *text, size_t bytes, struct request *request)
{
	struct counts counts = { 0 };
	char *end = text + bytes;

	*request = (struct request){ 0 };
	if (bytes == 0 || end[-1] != '\0')
		return -EINVAL;
	for (char *word = text, *next; word < end; word = next) {
		char *value = strchr(word, '=');

		next = word + strlen(word) + 1;
		if (value == NULL)
			return -EINVAL;
		*value++ = '\0';
		int error = word_take(word, value, request, &counts);
		if (error != 0)
			return error;
	}
	if (counts.arguments == 0 || request->host == NULL || request->root == NULL ||
	    request->folder == NULL)
		return -EINVAL;
	return 0;
}
