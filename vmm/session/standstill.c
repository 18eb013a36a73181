// SPDX-License-Identifier: MIT
/*
 * standstill.c - the vCPUs of a guest that gets nowhere (standstill.h).
 *
 * Threads: main.
 */
#include "standstill.h"

#include <stdio.h>

#include "session.h"

#define LINE_BYTES 256

/* Is somebody waiting for this vCPU, or would be if it ever got on? */
static bool is_waited_for(const struct session *session, uint32_t vcpu)
{
	const struct sd_region *region = guest_region(&session->machine.memory, vcpu);
	uint32_t request = sd_u32_load(&region->request) & ~(uint32_t)SD_WORD_FLAGS;

	return vcpu_state_of(&session->threads[vcpu]) == VCPU_RUNNING ||
		request != (sd_u32_load(&region->served) & ~(uint32_t)SD_WORD_FLAGS);
}

static size_t put_vcpu(char *out, size_t bytes, const struct session *session, uint32_t vcpu)
{
	const struct vcpu_thread *thread = &session->threads[vcpu];
	const struct sd_region *region = guest_region(&session->machine.memory, vcpu);

	return (size_t)snprintf(out, bytes,
		"vmm: vCPU %u: %s, rip 0x%llx, rflags 0x%llx, request 0x%x, served 0x%x, "
		"vector 0x%x pending, 0x%x in service\n", vcpu,
		vcpu_state_name(vcpu_state_of(thread)),
		(unsigned long long)thread->regs.rip, (unsigned long long)thread->regs.rflags,
		sd_u32_load(&region->request), sd_u32_load(&region->served),
		thread->pending_vector, thread->vector_in_service);
}

const char *standstill_text(const struct session *session)
{
	static char text[(STANDSTILL_VCPUS + 1) * LINE_BYTES];
	uint32_t vcpus = session->shape.vcpus, told = 0;
	size_t used = 0;

	text[0] = '\0';
	for (int waited_for = 1; waited_for >= 0; waited_for--)
		for (uint32_t i = 0; i < vcpus && told < STANDSTILL_VCPUS; i++)
			if (is_waited_for(session, i) == waited_for) {
				used += put_vcpu(text + used, sizeof(text) - used, session, i);
				told++;
			}
	if (told < vcpus)
		snprintf(text + used, sizeof(text) - used, "vmm: and %u more\n", vcpus - told);
	return text;
}
