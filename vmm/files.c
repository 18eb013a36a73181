// SPDX-License-Identifier: MIT
/*
 * files.c - every name that a run reads or writes (files.h).
 *
 * Threads: main.
 * Follows: path_resolution(7).
 * Tested:  tests/unit/files_are_told_apart_test.c,
 *          tests/kvm/one_file_for_two_is_refused_test.py
 */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol_list.h"

/* Components of names and links, all together. Names with more, or with longer targets of
 * links, are compared when they are open: files_compare_opened(). */
#define STEPS_MAX    4096
#define TARGET_BYTES 1024

/* --- what a name means ------------------------------------------------------------ */

static void strip_slashes(char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		path[--length] = '\0';
}

/* The last component of @head goes to the front of @rest. False where there is no room. */
static bool move_last(char head[FILES_PATH_BYTES], char rest[FILES_PATH_BYTES])
{
	char *slash = strrchr(head, '/'), *last = slash != NULL ? slash + 1 : head;
	size_t bytes = strlen(last), kept = strlen(rest);

	if (bytes + 1 + kept >= FILES_PATH_BYTES)
		return false;
	memmove(rest + bytes + 1, rest, kept + 1);
	memcpy(rest, last, bytes);
	rest[bytes] = '/';
	if (slash == NULL)
		strcpy(head, ".");
	else
		*last = '\0';
	return true;
}

/* @head is a link to what is not there: @target instead. False where there is no room. */
static bool follow_link(char head[FILES_PATH_BYTES], const char *target)
{
	char *slash = strrchr(head, '/');
	char *last = *target == '/' || slash == NULL ? head : slash + 1;

	if ((size_t)(last - head) + strlen(target) >= FILES_PATH_BYTES)
		return false;
	strcpy(last, target);
	return true;
}

/* "a/./b/../c/" to "a/c". Nothing of it is there, so that there are no links to follow. */
static void shorten(char rest[FILES_PATH_BYTES])
{
	char *to = rest;

	for (char *from = rest; *from != '\0';) {
		size_t bytes = strcspn(from, "/");
		bool up = bytes == 2 && strncmp(from, "..", 2) == 0;

		if (up)
			while (to > rest && *--to != '/')
				;
		else if (bytes != 0 && strncmp(from, ".", bytes) != 0) {
			if (to > rest)
				*to++ = '/';
			memmove(to, from, bytes);
			to += bytes;
		}
		from += bytes + (from[bytes] == '/');
	}
	*to = '\0';
}

static void take_status(struct file_identity *identity, const struct stat *status)
{
	identity->known = true;
	identity->device = status->st_dev;
	identity->inode = status->st_ino;
	identity->mode = status->st_mode;
}

/* One step on the way to something that is there. False: no way. */
static bool go_up(char head[FILES_PATH_BYTES], char rest[FILES_PATH_BYTES])
{
	char target[TARGET_BYTES];
	ssize_t bytes;

	if (errno != ENOENT)
		return false;
	strip_slashes(head);
	bytes = readlink(head, target, sizeof(target));
	if (bytes <= 0)
		return move_last(head, rest);
	if (bytes == sizeof(target))
		return false;
	target[bytes] = '\0';
	return follow_link(head, target);
}

/* Stays unknown where the name cannot be followed: opening it will fail, and say why. */
static void identify(struct named_file *file)
{
	struct file_identity *identity = &file->identity;
	char head[FILES_PATH_BYTES];
	struct stat status;
	int steps = 0;

	identity->known = false;
	identity->rest[0] = '\0';
	strcpy(head, file->path);
	while (stat(head, &status) != 0)
		if (++steps > STEPS_MAX || !go_up(head, identity->rest))
			return;
	shorten(identity->rest);
	take_status(identity, &status);
}

/* --- comparing ---------------------------------------------------------------------- */

/* Only of files and FIFOs: one device may be named more than once, as /dev/null is. */
static bool is_one(const struct file_identity *identity)
{
	return identity->known &&
		(identity->rest[0] != '\0' || S_ISREG(identity->mode) || S_ISFIFO(identity->mode));
}

static bool is_same(const struct file_identity *a, const struct file_identity *b)
{
	return is_one(a) && is_one(b) && a->device == b->device && a->inode == b->inode &&
		strcmp(a->rest, b->rest) == 0;
}

/* "--csv", "summary.json of --out". */
static void put_option(char *out, size_t bytes, const struct named_file *file)
{
	const char *slash = strrchr(file->path, '/');

	if (file->option != NULL)
		snprintf(out, bytes, "%s", file->option);
	else
		snprintf(out, bytes, "%.60s of --out", slash != NULL ? slash + 1 : file->path);
}

static int refuse(const struct named_file *a, const struct named_file *b, struct why *why)
{
	char first[80], second[80];

	put_option(first, sizeof(first), a);
	put_option(second, sizeof(second), b);
	return why_set(why, EXIT_USAGE, EINVAL, "%s and %s: both are %s", first, second, a->path);
}

/* @file with the outputs before @end. */
static int compare(const struct files *files, const struct named_file *file, int end,
		   struct why *why)
{
	for (int i = 0; i < end; i++)
		if (is_same(&files->outputs[i].identity, &file->identity))
			return refuse(&files->outputs[i], file, why);
	return 0;
}

static int compare_all(const struct files *files, struct why *why)
{
	int error = compare(files, &files->payload, OUTPUT_FILES, why);

	for (int i = 0; error == 0 && i < OUTPUT_FILES; i++)
		error = compare(files, &files->outputs[i], i, why);
	for (int i = 0; error == 0 && i < 2; i++)
		if (S_ISREG(files->standard[i].identity.mode))
			error = compare(files, &files->standard[i], OUTPUT_FILES, why);
	return error;
}

/* Is @file to be made in the folder of --out, which is not there yet? */
static bool is_below(const struct file_identity *file, const struct file_identity *folder)
{
	size_t bytes = strlen(folder->rest);

	return file->known && folder->known && bytes != 0 && file->device == folder->device &&
		file->inode == folder->inode && strncmp(file->rest, folder->rest, bytes) == 0 &&
		file->rest[bytes] == '/';
}

/* --- what there is -------------------------------------------------------------------- */

static int name(struct named_file *file, const char *option, const char *path, struct why *why)
{
	file->option = option;
	if (snprintf(file->path, sizeof(file->path), "%s", path) >= (int)sizeof(file->path))
		return why_set(why, EXIT_RESULTS, ENAMETOOLONG, "%s: path too long", option);
	identify(file);
	return 0;
}

static int name_in_folder(struct files *files, int which, const char *file, struct why *why)
{
	struct named_file *output = &files->outputs[which];
	int length = snprintf(output->path, sizeof(output->path), "%s/%s", files->folder, file);

	if (length >= (int)sizeof(output->path))
		return why_set(why, EXIT_RESULTS, ENAMETOOLONG, "--out: path too long");
	identify(output);
	return 0;
}

static int name_either(struct files *files, int which, const char *option, const char *given,
		       const char *file, struct why *why)
{
	return given != NULL ? name(&files->outputs[which], option, given, why)
			     : name_in_folder(files, which, file, why);
}

/* PROTOCOL-TIME.hgrm, TIME.hist */
static int name_histograms(struct files *files, const struct options *options, struct why *why)
{
	char file[FIGURE_KEY_BYTES];
	int error = 0;

	for (int times = 0; times < FIGURE_FILES; times++) {
		const char *word = figure_times_name((enum figure_times)times);

		for (uint32_t i = 0; options_wants(options, EXTRA_HGRM) && error == 0 &&
		     i < options->protocol_count; i++) {
			snprintf(file, sizeof(file), "%s-%s.hgrm", protocol_name(options->protocols[i]),
				 word);
			error = name_in_folder(files, OUTPUT_HGRM + (int)i * FIGURE_FILES + times, file,
					       why);
		}
		snprintf(file, sizeof(file), "%s.hist", word);
		if (error == 0 && options_wants(options, EXTRA_HIST))
			error = name_in_folder(files, OUTPUT_HIST + times, file, why);
	}
	return error;
}

static int name_of_run(struct files *files, const struct options *options, struct why *why)
{
	int error = name_either(files, OUTPUT_CSV, "--csv", options->csv, "flush-latency.csv", why);

	/* The timeline of a run that may break goes to its folder when it does. */
	if (error == 0 && (options->trace != NULL || options->break_over_us != 0))
		error = name_either(files, OUTPUT_TRACE, "--trace", options->trace,
				    "break-trace.json", why);
	if (error == 0 && options->break_over_us != 0)
		error = name_in_folder(files, OUTPUT_BREAK, "break.json", why);
	return error == 0 ? name_histograms(files, options, why) : error;
}

static int name_outputs(struct files *files, const struct options *options, struct why *why)
{
	int error = 0;

	if (options->action != OPTIONS_HOST || options->json != NULL)
		error = name_either(files, OUTPUT_SUMMARY, "--json", options->json, "summary.json", why);
	if (error == 0 && options->action == OPTIONS_RUN)
		error = name_of_run(files, options, why);
	return error;
}

static void name_standard(struct named_file *file, const char *what, int fd)
{
	struct stat status;

	file->option = what;
	if (fstat(fd, &status) == 0)
		take_status(&file->identity, &status);
}

static void look_for_folder(struct files *files)
{
	static struct named_file folder;

	snprintf(folder.path, sizeof(folder.path), "%s", files->folder);
	identify(&folder);
	for (int i = 0; i < OUTPUT_FILES; i++)
		files->folder_is_missing |= is_below(&files->outputs[i].identity, &folder.identity);
}

int files_settle(struct files *files, const struct options *options, struct why *why)
{
	int error;

	files->folder = options->out;
	if (options->action != OPTIONS_RUN && options->action != OPTIONS_HOST &&
	    options->action != OPTIONS_LITMUS)
		return 0;
	error = name_outputs(files, options, why);
	if (error == 0 && options->payload != NULL)
		error = name(&files->payload, "PAYLOAD", options->payload, why);
	if (error != 0)
		return error;
	name_standard(&files->standard[0], "standard output", STDOUT_FILENO);
	name_standard(&files->standard[1], "standard error", STDERR_FILENO);
	look_for_folder(files);
	return compare_all(files, why);
}

int files_compare_opened(struct files *files, const int fds[OUTPUT_FILES], struct why *why)
{
	struct stat status;

	for (int i = 0; i < OUTPUT_FILES; i++) {
		files->outputs[i].identity.known = false;
		files->outputs[i].identity.rest[0] = '\0';
		if (fds[i] >= 0 && fstat(fds[i], &status) == 0)
			take_status(&files->outputs[i].identity, &status);
	}
	return compare_all(files, why);
}

/* --------------------------------------------------------------------------------------- */

int files_make_folder(const struct files *files, struct why *why)
{
	char partial[FILES_PATH_BYTES];

	if (!files->folder_is_missing)
		return 0;
	if (snprintf(partial, sizeof(partial), "%s", files->folder) >= (int)sizeof(partial))
		return why_set(why, EXIT_RESULTS, ENAMETOOLONG, "--out: path too long");
	for (char *slash = strchr(partial + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(partial, 0777);
		*slash = '/';
	}
	if (mkdir(partial, 0777) != 0 && errno != EEXIST)
		return why_set(why, EXIT_RESULTS, errno, "--out %s: %s", files->folder,
			       strerror(errno));
	return 0;
}

const char *files_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a folder";
	case S_IFIFO:
		return "a FIFO";
	case S_IFSOCK:
		return "a socket";
	case S_IFREG:
		return "a file";
	default:
		return "a device";
	}
}
