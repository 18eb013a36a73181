// SPDX-License-Identifier: MIT
/*
 * kvm_failed.c - whose fault a failed call on a vCPU is (kvm.h).
 *
 * Threads: any; no state.
 * Tested:  tests/unit/failed_calls_name_who_is_to_blame_test.c
 */
#include "kvm.h"

#include <string.h>

/* Memory, descriptors, rights, and requests that this KVM does not know: no guest can
 * bring these about. */
static bool is_the_hosts(int error)
{
	static const int errors[] = {
		ENOMEM, EBADF, EMFILE, ENFILE, EPERM, EACCES, ENOSYS, ENOTTY, ENOTSUP, EINTR,
		EAGAIN,         /* a thread of its own that KVM may not start */
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i] == error)
			return true;
	return false;
}

int kvm_failed(struct kvm_vcpu_fd vcpu, const char *what, int error, struct why *why)
{
	if (!vcpu.has_run || is_the_hosts(error))
		return why_set(why, EXIT_HOST, error, "%s of vCPU %u: %s", what, vcpu.id,
			       strerror(error));
	return why_set(why, EXIT_GUEST, error, "vCPU %u: %s: %s, for what its guest has done",
		       vcpu.id, what, strerror(error));
}
