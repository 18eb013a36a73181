/* SPDX-License-Identifier: MIT */
/*
 * guest_pointer.h - what a pointer of the guest leads to, copied through the secondary
 * MMU (shadow.h).
 *
 * A pointer is a guest-virtual address. It is followed by the tables that the VMM has
 * given that vCPU, from its root in layout.h on, as the guest has them at that moment:
 * CR3 is not asked for, which would be an ioctl each time.
 */
#ifndef GUEST_POINTER_H
#define GUEST_POINTER_H

#include "vcpu_thread.h"

/* guest_pointer_root - where the tables of @vcpu begin, guest-physical. */
uint64_t guest_pointer_root(uint32_t vcpu);

/**
 * guest_pointer_copy - @bytes from @gva on. @what is for the message: "flush request".
 *
 * Threads: the vCPU's own, outside KVM_RUN.
 * Errors:  EXIT_GUEST: the pointer cannot be followed; EXIT_HOST: no memory for its
 *          translation. Part of @to may have been written.
 */
__attribute__((warn_unused_result))
int guest_pointer_copy(struct vcpu_thread *thread, uint64_t gva, void *to, size_t bytes,
		       const char *what);

/**
 * guest_pointer_text - a string of the guest, as far as it can be read and is printable
 * ASCII; "?" where that is nothing.
 *
 * Shape:   @text has room for @size bytes, at least 2; it ends with 0.
 * Threads: as above.
 */
void guest_pointer_text(struct vcpu_thread *thread, uint64_t gva, char *text, size_t size);

#endif
