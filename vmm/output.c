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

#include "report.h"
#include "trace_json.h"

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

static int open_text(struct text_file *file, const char *given, const char *folder,
		     const char *name, struct why *why)
{
	int error = name_file(file->path, given, folder, name, why);

	if (error != 0)
		return error;
	file->fd = open(file->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (file->fd < 0)
		return why_set(why, EXIT_RESULTS, errno, "%s: %s", file->path, strerror(errno));
	return 0;
}

static int open_rows(struct row_output *rows, struct loop *loop, const char *given,
		     const char *folder, const char *name, const char *header, struct why *why)
{
	int error = name_file(rows->path, given, folder, name, why);

	if (error == 0)
		error = row_file_open(&rows->file, loop, rows->path, header, why);
	rows->is_open = error == 0;
	return error;
}

/* The timeline of a run that may break goes to its folder when it does. */
static int open_trace(struct output *output, const struct options *options, struct loop *loop,
		      struct why *why)
{
	if (options->trace == NULL && options->break_over_us == 0)
		return 0;
	return open_rows(&output->trace, loop, options->trace, options->out, "break-trace.json",
			 TRACE_JSON_BEGIN, why);
}

/* PROTOCOL-TIME.hgrm, TIME.hist */
static int open_histograms(struct output *output, const struct options *options, struct why *why)
{
	char name[FIGURE_KEY_BYTES];
	int error = 0;

	for (enum figure_times times = 0; times < FIGURE_FILES; times++) {
		const char *word = figure_times_name(times);

		for (uint32_t i = 0; options_wants(options, EXTRA_HGRM) && error == 0 &&
		     i < options->protocol_count; i++) {
			snprintf(name, sizeof(name), "%s-%s.hgrm",
				 protocol_name(options->protocols[i]), word);
			error = open_text(&output->hgrm[i][times], NULL, options->out, name, why);
		}
		snprintf(name, sizeof(name), "%s.hist", word);
		if (error == 0 && options_wants(options, EXTRA_HIST))
			error = open_text(&output->hist[times], NULL, options->out, name, why);
	}
	return error;
}

static bool needs_folder(const struct options *options)
{
	return options->csv == NULL || options->json == NULL || options->break_over_us != 0 ||
		options_wants(options, EXTRA_HGRM) || options_wants(options, EXTRA_HIST);
}

static int open_all(struct output *output, const struct options *options, struct loop *loop,
		    struct why *why)
{
	int error = 0;

	if (needs_folder(options))
		error = make_folder(options->out, why);
	if (error == 0)
		error = open_text(&output->json, options->json, options->out, "summary.json", why);
	if (error == 0)
		error = open_rows(&output->csv, loop, options->csv, options->out,
				  "flush-latency.csv", csv_header(), why);
	if (error == 0)
		error = open_trace(output, options, loop, why);
	if (error == 0 && options->break_over_us != 0)
		error = open_text(&output->broke, NULL, options->out, "break.json", why);
	if (error == 0)
		error = open_histograms(output, options, why);
	return error;
}

static void close_text(struct text_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static void close_all(struct output *output)
{
	struct why ignored = { 0 };

	(void)!output_close_rows(&output->csv, &ignored);
	(void)!output_close_rows(&output->trace, &ignored);
	close_text(&output->json);
	close_text(&output->broke);
	for (int times = 0; times < FIGURE_FILES; times++) {
		for (int i = 0; i < SD_PROTOCOLS; i++)
			close_text(&output->hgrm[i][times]);
		close_text(&output->hist[times]);
	}
}

/* No file is open yet. */
static void clear_all(struct output *output)
{
	*output = (struct output){ .json = { .fd = -1 }, .broke = { .fd = -1 } };
	for (int times = 0; times < FIGURE_FILES; times++) {
		for (int i = 0; i < SD_PROTOCOLS; i++)
			output->hgrm[i][times].fd = -1;
		output->hist[times].fd = -1;
	}
}

int output_open(struct output *output, const struct options *options, struct loop *loop,
		struct why *why)
{
	int error;

	clear_all(output);
	error = open_all(output, options, loop, why);
	if (error != 0)
		close_all(output);
	return error;
}

int output_open_json(struct text_file *file, const struct options *options, struct why *why)
{
	file->fd = -1;
	return options->json == NULL ? 0 : open_text(file, options->json, "", "", why);
}

int output_open_summary(struct text_file *file, const struct options *options, struct why *why)
{
	int error = options->json == NULL ? make_folder(options->out, why) : 0;

	file->fd = -1;
	return error != 0 ? error : open_text(file, options->json, options->out, "summary.json", why);
}

int output_write_text(struct text_file *file, char *text, struct why *why)
{
	const char *rest = text;
	size_t left = text != NULL ? strlen(text) : 0;
	int error = text == NULL ? ENOMEM : 0;

	while (error == 0 && left != 0) {
		ssize_t written = write(file->fd, rest, left);

		if (written < 0 && errno != EINTR)
			error = errno;
		if (written > 0) {
			rest += written;
			left -= (size_t)written;
		}
	}
	if (close(file->fd) != 0 && error == 0)
		error = errno;
	free(text);
	if (error == 0)
		return 0;
	return why_set(why, EXIT_RESULTS, error, "%s: %s", file->path, strerror(error));
}

int output_close_rows(struct row_output *rows, struct why *why)
{
	bool is_open = rows->is_open;

	rows->is_open = false;
	return is_open ? row_file_close(&rows->file, why) : 0;
}
