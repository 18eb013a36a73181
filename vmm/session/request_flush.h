/* SPDX-License-Identifier: MIT */
/*
 * request_flush.h - one vCPU's thread has the TLBs of the others flushed.
 *
 * The thread that asks writes the request and then looks at the mode. The thread
 * that enters writes the mode and then looks at the request (request-mode). Each
 * has a full fence between the two, so that one of them sees the other.
 *
 *   asking thread                    entering thread
 *   -------------                    ---------------
 *   flush_asked = true               mode = IN_GUEST_MODE
 *   full fence                       full fence
 *   mode == IN_GUEST_MODE? kick      flush_asked? take it, owe a flush
 */
#ifndef REQUEST_FLUSH_H
#define REQUEST_FLUSH_H

#include "vcpu_thread.h"

/**
 * request_flush_others - the targets of the struct sd_flush_request whose address
 * @thread's vCPU has given are covered when this returns: each is out of the guest
 * and flushes before it enters again, or has done so. Always whole TLBs: KVM has
 * no way to flush a range for a guest.
 *
 * Threads: a vCPU's thread, outside KVM_RUN, in its slot.
 * Errors:  EXIT_GUEST: a pointer that cannot be followed, or a request that makes no
 *          sense.
 */
__attribute__((warn_unused_result))
int request_flush_others(struct vcpu_thread *thread);

/**
 * request_flush_enter - the last look before KVM_RUN.
 *
 * Returns: 0: enter, in IN_GUEST_MODE. 1: a request was taken and paid for, which
 *          may have used up a kick; look at everything again. The mode is
 *          OUTSIDE_GUEST_MODE.
 * Errors:  as vcpu_flush_on_entry(); the mode is OUTSIDE_GUEST_MODE.
 */
__attribute__((warn_unused_result))
int request_flush_enter(struct vcpu_thread *thread);

/* request_flush_leave - KVM_RUN has returned. */
void request_flush_leave(struct vcpu_thread *thread);

#endif
