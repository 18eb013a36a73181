// SPDX-License-Identifier: MIT
/*
 * output.c - the files of a run (output.h).
 *
 * Threads: main.
 */
#include "output.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every folder on the way to @path, and @path itself. */
static int make_folder(const char *path, struct why *why)
{
	char partial[4096];

	if (snprintf(partial, sizeof(partial), "%s", path) >= (int)sizeof(partial))
		return why_set(why, EXIT_RESULTS, ENAMETOOLONG, "--out: path too long");
	for (char *slash = strchr(partial + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(partial, 0777);
		*slash = '/';
	}
	if (mkdir(partial, 0777) != 0 && errno != EEXIST)
		return why_set(why, EXIT_RESULTS, errno, "--out %s: %s", path, strerror(errno));
	return 0;
}

static int name_file(char out[4096], const char *given, const char *folder, const char *name,
		     struct why *why)
{
	int length = given != NULL ? snprintf(out, 4096, "%s", given)
				   : snprintf(out, 4096, "%s/%s", folder, name);

	return length < 4096 ? 0 : why_set(why, EXIT_RESULTS, ENAMETOOLONG, "%s: path too long", name);
}

static int open_json(struct output *output, struct why *why)
{
	output->json_fd = open(output->json_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (output->json_fd < 0)
		return why_set(why, EXIT_RESULTS, errno, "%s: %s", output->json_path, strerror(errno));
	return 0;
}

int output_open(struct output *output, const struct options *options, struct loop *loop,
		struct why *why)
{
	int error = 0;

	if (options->csv == NULL || options->json == NULL)
		error = make_folder(options->out, why);
	if (error == 0)
		error = name_file(output->csv_path, options->csv, options->out,
				  "flush-latency.csv", why);
	if (error == 0)
		error = name_file(output->json_path, options->json, options->out, "summary.json", why);
	if (error == 0)
		error = open_json(output, why);
	if (error != 0)
		return error;
	error = csv_file_open(&output->csv, loop, output->csv_path, why);
	if (error != 0)
		close(output->json_fd);
	return error;
}

int output_open_json(struct output *output, const struct options *options, struct why *why)
{
	int error;

	output->json_fd = -1;
	if (options->json == NULL)
		return 0;
	error = name_file(output->json_path, options->json, "", "", why);
	return error != 0 ? error : open_json(output, why);
}

int output_open_summary(struct output *output, const struct options *options, struct why *why)
{
	int error = 0;

	output->json_fd = -1;
	if (options->json == NULL)
		error = make_folder(options->out, why);
	if (error == 0)
		error = name_file(output->json_path, options->json, options->out, "summary.json", why);
	return error != 0 ? error : open_json(output, why);
}

int output_write_json(struct output *output, char *text, struct why *why)
{
	const char *rest = text;
	size_t left = text != NULL ? strlen(text) : 0;
	int error = text == NULL ? ENOMEM : 0;

	while (error == 0 && left != 0) {
		ssize_t written = write(output->json_fd, rest, left);

		if (written < 0 && errno != EINTR)
			error = errno;
		if (written > 0) {
			rest += written;
			left -= (size_t)written;
		}
	}
	if (close(output->json_fd) != 0 && error == 0)
		error = errno;
	free(text);
	if (error == 0)
		return 0;
	return why_set(why, EXIT_RESULTS, error, "%s: %s", output->json_path, strerror(error));
}

int output_close_csv(struct output *output, struct why *why)
{
	return csv_file_close(&output->csv, why);
}
