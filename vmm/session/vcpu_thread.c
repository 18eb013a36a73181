// SPDX-License-Identifier: MIT
/*
 * vcpu_thread.c - what is known of a vCPU and its thread (vcpu_thread.h).
 *
 * Threads: vcpu_run() on the vCPU's own, vcpu_is_interrupted() on any.
 */
#include "vcpu_thread.h"

#include "lapic.h"

/* Read only, and after park's settling: where KVM marks vCPUs itself, the ioctl would
 * else store a plain 1 over the byte and erase a flush asked for. A vCPU that cannot
 * be asked is woken, and then says why. */
bool vcpu_is_interrupted(struct slot_member *member)
{
	struct vcpu_thread *thread = (struct vcpu_thread *)(void *)
		((char *)member - offsetof(struct vcpu_thread, member));
	struct kvm_lapic_state lapic;
	struct why ignored = { 0 };

	return kvm_get_lapic(thread->vcpu.fd, &lapic, &ignored) != 0 || lapic_has_pending(&lapic);
}

/* Only KVM takes the bit away. If it is asked for again in the meantime, this count is too
 * low, and no flush is lost. */
int vcpu_run(struct vcpu_thread *thread)
{
	const struct sd_u8 *byte = &thread->vcpu.region->preempted;
	bool asked = sd_u8_load(byte) & SD_BYTE_FLUSH_TLB;
	int error;

	if (!thread->vcpu.fd.has_run)
		thread->vcpu.fd.has_run = true;
	error = kvm_run(thread->vcpu.fd);
	if (asked && !(sd_u8_load(byte) & SD_BYTE_FLUSH_TLB))
		thread->counts.entry_flushes_asked++;
	return error;
}
