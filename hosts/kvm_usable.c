// SPDX-License-Identifier: MIT
/* kvm_usable.c - can this user use this machine's /dev/kvm? (kvm_usable.h) */
#include "kvm_usable.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICE "/dev/kvm"

/* Of ECX, in CPUID leaves 1, 0x80000001 and 1 (SDM volume 2, APM volume 3). */
#define VMX        (1u << 5)
#define SVM        (1u << 2)
#define HYPERVISOR (1u << 31)

/* By /etc/group alone: no service is asked that a static program could not load. */
static void name_group(gid_t id, char *name, size_t bytes)
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *group;

	snprintf(name, bytes, "%u", (unsigned)id);
	while (file != NULL && (group = fgetgrent(file)) != NULL)
		if (group->gr_gid == id) {
			snprintf(name, bytes, "%.31s", group->gr_name);
			break;
		}
	if (file != NULL)
		fclose(file);
}

static void remedy_of_permission(char *out, size_t bytes)
{
	struct stat device;
	char group[32];

	if (stat(DEVICE, &device) != 0 || (device.st_mode & 060) != 060) {
		snprintf(out, bytes, " (its mode lets no group use it: chmod 660 " DEVICE ")");
		return;
	}
	name_group(device.st_gid, group, sizeof(group));
	snprintf(out, bytes, " (it belongs to group %s: usermod -aG %s USER, and log in again)", group,
		 group);
}

static void remedy_of_absence(char *out, size_t bytes)
{
	unsigned eax, ebx, ecx = 0, edx, more = 0;

	(void)__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	(void)__get_cpuid(0x80000001, &eax, &ebx, &more, &edx);
	if (ecx & VMX)
		snprintf(out, bytes, " (modprobe kvm_intel)");
	else if (more & SVM)
		snprintf(out, bytes, " (modprobe kvm_amd)");
	else if (ecx & HYPERVISOR)
		snprintf(out, bytes, " (this VM's CPU has neither VMX nor SVM: its host has to allow nested virtualisation)");
	else
		snprintf(out, bytes, " (this CPU has neither VMX nor SVM, or the firmware has switched it off)");
}

/* Of one that could not be opened, or is no KVM. */
static void remedy(int error, char *out, size_t bytes)
{
	if (error == EACCES || error == EPERM)
		remedy_of_permission(out, bytes);
	else if (error == ENOENT || error == ENODEV || error == ENXIO)
		remedy_of_absence(out, bytes);
	else
		snprintf(out, bytes, "%s", error == ENOTTY ? " (is it KVM's device?)" : "");
}

int kvm_usable(char *reason, size_t bytes)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	int error, version;
	char what[128];

	if (fd < 0) {
		error = errno;
		remedy(error, what, sizeof(what));
		snprintf(reason, bytes, DEVICE ": %s%s",
			 error == ENOENT ? "not there" : strerror(error), what);
		return -error;
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION)
		return fd;
	error = version < 0 ? errno : ENOTSUP;
	remedy(error, what, sizeof(what));
	if (version < 0)
		snprintf(reason, bytes, DEVICE ": KVM_GET_API_VERSION: %s%s", strerror(error), what);
	else
		snprintf(reason, bytes, DEVICE ": API version %d, not %d", version, KVM_API_VERSION);
	close(fd);
	return -error;
}
