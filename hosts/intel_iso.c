// SPDX-License-Identifier: MIT
/*
 * intel_iso.c - the CD that the emulated Intel machine boots (intel.h).
 *
 * One folder, no names but those that isolinux asks for, no times: the same contents make the
 * same bytes.
 * Follows: ECMA-119; El Torito Bootable CD-ROM Format 1.0; the boot information table of
 *          mkisofs, which isolinux reads.
 * Tested:  tests/unit/boot_cd_is_read_by_xorriso_test.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "intel.h"

#define SECTOR   2048
#define LOADER   "/usr/lib/ISOLINUX/isolinux.bin"
#define LOADER2  "/usr/lib/syslinux/modules/bios/ldlinux.c32"

/* Where what stands. */
enum { VOLUME = 16, BOOT, END, PATHS, PATHS_BIG_ENDIAN, FOLDER, CATALOG, LOADER_AT };

/* In the order of the folder, that of the names. */
enum { INITRAMFS, STAGE1, CONFIG, STAGE2, KERNEL, FILES };

static const char *const g_names[FILES] = {
	[INITRAMFS] = "INITRD.;1",
	[STAGE1] = "ISOLINUX.BIN;1",
	[CONFIG] = "ISOLINUX.CFG;1",
	[STAGE2] = "LDLINUX.C32;1",
	[KERNEL] = "VMLINUZ.;1",
};

struct extent {
	uint32_t sector, bytes;
};

static void little(uint8_t *to, size_t bytes, uint32_t value)
{
	for (size_t i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static void big(uint8_t *to, size_t bytes, uint32_t value)
{
	for (size_t i = 0; i < bytes; i++)
		to[bytes - 1 - i] = (uint8_t)(value >> (8 * i));
}

/* Numbers stand there in both orders. */
static void both(uint8_t *to, size_t bytes, uint32_t value)
{
	little(to, bytes, value);
	big(to + bytes, bytes, value);
}

static int put(int iso, const void *data, size_t bytes, uint32_t sector)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t part = pwrite(iso, (const char *)data + done, bytes - done,
				      (off_t)sector * SECTOR + (off_t)done);

		if (part < 0)
			return -errno;
		done += (size_t)part;
	}
	return 0;
}

static uint32_t sectors(uint32_t bytes)
{
	return (bytes + SECTOR - 1) / SECTOR;
}

/* ---- what describes it ---- */

static size_t record(uint8_t *to, const char *name, size_t name_bytes, bool folder,
		     struct extent extent)
{
	size_t bytes = (33 + name_bytes + 1) & ~(size_t)1;

	to[0] = (uint8_t)bytes;
	both(to + 2, 4, extent.sector);
	both(to + 10, 4, extent.bytes);
	to[25] = folder ? 2 : 0;
	both(to + 28, 2, 1);
	to[32] = (uint8_t)name_bytes;
	memcpy(to + 33, name, name_bytes);
	return bytes;
}

static int volume_put(int iso, uint32_t all)
{
	uint8_t volume[SECTOR] = { 1, 'C', 'D', '0', '0', '1', 1 };
	uint8_t end[SECTOR] = { 255, 'C', 'D', '0', '0', '1', 1 };
	/* One folder, which is its own parent. */
	uint8_t paths[SECTOR] = { 1 }, paths_big_endian[SECTOR] = { 1 };
	const size_t times = 813;

	memset(volume + 8, ' ', 64);
	memcpy(volume + 40, "BOOT", 4);
	both(volume + 80, 4, all);
	both(volume + 120, 2, 1);
	both(volume + 124, 2, 1);
	both(volume + 128, 2, SECTOR);
	both(volume + 132, 4, 10);
	little(volume + 140, 4, PATHS);
	big(volume + 148, 4, PATHS_BIG_ENDIAN);
	record(volume + 156, "", 1, true, (struct extent){ FOLDER, SECTOR });
	memset(volume + 190, ' ', times - 190);
	for (size_t i = 0; i < 4; i++)
		memset(volume + times + 17 * i, '0', 16);
	volume[881] = 1;
	little(paths + 2, 4, FOLDER);
	little(paths + 6, 2, 1);
	big(paths_big_endian + 2, 4, FOLDER);
	big(paths_big_endian + 6, 2, 1);
	int error = put(iso, volume, SECTOR, VOLUME);

	if (error == 0)
		error = put(iso, end, SECTOR, END);
	if (error == 0)
		error = put(iso, paths, SECTOR, PATHS);
	return error != 0 ? error : put(iso, paths_big_endian, SECTOR, PATHS_BIG_ENDIAN);
}

static int boot_put(int iso)
{
	uint8_t boot[SECTOR] = { 0, 'C', 'D', '0', '0', '1', 1 };
	uint8_t catalog[SECTOR] = { 1 };

	memcpy(boot + 7, "EL TORITO SPECIFICATION", 23);
	little(boot + 71, 4, CATALOG);
	/* Its 16-bit words add up to nothing. */
	little(catalog + 28, 2, 0x55aa);
	little(catalog + 30, 2, 0xaa55);
	/* Bootable, no emulated disk; four sectors of 512 bytes are loaded. */
	catalog[32] = 0x88;
	little(catalog + 38, 2, 4);
	little(catalog + 40, 4, LOADER_AT);
	int error = put(iso, boot, SECTOR, BOOT);

	return error != 0 ? error : put(iso, catalog, SECTOR, CATALOG);
}

static int folder_put(int iso, const struct extent files[FILES])
{
	uint8_t folder[SECTOR] = { 0 };
	const struct extent self = { FOLDER, SECTOR };
	size_t at = record(folder, "\0", 1, true, self);

	at += record(folder + at, "\1", 1, true, self);
	for (size_t i = 0; i < FILES; i++)
		at += record(folder + at, g_names[i], strlen(g_names[i]), false, files[i]);
	return put(iso, folder, SECTOR, FOLDER);
}

/* ---- what is in it ---- */

/* The whole of a file in private memory, NULL with errno. */
static uint8_t *map(int fd, uint32_t *bytes)
{
	struct stat status;
	void *data = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0 &&
	    status.st_size < INT32_MAX) {
		*bytes = (uint32_t)status.st_size;
		data = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	}
	return data == MAP_FAILED ? NULL : data;
}

static int file_put(int iso, int fd, uint32_t *next, struct extent *extent)
{
	uint8_t *data = map(fd, &extent->bytes);
	int error;

	if (data == NULL)
		return errno != 0 ? -errno : -EINVAL;
	extent->sector = *next;
	*next += sectors(extent->bytes);
	error = put(iso, data, extent->bytes, extent->sector);
	munmap(data, extent->bytes);
	return error;
}

/* isolinux is told where it stands, and checks itself. */
static int loader_put(int iso, int fd, uint32_t *next, struct extent *extent)
{
	uint8_t *data = map(fd, &extent->bytes);
	uint32_t sum = 0;
	int error;

	if (data == NULL || extent->bytes < 64)
		return -EINVAL;
	for (size_t i = 64; i + 4 <= extent->bytes; i += 4)
		sum += (uint32_t)data[i] | (uint32_t)data[i + 1] << 8 |
		       (uint32_t)data[i + 2] << 16 | (uint32_t)data[i + 3] << 24;
	memset(data + 8, 0, 56);
	little(data + 8, 4, VOLUME);
	little(data + 12, 4, LOADER_AT);
	little(data + 16, 4, extent->bytes);
	little(data + 20, 4, sum);
	extent->sector = LOADER_AT;
	error = put(iso, data, extent->bytes, extent->sector);
	*next = LOADER_AT + sectors(extent->bytes);
	munmap(data, extent->bytes);
	return error;
}

static int config_make(const char *append)
{
	int config = memfd_create("isolinux.cfg", MFD_CLOEXEC);

	if (config >= 0)
		dprintf(config, "DEFAULT l\nPROMPT 0\nTIMEOUT 0\nLABEL l\n KERNEL /vmlinuz\n"
				" INITRD /initrd\n APPEND %s\n", append);
	return config;
}

static int iso_fill(int iso, const int fds[FILES])
{
	struct extent files[FILES] = { 0 };
	uint32_t next = 0;
	int error = loader_put(iso, fds[STAGE1], &next, &files[STAGE1]);

	for (size_t i = 0; error == 0 && i < FILES; i++)
		if (i != STAGE1)
			error = file_put(iso, fds[i], &next, &files[i]);
	if (error == 0)
		error = volume_put(iso, next);
	if (error == 0)
		error = boot_put(iso);
	if (error == 0)
		error = folder_put(iso, files);
	if (error == 0 && ftruncate(iso, (off_t)next * SECTOR) != 0)
		error = -errno;
	return error;
}

int intel_iso_make(struct emulator *machine, const char *append)
{
	const int fds[FILES] = {
		[INITRAMFS] = machine->initramfs,
		[STAGE1] = open(LOADER, O_RDONLY | O_CLOEXEC),
		[CONFIG] = config_make(append),
		[STAGE2] = open(LOADER2, O_RDONLY | O_CLOEXEC),
		[KERNEL] = open(machine->kernel.image, O_RDONLY | O_CLOEXEC),
	};
	int iso = memfd_create("iso", MFD_CLOEXEC);
	int error = iso < 0 ? -errno : iso_fill(iso, fds);

	for (size_t i = 0; i < FILES; i++)
		if (fds[i] >= 0 && i != INITRAMFS)
			close(fds[i]);
	if (error == 0)
		return iso;
	if (iso >= 0)
		close(iso);
	snprintf(machine->complaint, sizeof(machine->complaint), "no CD to boot from: %s",
		 strerror(-error));
	return error;
}
