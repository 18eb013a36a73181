// SPDX-License-Identifier: MIT
/* kvm_usable.c - can this user use this machine's /dev/kvm? (kvm_usable.h) */
#include "kvm_usable.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *remedy(int error)
{
	if (error == EACCES || error == EPERM)
		return "usermod -aG kvm USER, and log in again";
	if (error == ENOENT)
		return "modprobe kvm_intel or kvm_amd; in a VM: nested virtualisation";
	return "is it KVM's device?";
}

int kvm_usable(char *reason, size_t bytes)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int error, version;

	if (fd < 0) {
		error = errno;
		snprintf(reason, bytes, "/dev/kvm: %s (%s)",
			 error == ENOENT ? "not there" : strerror(error), remedy(error));
		return -error;
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	if (version == KVM_API_VERSION)
		return fd;
	error = version < 0 ? errno : ENOTSUP;
	if (version < 0)
		snprintf(reason, bytes, "/dev/kvm: KVM_GET_API_VERSION: %s (%s)", strerror(error),
			 remedy(error));
	else
		snprintf(reason, bytes, "/dev/kvm: API version %d, not %d", version,
			 KVM_API_VERSION);
	close(fd);
	return -error;
}
