// SPDX-License-Identifier: MIT
/*
 * payload_is_read_once_test.c - what was looked at is what is run, whatever becomes of the
 * file afterwards; what is not a file is named for what it is, and is not waited for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "payload_file.h"
#include "payload_image.h"
#include "unit_test.h"

#define LARGE_BYTES ((64 << 20) + 1)

static char g_folder[] = "/tmp/payload_test_XXXXXX";

static int group_set_up(void **state)
{
	(void)state;
	return mkdtemp(g_folder) == NULL || chdir(g_folder) != 0;
}

static int group_tear_down(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", g_folder);
	return chdir("/") | system(command);
}

static size_t built_in_bytes(void)
{
	return (size_t)(payload_image_end - payload_image);
}

/* The built-in one, in a file. */
static int make_payload(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, payload_image, built_in_bytes()), built_in_bytes());
	return fd;
}

static void nobody_takes_it_away(void **state)
{
	static char zeros[65536];
	struct machine_payload payload = { 0 };
	struct why why = { 0 };
	int fd = make_payload("p");

	(void)state;
	assert_int_equal(payload_read("p", &payload, &why), 0);
	assert_string_equal(payload.name, "p");
	assert_true(payload.is_foreign);
	assert_int_equal(payload.bytes, built_in_bytes());
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 0), sizeof(zeros));
	assert_memory_equal(payload.image, payload_image, built_in_bytes());
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_memory_equal(payload.image, payload_image, built_in_bytes());
	close(fd);
	free((void *)payload.image);
}

static void none_is_the_built_in_one(void **state)
{
	struct machine_payload payload = { 0 };
	struct why why = { 0 };

	(void)state;
	assert_int_equal(payload_read(NULL, &payload, &why), 0);
	assert_ptr_equal(payload.image, payload_image);
	assert_false(payload.is_foreign);
	assert_int_equal(payload.bytes, built_in_bytes());
}

static void refused(const char *path, const char *words)
{
	struct machine_payload payload = { 0 };
	struct why why = { 0 };

	assert_true(payload_read(path, &payload, &why) < 0);
	assert_int_equal(why.status, EXIT_USAGE);
	assert_string_equal(why.text, words);
}

static void what_is_no_file_is_named(void **state)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "s" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(mkfifo("f", 0600), 0);
	alarm(20);                      /* for one who waits */
	refused("f", "f: a FIFO, and not a file");
	refused("s", "s: a socket, and not a file");
	refused(".", ".: a folder, and not a file");
	refused("/dev/zero", "/dev/zero: a device, and not a file");
	refused("none", "none: No such file or directory");
	alarm(0);
	close(fd);
}

static void sizes_have_an_end(void **state)
{
	int fd = make_payload("p");

	(void)state;
	assert_int_equal(ftruncate(fd, LARGE_BYTES), 0);
	refused("p", "p: not a file of at most 67108864 bytes");
	assert_int_equal(ftruncate(fd, 0), 0);
	refused("p", "p: not an ELF file");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_takes_it_away),
		cmocka_unit_test(none_is_the_built_in_one),
		cmocka_unit_test(what_is_no_file_is_named),
		cmocka_unit_test(sizes_have_an_end),
	};

	return !!cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
