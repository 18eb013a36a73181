// SPDX-License-Identifier: MIT
/*
 * device.c - a register outside memory (device.h).
 *
 * Threads: the vCPU's own, outside KVM_RUN.
 * Follows: Linux Documentation/virt/kvm/api.rst, KVM_RUN (KVM_EXIT_MMIO, immediate_exit).
 */
#include "device.h"

#include <string.h>

#include "session.h"

struct device device;

static bool is_mapped(const struct session *session)
{
	const struct sd_published *published =
		guest_memory_at(&session->machine.memory, SD_PUBLISHED_GPA, sizeof(*published));

	return sd_u64_load(&published->epoch) % 2 != 0;
}

static void count_write(const struct session *session)
{
	device.writes++;
	device.late += !is_mapped(session);
}

int device_access(struct vcpu_thread *thread)
{
	struct kvm_run *run = thread->vcpu.run;

	if (run->mmio.phys_addr != SD_DEVICE_GPA || run->mmio.len > sizeof(run->mmio.data))
		return why_set(&thread->why, EXIT_GUEST, EIO, "vCPU %u: access to 0x%llx outside memory",
			       thread->vcpu.id, (unsigned long long)run->mmio.phys_addr);
	if (run->mmio.is_write) {
		count_write(thread->session);
		return 0;
	}
	memset(run->mmio.data, 0, run->mmio.len);
	return stage_hold(thread->session->stage, thread, SD_STEP_DEVICE);
}

int device_finish(struct vcpu_thread *thread)
{
	struct kvm_run *run = thread->vcpu.run;
	int error;

	for (;;) {
		__atomic_store_n(&run->immediate_exit, 1, __ATOMIC_RELAXED);
		error = kvm_run(thread->vcpu.fd);
		if (error == -EINTR)
			return 0;
		if (error != 0)
			return kvm_failed(thread->vcpu.fd, "KVM_RUN", -error, &thread->why);
		if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write)
			return why_set(&thread->why, EXIT_GUEST, EIO,
				       "vCPU %u: exit %u (%s) while finishing an instruction",
				       thread->vcpu.id, run->exit_reason,
				       vcpu_exit_name(run->exit_reason));
		count_write(thread->session);
	}
}
