// SPDX-License-Identifier: MIT
/*
 * intel.c - an Intel machine that Bochs emulates; KVM in it is kvm-intel.
 *
 * It has no way to this machine's files, so that the command's go into the initramfs
 * (intel_files.c), and what it writes comes back at the end (agent/changes.c, returned.c).
 * It has no clock but the count of its instructions, and nothing from outside reaches it but
 * what is in the initramfs and the signals that are passed on: the same command in the same
 * place does the same again, to the last bit. Of the environment vmm gets no more than what
 * g_passed and its neighbours name.
 * All files of a run are memory files; nothing listens, nothing is left behind.
 * Follows: bochsrc(5) of Bochs 2.7.
 */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "intel.h"
#include "returned.h"

/* Instructions that make a second of the machine. */
#define INSTRUCTIONS_HZ 20000000

#define BIOS    "/usr/share/bochs/BIOS-bochs-latest"
#define VGABIOS "/usr/share/bochs/VGABIOS-lgpl-latest"

static const struct {
	const char *path, *package;
} g_needs[] = {
	{ "/usr/bin/bochs-bin", "bochs" },
	{ BIOS, "bochsbios" },
	{ VGABIOS, "vgabios" },
	{ "/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so", "bochs-term" },
	{ "/usr/lib/ISOLINUX/isolinux.bin", "isolinux" },
	{ "/usr/lib/syslinux/modules/bios/ldlinux.c32", "syslinux-common" },
};

/* What vmm gets of the environment, and no more: what it does next depends on how many bytes
 * there are. */
static const char *const g_passed[] = { "NO_COLOR=" };
static const char *const g_passed_to_a_terminal[] = { "TERM=", "COLUMNS=", "LINES=" };

static const char *const g_always[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static int intel_check(struct emulator *machine)
{
	for (size_t i = 0; i < COUNT_OF(g_needs); i++) {
		if (access(g_needs[i].path, R_OK) == 0)
			continue;
		snprintf(machine->complaint, sizeof(machine->complaint),
			 "no %s (Debian package %s)", g_needs[i].path, g_needs[i].package);
		return -ENOENT;
	}
	return 0;
}

static bool begins_with_one_of(const char *word, const char *const *begins, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(word, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

static char **environment_filter(char *const *all, bool to_a_terminal)
{
	size_t count = 0, kept = 0;
	char **some;

	while (all[count] != NULL)
		count++;
	some = calloc(count + COUNT_OF(g_always) + 1, sizeof(*some));
	if (some == NULL)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(g_always); i++)
		some[kept++] = (char *)g_always[i];
	for (size_t i = 0; i < count; i++)
		if (begins_with_one_of(all[i], g_passed, COUNT_OF(g_passed)) ||
		    (to_a_terminal && begins_with_one_of(all[i], g_passed_to_a_terminal,
							 COUNT_OF(g_passed_to_a_terminal))))
			some[kept++] = all[i];
	return some;
}

static void intel_prepare(const struct emulator *machine, struct request *request)
{
	char **environment = NULL;

	request->modules[0] = "overlay.ko";
	request->modules[1] = "irqbypass.ko";
	request->modules[2] = "kvm.ko";
	request->modules[3] = machine->spec->nested_paging ? "kvm-intel.ko ept=1" :
							     "kvm-intel.ko ept=0";
	request->root = ROOT_CARRIED;
	if (intel_is_vmm(request->command[0]))
		environment = environment_filter(request->environment,
						 request->terminal[1] || request->terminal[2]);
	if (environment != NULL)
		request->environment = environment;
}

/* What Bochs opens by name: our descriptors, which it inherits. */
struct devices {
	int iso;
	int printer[2];         /* a pipe: what the agent says */
	int terminal[2];        /* a pseudo-terminal: what it is told */
	int config;
	int debugger;           /* Debian's Bochs waits in its debugger for a word */
	int log;
};

static int config_write(const struct emulator *machine, const struct devices *devices)
{
	const struct host_spec *spec = machine->spec;
	int done = dprintf(devices->config,
		"display_library: term\n"
		"config_interface: textconfig\n"
		"cpu: model=%s, count=%u, ips=%u, reset_on_triple_fault=0, ignore_bad_msrs=1\n"
		"clock: sync=none, time0=1000000000\n"
		"memory: guest=%u, host=%u\n"
		"romimage: file=" BIOS "\n"
		"vgaromimage: file=" VGABIOS "\n"
		"pci: enabled=1, chipset=i440fx\n"
		"ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14\n"
		"ata0-master: type=cdrom, path=/proc/self/fd/%d, status=inserted\n"
		"boot: cdrom\n"
		"com1: enabled=1, mode=file, dev=/proc/self/fd/%d\n"
		"com2: enabled=1, mode=term, dev=/proc/self/fd/%d\n"
		/* No sounds on the user's desk. */
		"speaker: enabled=0\n"
		"parport1: enabled=1, file=/proc/self/fd/%d\n"
		"log: /proc/self/fd/%d\n"
		"panic: action=fatal\n"
		"error: action=ignore\n"
		"info: action=ignore\n"
		"debug: action=ignore\n",
		spec->cpu, spec->smp, INSTRUCTIONS_HZ, spec->mem_mib, spec->mem_mib, devices->iso,
		machine->console, devices->terminal[1], devices->printer[1], devices->log);

	return done < 0 || dprintf(devices->debugger, "c\n") < 0 ? -errno : 0;
}

static int devices_make(struct emulator *machine, struct devices *devices)
{
	struct termios raw;
	char append[768];

	/* Nothing that differs from run to run: no random places for the kernel, and no RDRAND,
	 * which Bochs seeds with the time. No tests of what is not used. A machine that dies ends
	 * Bochs: a triple fault is fatal to it. */
	snprintf(append, sizeof(append),
		 "console=ttyS0 quiet panic=-1 reboot=t mitigations=off nokaslr "
		 "clearcpuid=rdrand cryptomgr.notests ipv6.disable=1 audit=0 apparmor=0 %s",
		 machine->spec->args);
	devices->iso = intel_iso_make(machine, append);
	if (devices->iso < 0)
		return devices->iso;
	devices->config = memfd_create("bochsrc", MFD_CLOEXEC);
	devices->debugger = memfd_create("debugger", MFD_CLOEXEC);
	devices->log = memfd_create("log", MFD_CLOEXEC);
	if (devices->config < 0 || devices->debugger < 0 || devices->log < 0 ||
	    pipe2(devices->printer, O_CLOEXEC) != 0 ||
	    openpty(&devices->terminal[0], &devices->terminal[1], NULL, NULL, NULL) != 0 ||
	    tcgetattr(devices->terminal[1], &raw) != 0)
		return -errno;
	cfmakeraw(&raw);
	if (tcsetattr(devices->terminal[1], TCSANOW, &raw) != 0 ||
	    fcntl(devices->terminal[0], F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(devices->terminal[1], F_SETFD, FD_CLOEXEC) != 0)
		return -errno;
	return config_write(machine, devices);
}

static int bochs_start(struct emulator *machine, const struct devices *devices)
{
	char config[48], debugger[48];
	const char *command[] = {
		"bochs-bin", "-q", "-f", config, "-rc", debugger, NULL,
	};
	const int keep[] = {
		devices->iso, machine->console, devices->terminal[1], devices->printer[1],
		devices->config, devices->debugger, devices->log, -1,
	};

	snprintf(config, sizeof(config), "/proc/self/fd/%d", devices->config);
	snprintf(debugger, sizeof(debugger), "/proc/self/fd/%d", devices->debugger);
	/* Its screen is drawn for one. */
	setenv("TERM", "vt100", 1);
	return child_start(&machine->program, command, keep, false);
}

static int intel_start(struct emulator *machine)
{
	struct devices devices = { -1, { -1, -1 }, { -1, -1 }, -1, -1, -1 };
	int error = devices_make(machine, &devices);

	if (error == 0)
		error = bochs_start(machine, &devices);
	machine->line = devices.printer[0];
	machine->orders = devices.terminal[0];
	/* Its last words are in its log, not on the screen that it draws. */
	if (error == 0) {
		close(machine->program.words);
		machine->program.words = fcntl(devices.log, F_DUPFD_CLOEXEC, 3);
	}
	for (size_t i = 0; i < 6; i++) {
		const int done[] = {
			devices.iso, devices.printer[1], devices.terminal[1], devices.config,
			devices.debugger, devices.log,
		};

		if (done[i] >= 0)
			close(done[i]);
	}
	if (error != 0 && machine->complaint[0] == '\0')
		snprintf(machine->complaint, sizeof(machine->complaint), "%s", strerror(-error));
	return error;
}

static int complain(struct emulator *machine, int error)
{
	snprintf(machine->complaint, sizeof(machine->complaint), "%s", strerror(error));
	return -error;
}

static int returned_whole(struct emulator *machine)
{
	struct stat status;
	void *archive;
	int error;

	if (machine->returned < 0 || fstat(machine->returned, &status) != 0)
		return complain(machine, EPROTO);
	archive = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, machine->returned, 0);
	if (archive == MAP_FAILED)
		return complain(machine, errno);
	error = returned_put("", archive, (size_t)status.st_size, machine->complaint,
			     sizeof(machine->complaint));
	munmap(archive, (size_t)status.st_size);
	close(machine->returned);
	machine->returned = -1;
	return error;
}

static int intel_take_files(struct emulator *machine, const void *data, size_t bytes)
{
	if (data == NULL)
		return returned_whole(machine);
	if (machine->returned < 0)
		machine->returned = memfd_create("returned", MFD_CLOEXEC);
	if (machine->returned >= 0 && write(machine->returned, data, bytes) == (ssize_t)bytes)
		return 0;
	return complain(machine, errno);
}

const struct emulator_ops g_emulator_intel = {
	.name = "an emulated Intel machine",
	/* It boots in half a minute of CPU time and says nothing meanwhile; Bochs ends when it
	 * cannot go on, so that a machine that shares its CPU with many others gets its time. */
	.boot_silence_s = 1800,
	.silence_s = 600,
	.check = intel_check,
	.prepare = intel_prepare,
	.add_files = intel_add_files,
	.start = intel_start,
	.take_files = intel_take_files,
};
