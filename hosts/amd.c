// SPDX-License-Identifier: MIT
/*
 * amd.c - an emulated AMD machine: QEMU's TCG emulates SVM, and virtiofsd serves it this
 * machine's own root, so that every file has the name and the contents that it has here.
 *
 * Follows: qemu-system-x86_64(1), virtiofsd(1) of QEMU 7.2.
 * Tested:  tests/hosts/
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "beside.h"
#include "emulator.h"

#define QEMU      "qemu-system-x86_64"
#define VIRTIOFSD "/usr/lib/qemu/virtiofsd"

/* Each before those that need it. */
static const char *const g_modules[] = {
	"virtio_ring.ko", "virtio.ko", "virtio_pci_modern_dev.ko", "virtio_pci_legacy_dev.ko",
	"virtio_pci.ko", "fuse.ko", "virtiofs.ko", "irqbypass.ko", "kvm.ko",
};

static int in_path(const char *program)
{
	const char *path = getenv("PATH");
	char whole[PATH_MAX];

	for (const char *folder = path != NULL ? path : "/usr/bin:/bin"; folder != NULL;) {
		size_t length = strcspn(folder, ":");

		snprintf(whole, sizeof(whole), "%.*s/%s", (int)length, folder, program);
		if (access(whole, X_OK) == 0)
			return 0;
		folder = folder[length] == '\0' ? NULL : folder + length + 1;
	}
	return -ENOENT;
}

static int amd_check(struct emulator *machine)
{
	if (in_path(QEMU) == 0 && access(VIRTIOFSD, X_OK) == 0)
		return 0;
	snprintf(machine->complaint, sizeof(machine->complaint), "no %s (Debian package %s)",
		 in_path(QEMU) != 0 ? QEMU : VIRTIOFSD,
		 in_path(QEMU) != 0 ? "qemu-system-x86" : "qemu-system-common");
	return -ENOENT;
}

static void amd_prepare(const struct emulator *machine, struct request *request)
{
	size_t count = sizeof(g_modules) / sizeof(g_modules[0]);

	memcpy(request->modules, g_modules, sizeof(g_modules));
	request->modules[count] = machine->spec->nested_paging ? "kvm-amd.ko npt=1" :
								 "kvm-amd.ko npt=0";
	request->root = ROOT_VIRTIOFS;
}

/* A socket that virtiofsd listens on and one that is connected to it: no file names it. */
static int files_connect(int *listening, int *connected)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t bytes = sizeof(address);

	*listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*connected = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*listening < 0 || *connected < 0)
		return -errno;
	/* An address of the family alone: the kernel chooses an abstract name. */
	if (bind(*listening, (struct sockaddr *)&address, sizeof(address.sun_family)) != 0 ||
	    listen(*listening, 1) != 0 ||
	    getsockname(*listening, (struct sockaddr *)&address, &bytes) != 0 ||
	    connect(*connected, (struct sockaddr *)&address, bytes) != 0)
		return -errno;
	return 0;
}

/* Every file that the machine has looked at stays open. */
static int files_serve(struct emulator *machine, int listening)
{
	struct rlimit files;
	char fd[32], limit[48];
	const char *command[] = {
		VIRTIOFSD, fd, limit, "-o", "source=/", "-o", "cache=always", "-o",
		"sandbox=chroot", "-o", "announce_submounts", NULL,
	};
	const int keep[] = { listening, -1 };

	getrlimit(RLIMIT_NOFILE, &files);
	snprintf(fd, sizeof(fd), "--fd=%d", listening);
	snprintf(limit, sizeof(limit), "--rlimit-nofile=%llu",
		 (unsigned long long)(files.rlim_max < 1000000 ? files.rlim_max : 1000000));
	return child_start(&machine->files, command, keep, true);
}

/*
 * no_timer_check: at boot the kernel counts timer interrupts in 10 ms, and panics where
 * another process has had the emulator's CPU meanwhile. tsc=reliable: for the same reason it
 * would take the TSC, which QEMU takes from the host's clock, for unstable. cryptomgr.notests:
 * half a second.
 */
#define KERNEL_ARGUMENTS \
	"console=ttyS0 quiet panic=-1 mitigations=off no_timer_check tsc=reliable " \
	"cryptomgr.notests"

static int emulator_start(struct emulator *machine, int files, int line, int mend)
{
	const struct host_spec *spec = machine->spec;
	char cpu[96], smp[16], mem[16], memory[96], root[48], serial[48], console[80], initrd[48];
	char append[768], preload[48];
	const char *command[] = {
		"env", preload, QEMU, "-accel", "tcg,thread=multi", "-cpu", cpu, "-smp", smp, "-m", mem,
		"-object", memory, "-numa", "node,memdev=memory",
		"-chardev", root, "-device", "vhost-user-fs-pci,chardev=root,tag=root",
		"-chardev", console, "-serial", "chardev:console",
		"-chardev", serial, "-serial", "chardev:line",
		"-display", "none", "-no-reboot", "-nodefaults", "-no-user-config",
		"-kernel", machine->kernel.image, "-initrd", initrd, "-append", append, NULL,
	};
	const int keep[] = { files, line, machine->console, machine->initramfs, mend, -1 };

	snprintf(preload, sizeof(preload), "LD_PRELOAD=/proc/self/fd/%d", mend);
	snprintf(cpu, sizeof(cpu), "%s,+svm,+npt", spec->cpu);
	snprintf(smp, sizeof(smp), "%u", spec->smp);
	snprintf(mem, sizeof(mem), "%u", spec->mem_mib);
	/* Shared, because virtiofsd reads and writes it. */
	snprintf(memory, sizeof(memory), "memory-backend-memfd,id=memory,size=%uM,share=on",
		 spec->mem_mib);
	snprintf(root, sizeof(root), "socket,id=root,fd=%d", files);
	snprintf(serial, sizeof(serial), "socket,id=line,fd=%d", line);
	snprintf(console, sizeof(console), "file,id=console,path=/proc/self/fd/%d,append=on",
		 machine->console);
	snprintf(initrd, sizeof(initrd), "/proc/self/fd/%d", machine->initramfs);
	snprintf(append, sizeof(append), KERNEL_ARGUMENTS " %s", spec->args);
	return child_start(&machine->program, command, keep, false);
}

/* qemu_mend.c, open: a path may have what separates names in LD_PRELOAD. */
static int mend_open(void)
{
	char path[PATH_MAX];
	int error = beside_this("qemu_mend.so", path, sizeof(path));
	int fd = error == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return fd >= 0 ? fd : error != 0 ? error : -errno;
}

static int amd_start(struct emulator *machine)
{
	int listening = -1, connected = -1, line[2] = { -1, -1 };
	int mend = mend_open();
	int error = mend < 0 ? mend : files_connect(&listening, &connected);

	if (error == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line) != 0)
		error = -errno;
	if (error == 0)
		error = files_serve(machine, listening);
	if (error == 0)
		error = emulator_start(machine, connected, line[1], mend);
	machine->line = machine->orders = line[0];
	for (size_t i = 0; i < 4; i++) {
		const int done[] = { listening, connected, line[1], mend };

		if (done[i] >= 0)
			close(done[i]);
	}
	if (error != 0)
		snprintf(machine->complaint, sizeof(machine->complaint), "%s", strerror(-error));
	return error;
}

const struct emulator_ops g_emulator_amd = {
	.name = "an emulated AMD machine",
	.boot_silence_s = 120,
	.silence_s = 60,
	.check = amd_check,
	.prepare = amd_prepare,
	.start = amd_start,
};
