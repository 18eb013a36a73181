// SPDX-License-Identifier: MIT
/* keeper.c - what keeps the kernel from patching its code in mid-run (agent.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"

#define TRACING "/sys/kernel/tracing"

/* Descriptors stay open: the agent never ends. */
static int vm_hold(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0) != 0 || ioctl(vm, KVM_CREATE_VCPU, 0) < 0)
		return -errno;
	return 0;
}

/* The only tracepoint that vmm counts: --extra flushes. */
static int tracepoint_hold(void)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attributes),
	};
	unsigned long long id;
	FILE *file = fopen(TRACING "/events/kvm/kvm_pv_tlb_flush/id", "re");
	int read;

	if (file == NULL)
		return -errno;
	read = fscanf(file, "%llu", &id);
	fclose(file);
	if (read != 1)
		return -EINVAL;
	attributes.config = id;
	return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC) < 0 ?
		       -errno : 0;
}

int keeper_hold(char *complaint)
{
	int error = vm_hold();

	if (error != 0)
		return complain(complaint, -error, "no KVM in the emulated machine: %s",
				strerror(-error));
	if (mount("tracefs", TRACING, "tracefs", 0, NULL) != 0)
		return complain(complaint, errno, "tracefs: %s", strerror(errno));
	error = tracepoint_hold();
	if (error != 0)
		return complain(complaint, -error, "tracepoint kvm_pv_tlb_flush: %s",
				strerror(-error));
	return 0;
}
