// SPDX-License-Identifier: MIT
/*
 * boot_cd_is_read_by_xorriso_test.c - the CD of the emulated Intel machine is one: another
 * program finds the files with their bytes, and a loader to boot; equal contents make equal CDs.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intel.h"
#include "unit_test.h"

static int iso_make(void)
{
	struct emulator machine = { .initramfs = memfd_create("initramfs", MFD_CLOEXEC) };
	int iso;

	strcpy(machine.kernel.image, "/proc/self/exe");
	assert_int_equal(ftruncate(machine.initramfs, 5000), 0);
	iso = intel_iso_make(&machine, "quiet a=b");
	close(machine.initramfs);
	if (iso < 0)
		print_message("%s\n", machine.complaint);
	return iso;
}

static bool can(void)
{
	return access("/usr/lib/ISOLINUX/isolinux.bin", R_OK) == 0 &&
	       access("/usr/lib/syslinux/modules/bios/ldlinux.c32", R_OK) == 0 &&
	       system("command -v xorriso >/dev/null") == 0;
}

static void xorriso_reads_it(void **state)
{
	char command[256], said[8192];
	int iso;
	FILE *out;

	(void)state;
	if (!can())
		skip();
	iso = iso_make();
	assert_true(iso >= 0);
	fcntl(iso, F_SETFD, 0);
	snprintf(command, sizeof(command),
		 "xorriso -indev stdio:/dev/fd/%d -find / -type f -exec report_lba -- "
		 "-report_el_torito plain 2>&1", iso);
	out = popen(command, "r");
	assert_non_null(out);
	said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
	pclose(out);
	close(iso);
	assert_non_null(strstr(said, "'/INITRD'"));
	assert_non_null(strstr(said, "'/VMLINUZ'"));
	assert_non_null(strstr(said, "'/LDLINUX.C32'"));
	assert_non_null(strstr(said, "5000"));
	assert_non_null(strstr(said, "boot-info-table"));
}

static void equal_contents_are_equal_cds(void **state)
{
	int first, second;
	struct stat a, b;
	void *bytes[2];

	(void)state;
	if (!can())
		skip();
	first = iso_make();
	second = iso_make();
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
		cmocka_unit_test(xorriso_reads_it),
		cmocka_unit_test(equal_contents_are_equal_cds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
