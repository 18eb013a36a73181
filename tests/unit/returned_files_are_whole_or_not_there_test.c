// SPDX-License-Identifier: MIT
/*
 * returned_files_are_whole_or_not_there_test.c - what comes back from a machine is put in place
 * whole; where one file cannot be, nothing has changed and nothing is left beside.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "returned.h"
#include "unit_test.h"

static char g_folder[64];
static char g_complaint[256];
static struct archive g_archive;

static const char *below(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", g_folder, name);
	return path;
}

static void has(const char *name, const char *wanted)
{
	char text[64] = "";
	int fd = open(below(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, wanted);
}

static void write_old(const char *name)
{
	int fd = open(below(name), O_WRONLY | O_CREAT, 0644);

	assert_int_equal(write(fd, "old", 3), 3);
	close(fd);
}

/* How many names there are, whatever they are. */
static size_t count_names(void)
{
	char command[128], text[32] = "";
	FILE *found;

	snprintf(command, sizeof(command), "find %s -mindepth 1 | wc -l", g_folder);
	found = popen(command, "r");
	assert_non_null(fgets(text, sizeof(text), found));
	pclose(found);
	return strtoul(text, NULL, 10);
}

static int begin(void **state)
{
	(void)state;
	strcpy(g_folder, "/tmp/returned.XXXXXX");
	if (mkdtemp(g_folder) == NULL)
		return -1;
	*g_complaint = '\0';
	return archive_begin(&g_archive, memfd_create("archive", MFD_CLOEXEC));
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", g_folder);
	return system(command);
}

static int put_back(size_t less)
{
	struct stat status;
	int fd = archive_end(&g_archive), error;
	void *bytes;

	assert_int_equal(fstat(fd, &status), 0);
	bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	error = returned_put(g_folder, bytes, (size_t)status.st_size - less, g_complaint,
			     sizeof(g_complaint));
	munmap(bytes, (size_t)status.st_size);
	close(fd);
	return error;
}

static void all_is_put_in_place(void **state)
{
	struct stat status;

	(void)state;
	write_old("gone");
	write_old("a b");
	assert_int_equal(symlink("a b", below("link")), 0);
	archive_folder(&g_archive, "new");
	archive_bytes(&g_archive, "new/file", 0600, "new", 3);
	archive_bytes(&g_archive, "empty", 0644, NULL, 0);
	archive_bytes(&g_archive, "link", 0644, "through", 7);
	archive_entry(&g_archive, "gone", S_IFCHR, NULL, 0);
	archive_entry(&g_archive, "points", S_IFLNK | 0777, "new/file", 8);
	assert_int_equal(put_back(0), 0);
	has("new/file", "new");
	has("empty", "");
	has("a b", "through");
	has("points", "new");
	assert_int_equal(access(below("gone"), F_OK), -1);
	assert_int_equal(stat(below("new/file"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_int_equal(count_names(), 6);
}

static void a_full_disk_changes_nothing(void **state)
{
	static char much[65536];
	struct rlimit all, little;

	(void)state;
	write_old("first");
	archive_bytes(&g_archive, "first", 0644, "new", 3);
	archive_folder(&g_archive, "folder");
	archive_bytes(&g_archive, "folder/much", 0644, much, sizeof(much));
	/* As ENOSPC: the write that goes too far fails. */
	int fd = archive_end(&g_archive);

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	little = (struct rlimit){ sizeof(much) / 2, all.rlim_max };
	void *bytes = mmap(NULL, sizeof(much) + 1024, PROT_READ, MAP_PRIVATE, fd, 0);
	struct stat status;

	fstat(fd, &status);
	setrlimit(RLIMIT_FSIZE, &little);
	assert_int_equal(returned_put(g_folder, bytes, (size_t)status.st_size, g_complaint,
				      sizeof(g_complaint)), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &all);
	munmap(bytes, sizeof(much) + 1024);
	close(fd);
	has("first", "old");
	assert_int_equal(count_names(), 1);
	assert_non_null(strstr(g_complaint, "folder/much: "));
}

static void half_an_archive_changes_nothing(void **state)
{
	(void)state;
	archive_bytes(&g_archive, "first", 0644, "new", 3);
	assert_int_equal(put_back(100), -EPROTO);
	assert_int_equal(count_names(), 0);
}

static void names_stay_below_the_root(void **state)
{
	static const char *const names[] = { "..", "a/../../b", "/b", "a//b", ".", "a/." };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (i > 0)
			assert_int_equal(archive_begin(&g_archive,
						       memfd_create("archive", MFD_CLOEXEC)), 0);
		archive_bytes(&g_archive, names[i], 0644, "new", 3);
		assert_int_equal(put_back(0), -EPROTO);
	}
	assert_int_equal(count_names(), 0);
}

static void only_files_are_written_over(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(below("fifo"), 0600), 0);
	archive_bytes(&g_archive, "before", 0644, "new", 3);
	archive_bytes(&g_archive, "fifo", 0644, "new", 3);
	assert_int_equal(put_back(0), -EINVAL);
	assert_int_equal(count_names(), 1);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(all_is_put_in_place),
		IN_A_FOLDER(a_full_disk_changes_nothing),
		IN_A_FOLDER(half_an_archive_changes_nothing),
		IN_A_FOLDER(names_stay_below_the_root),
		IN_A_FOLDER(only_files_are_written_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
