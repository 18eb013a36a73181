// SPDX-License-Identifier: MIT
/*
 * archives_are_read_by_cpio_test.c - an initramfs is what cpio(1) reads: names, modes and
 * bytes; and equal contents make equal archives.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "unit_test.h"

static int archive_make(void)
{
	struct archive archive;

	assert_int_equal(archive_begin(&archive, memfd_create("archive", MFD_CLOEXEC)), 0);
	archive_folder(&archive, "bin");
	archive_bytes(&archive, "bin/a", 0755, "12345", 5);
	archive_bytes(&archive, "empty", 0600, NULL, 0);
	assert_int_equal(archive_file(&archive, "self", 0644, "/proc/self/exe"), 0);
	assert_int_equal(archive_file(&archive, "none", 0644, "/nowhere/at/all"), -ENOENT);
	return archive_end(&archive);
}

/* What cpio says of the archive, when it is asked to @what with it. */
static void cpio_says(int archive, const char *what, char *said, size_t bytes)
{
	char command[128];
	FILE *out;
	size_t got;

	snprintf(command, sizeof(command), "cpio %s </proc/self/fd/%d", what, archive);
	fcntl(archive, F_SETFD, 0);
	out = popen(command, "r");
	assert_non_null(out);
	got = fread(said, 1, bytes - 1, out);
	said[got] = '\0';
	assert_int_equal(pclose(out), 0);
}

static void cpio_reads_it(void **state)
{
	char said[4096];
	int archive = archive_make();

	(void)state;
	if (system("command -v cpio >/dev/null") != 0) {
		close(archive);
		skip();
	}
	assert_true(archive >= 0);
	cpio_says(archive, "-t --quiet", said, sizeof(said));
	assert_string_equal(said, "bin\nbin/a\nempty\nself\n");
	cpio_says(archive, "-i --to-stdout --quiet bin/a", said, sizeof(said));
	assert_string_equal(said, "12345");
	close(archive);
}

static void equal_contents_are_equal_archives(void **state)
{
	int first = archive_make(), second = archive_make();
	struct stat a, b;
	void *bytes[2];

	(void)state;
	assert_int_equal(fstat(first, &a), 0);
	assert_int_equal(fstat(second, &b), 0);
	assert_true(a.st_size > 0 && a.st_size == b.st_size);
	bytes[0] = mmap(NULL, (size_t)a.st_size, PROT_READ, MAP_PRIVATE, first, 0);
	bytes[1] = mmap(NULL, (size_t)a.st_size, PROT_READ, MAP_PRIVATE, second, 0);
	assert_memory_equal(bytes[0], bytes[1], (size_t)a.st_size);
	close(first);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpio_reads_it),
		cmocka_unit_test(equal_contents_are_equal_archives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
