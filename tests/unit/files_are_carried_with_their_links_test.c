// SPDX-License-Identifier: MIT
/*
 * files_are_carried_with_their_links_test.c - a file that is carried into a machine can be
 * opened there by its name: the folders above and every link on the way come too, each once;
 * so does what a program is run by and linked with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carry.h"
#include "unit_test.h"

static char g_folder[64];
static struct archive g_archive;
static struct carry g_carry;
static char *g_names;           /* of the archive, each between two newlines */

static const char *below(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *one = path[next++ % 4];

	snprintf(one, sizeof(path[0]), "%s/%s", g_folder, name);
	return one;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(below(name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int begin(void **state)
{
	(void)state;
	strcpy(g_folder, "/tmp/carry.XXXXXX");
	if (mkdtemp(g_folder) == NULL)
		return -1;
	(void)!mkdir(below("real"), 0750);
	write_file("real/file", "12345", 0640);
	write_file("real/script", "#!/bin/sh\n", 0755);
	(void)!symlink("real", below("link"));
	(void)!symlink("../link/file", below("real/other"));
	(void)!symlink("loop", below("loop"));
	if (archive_begin(&g_archive, memfd_create("archive", MFD_CLOEXEC)) != 0)
		return -1;
	carry_begin(&g_carry, &g_archive);
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	free(g_names);
	g_names = NULL;
	snprintf(command, sizeof(command), "rm -r %s", g_folder);
	return system(command);
}

/* The names follow their heads of 110 bytes. */
static void names_read(void)
{
	struct stat status;
	const char *bytes;
	size_t at = 0, length = 1;
	int fd;

	carry_end(&g_carry);
	fd = archive_end(&g_archive);
	assert_int_equal(fstat(fd, &status), 0);
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(bytes != MAP_FAILED);
	g_names = calloc(1, (size_t)status.st_size);
	g_names[0] = '\n';
	while (strcmp(bytes + at + 110, "TRAILER!!!") != 0) {
		char size[9] = "", name_bytes[9] = "";

		memcpy(size, bytes + at + 54, 8);
		memcpy(name_bytes, bytes + at + 94, 8);
		length += (size_t)sprintf(g_names + length, "%s\n", bytes + at + 110);
		at = (at + 110 + strtoul(name_bytes, NULL, 16) + 3) & ~(size_t)3;
		at = (at + strtoul(size, NULL, 16) + 3) & ~(size_t)3;
	}
	munmap((void *)bytes, (size_t)status.st_size);
	close(fd);
}

static unsigned times_there(const char *path)
{
	char name[512];
	unsigned times = 0;

	snprintf(name, sizeof(name), "\n" CARRIED "%s\n", path);
	for (const char *at = g_names; (at = strstr(at, name)) != NULL; at++)
		times++;
	return times;
}

static void links_lead_to_their_files(void **state)
{
	(void)state;
	assert_int_equal(carry_file(&g_carry, below("link/other")), 0);
	assert_int_equal(carry_file(&g_carry, below("real/../link/./file")), 0);
	names_read();
	assert_int_equal(times_there(g_folder), 1);
	assert_int_equal(times_there(below("link")), 1);
	assert_int_equal(times_there(below("real")), 1);
	assert_int_equal(times_there(below("real/other")), 1);
	assert_int_equal(times_there(below("real/file")), 1);
	assert_int_equal(times_there(below("real/script")), 0);
}

static void what_is_not_there_leaves_its_folders(void **state)
{
	(void)state;
	assert_int_equal(carry_file(&g_carry, below("link/new")), -ENOENT);
	assert_int_equal(carry_file(&g_carry, below("loop")), -ELOOP);
	names_read();
	assert_int_equal(times_there(below("real")), 1);
	assert_int_equal(times_there(below("real/new")), 0);
}

static void trees_leave_out_what_they_are_told(void **state)
{
	static const char *const without[] = { "scr*", NULL };

	(void)state;
	carry_tree(&g_carry, g_folder, without);
	names_read();
	assert_int_equal(times_there(below("real/file")), 1);
	assert_int_equal(times_there(below("real/script")), 0);
}

static void programs_bring_what_runs_them(void **state)
{
	(void)state;
	assert_int_equal(carry_program(&g_carry, below("real/script")), 0);
	assert_int_equal(carry_program(&g_carry, "no such program"), -ENOENT);
	names_read();
	assert_int_equal(times_there(below("real/script")), 1);
	assert_non_null(strstr(g_names, "/sh\n"));
	assert_non_null(strstr(g_names, "/libc.so.6\n"));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(links_lead_to_their_files),
		IN_A_FOLDER(what_is_not_there_leaves_its_folders),
		IN_A_FOLDER(trees_leave_out_what_they_are_told),
		IN_A_FOLDER(programs_bring_what_runs_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
