// SPDX-License-Identifier: MIT
/*
 * files_are_told_apart_test.c - two names of one file are refused with both options named,
 * whatever they look like and whether or not it is there yet; names of two files are not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "unit_test.h"

static char g_folder[] = "/tmp/files_test_XXXXXX";
static struct files g_files;

static void make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static int group_set_up(void **state)
{
	(void)state;
	if (mkdtemp(g_folder) == NULL || chdir(g_folder) != 0 || mkdir("d", 0700) != 0 ||
	    mkdir("d/e", 0700) != 0 || mkfifo("fifo", 0600) != 0)
		return -1;
	make("x");
	make("y");
	make("d/summary.json");
	return link("x", "hard") | symlink("x", "soft") | symlink("soft", "softer") |
		symlink("not-there", "dangling") | symlink("d", "folder") |
		symlink("../new", "d/e/new-of-d") | symlink("round", "round");
}

static int group_tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", g_folder);
	return chdir("/") | system(command);
}

/* A NULL stands for what is not given. */
static struct options options_of(const char *payload, const char *csv, const char *json,
				 const char *trace, const char *out)
{
	return (struct options){
		.action = OPTIONS_RUN, .payload = payload, .csv = csv, .json = json, .trace = trace,
		.out = out != NULL ? out : "./out", .protocol_count = 1,
	};
}

static int settle(const struct options *options, struct why *why)
{
	memset(&g_files, 0, sizeof(g_files));
	*why = (struct why){ 0 };
	return files_settle(&g_files, options, why);
}

static const struct {
	const char *payload, *csv, *json, *trace, *out;
	const char *words;              /* NULL: all are different */
} g_cases[] = {
	{ NULL, "a", "a", NULL, NULL, "--csv and --json: both are a" },
	{ NULL, "a", NULL, "a", NULL, "--csv and --trace: both are a" },
	{ NULL, "a", "b", "b", NULL, "--json and --trace: both are b" },
	{ NULL, "a", "b", "c", NULL, NULL },
	{ "x", "x", NULL, NULL, NULL, "--csv and PAYLOAD: both are x" },
	{ "x", NULL, "x", NULL, NULL, "--json and PAYLOAD: both are x" },
	{ "x", NULL, NULL, "./x", NULL, "--trace and PAYLOAD: both are ./x" },
	{ "x", "hard", NULL, NULL, NULL, "--csv and PAYLOAD: both are hard" },
	{ "softer", "x", NULL, NULL, NULL, "--csv and PAYLOAD: both are x" },
	{ "x", "y", NULL, NULL, NULL, NULL },
	/* There: by links of both kinds, and around. */
	{ NULL, "x", "./x", NULL, NULL, "--csv and --json: both are x" },
	{ NULL, "x", "d/../x", NULL, NULL, "--csv and --json: both are x" },
	{ NULL, "x", "hard", NULL, NULL, "--csv and --json: both are x" },
	{ NULL, "softer", "hard", NULL, NULL, "--csv and --json: both are softer" },
	{ NULL, "fifo", "./fifo", NULL, NULL, "--csv and --json: both are fifo" },
	{ NULL, "x", "y", "d/summary.json", NULL, NULL },
	/* Not there yet. */
	{ NULL, "n", "./n", NULL, NULL, "--csv and --json: both are n" },
	{ NULL, "n", "d/../n", NULL, NULL, "--csv and --json: both are n" },
	{ NULL, "d/n", "folder/n", NULL, NULL, "--csv and --json: both are d/n" },
	{ NULL, "dangling", "not-there", NULL, NULL, "--csv and --json: both are dangling" },
	{ NULL, "d/e/new-of-d", "folder/new", NULL, NULL, "--csv and --json: both are d/e/new-of-d" },
	{ NULL, "n/a", "n//b/.././a", NULL, NULL, "--csv and --json: both are n/a" },
	{ NULL, "n/a", "m/a", NULL, NULL, NULL },
	{ NULL, "d/n", "d/e/n", NULL, NULL, NULL },
	{ NULL, "round", "round", NULL, NULL, NULL },   /* opening it says what it is */
	{ NULL, "x/below", "x/below", NULL, NULL, NULL },
	/* What is there by default. */
	{ NULL, "d/summary.json", NULL, NULL, "d", "--csv and summary.json of --out: both are d/summary.json" },
	{ NULL, "folder/summary.json", NULL, NULL, "./d/.",
	  "--csv and summary.json of --out: both are folder/summary.json" },
	{ NULL, NULL, NULL, "new/flush-latency.csv", "new",
	  "flush-latency.csv of --out and --trace: both are new/flush-latency.csv" },
	{ NULL, NULL, "out/flush-latency.csv", NULL, NULL,
	  "flush-latency.csv of --out and --json: both are ./out/flush-latency.csv" },
	{ "d/summary.json", NULL, NULL, NULL, "d",
	  "summary.json of --out and PAYLOAD: both are d/summary.json" },
	{ NULL, "d/a.csv", NULL, NULL, "d", NULL },
	/* A device takes anything from anybody. */
	{ NULL, "/dev/null", "/dev/null", "/dev/null", NULL, NULL },
};

static void one_file_for_two_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(g_cases); i++) {
		struct options options = options_of(g_cases[i].payload, g_cases[i].csv, g_cases[i].json,
						    g_cases[i].trace, g_cases[i].out);
		struct why why;
		int error = settle(&options, &why);

		assert_string_equal(why.text, g_cases[i].words != NULL ? g_cases[i].words : "");
		assert_int_equal(error, g_cases[i].words != NULL ? -EINVAL : 0);
		assert_int_equal(why.status, g_cases[i].words != NULL ? EXIT_USAGE : EXIT_OK);
	}
}

/* Every file that a run may leave is in the comparison. */
static void every_default_has_a_name(void **state)
{
	static const char *const names[] = {
		"flush-latency.csv", "summary.json", "break-trace.json", "break.json", "wall.hist",
		"stall.hist", "switch.hist", "ipi-wall.hgrm", "ipi-stall.hgrm", "ipi-switch.hgrm",
	};
	struct options options = options_of(NULL, NULL, NULL, NULL, "d");
	struct why why;

	(void)state;
	options.break_over_us = 1;
	options.extras = 1 << EXTRA_HGRM | 1 << EXTRA_HIST;
	options.protocols[0] = SD_PROTOCOL_ipi;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "folder/%s", names[i]);
		options.payload = path;
		make(path);
		assert_int_equal(settle(&options, &why), -EINVAL);
		assert_memory_equal(why.text, names[i], strlen(names[i]));
		assert_non_null(strstr(why.text, " of --out and PAYLOAD: both are d/"));
		if (strcmp(names[i], "summary.json") != 0)
			unlink(path);
	}
	options.payload = NULL;
	assert_int_equal(settle(&options, &why), 0);
}

static void other_actions_write_less(void **state)
{
	struct options options = options_of("x", "x", "n", NULL, "d");
	struct why why;

	(void)state;
	options.action = OPTIONS_HOST;          /* no CSV */
	assert_int_equal(settle(&options, &why), 0);
	options.json = "x";
	assert_int_equal(settle(&options, &why), -EINVAL);
	options.json = NULL;
	assert_int_equal(settle(&options, &why), 0);
	assert_string_equal(g_files.outputs[OUTPUT_SUMMARY].path, "");
	options.action = OPTIONS_LITMUS;
	assert_int_equal(settle(&options, &why), 0);
	assert_string_equal(g_files.outputs[OUTPUT_SUMMARY].path, "d/summary.json");
	options.action = OPTIONS_HELP;
	assert_int_equal(settle(&options, &why), 0);
	assert_string_equal(g_files.outputs[OUTPUT_SUMMARY].path, "");
}

static void a_table_in_a_file_is_an_output(void **state)
{
	struct options options = options_of(NULL, "table", NULL, NULL, NULL);
	int before = dup(STDOUT_FILENO), file = open("table", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct why why;
	int error;

	(void)state;
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	error = settle(&options, &why);
	dup2(before, STDOUT_FILENO);
	assert_int_equal(error, -EINVAL);
	assert_string_equal(why.text, "--csv and standard output: both are table");
	close(before);
	close(file);
}

/* A name that nobody could see through, or that has changed hands: once they are open. */
static void open_files_are_told_apart_again(void **state)
{
	struct options options = options_of(NULL, "x", "y", NULL, NULL);
	int fds[OUTPUT_FILES];
	struct why why;

	(void)state;
	assert_int_equal(settle(&options, &why), 0);
	for (int i = 0; i < OUTPUT_FILES; i++)
		fds[i] = -1;
	fds[OUTPUT_CSV] = open("x", O_WRONLY | O_CLOEXEC);
	fds[OUTPUT_SUMMARY] = open("y", O_WRONLY | O_CLOEXEC);
	assert_int_equal(files_compare_opened(&g_files, fds, &why), 0);
	close(fds[OUTPUT_SUMMARY]);
	fds[OUTPUT_SUMMARY] = open("hard", O_WRONLY | O_CLOEXEC);
	assert_int_equal(files_compare_opened(&g_files, fds, &why), -EINVAL);
	assert_int_equal(why.status, EXIT_USAGE);
	assert_string_equal(why.text, "--csv and --json: both are x");
	close(fds[OUTPUT_CSV]);
	close(fds[OUTPUT_SUMMARY]);
}

static bool makes(const char *csv, const char *json, const char *out)
{
	struct options options = options_of(NULL, csv, json, NULL, out);
	struct why why;

	assert_int_equal(settle(&options, &why), 0);
	return g_files.folder_is_missing;
}

static void the_folder_is_made_if_a_file_goes_there(void **state)
{
	struct stat status;
	struct why why = { 0 };

	(void)state;
	assert_true(makes(NULL, NULL, NULL));
	assert_true(makes("new/a", "new/b", "new"));
	assert_true(makes("folder/new/a", "b", "d/new"));
	assert_true(makes("out/a", "b", NULL));
	assert_false(makes("a", "b", NULL));
	assert_false(makes("new/a", "newer/b", "newest"));
	assert_false(makes("newer/a", "b", "new"));
	assert_false(makes("d/a", "d/b", "d"));
	assert_true(makes("deep/er/a", "b", "./deep/er/"));
	assert_int_equal(files_make_folder(&g_files, &why), 0);
	assert_int_equal(stat("deep/er", &status), 0);
}

static void long_names_are_told(void **state)
{
	static char name[2 * FILES_PATH_BYTES];
	struct options options = options_of(NULL, name, NULL, NULL, NULL);
	struct why why;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	assert_int_equal(settle(&options, &why), -ENAMETOOLONG);
	assert_int_equal(why.status, EXIT_RESULTS);
	/* Just as long as Linux allows, of components that are not there. */
	for (size_t i = 0; i < FILES_PATH_BYTES; i++)
		name[i] = i % 2 == 0 ? 'n' : '/';
	name[FILES_PATH_BYTES - 2] = '\0';
	assert_int_equal(settle(&options, &why), 0);
	options = options_of(NULL, NULL, NULL, NULL, name);
	assert_int_equal(settle(&options, &why), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file_for_two_is_refused),
		cmocka_unit_test(every_default_has_a_name),
		cmocka_unit_test(other_actions_write_less),
		cmocka_unit_test(a_table_in_a_file_is_an_output),
		cmocka_unit_test(open_files_are_told_apart_again),
		cmocka_unit_test(the_folder_is_made_if_a_file_goes_there),
		cmocka_unit_test(long_names_are_told),
	};

	return !!cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
