/* SPDX-License-Identifier: MIT */
/*
 * stamps.h - the pages that the host moves while guest and VMM read them (stamp.h).
 */
#ifndef STAMPS_H
#define STAMPS_H

#include "vcpu_thread.h"

/* stamps_write - every stamp of @memory. Before any vCPU runs and any page moves. */
void stamps_write(struct guest_memory *memory);

/**
 * stamps_check - read the words of the struct sd_stamp_batch whose address @thread's
 * vCPU has given, by their addresses in the guest, and count those that are wrong.
 *
 * Threads: a vCPU's thread, outside KVM_RUN.
 * Errors:  EXIT_GUEST: a pointer that cannot be followed, or one to no stamp.
 */
__attribute__((warn_unused_result))
int stamps_check(struct vcpu_thread *thread);

#endif
