/* SPDX-License-Identifier: MIT */
/*
 * wrong.h - a VMM that loses flushes: each as one act, for the scripts alone. Nothing
 * else may include this.
 */
#ifndef WRONG_H
#define WRONG_H

#include "stage.h"

/* wrong_park_transfer, wrong_park_mark - the park of 2017 as written: IPI_PENDING becomes a
 * debt; and then, as a step of its own, the vCPU is marked. */
int wrong_park_transfer(struct vcpu_thread *thread);
int wrong_park_mark(struct vcpu_thread *thread);

/* wrong_park_in_mid_instruction - park as it stands, with the instruction unfinished. */
int wrong_park_in_mid_instruction(struct vcpu_thread *thread);

/* wrong_unpark_for_cancelled_run - unpark, and believe after a cancelled KVM_RUN that the flush
 * that was owed has been done. */
int wrong_unpark_for_cancelled_run(struct vcpu_thread *thread);

/* wrong_mark_by_store - mark a parked vCPU preempted once more, by a plain store. */
int wrong_mark_by_store(struct vcpu_thread *thread);

/* wrong_unpark_copy, wrong_unpark_write_back - unpark by a private copy: read it; and then
 * act on it and write it back, cleared. */
int wrong_unpark_copy(struct vcpu_thread *thread);
int wrong_unpark_write_back(struct vcpu_thread *thread);

/* wrong_unpark_keeps_preempted - unpark, but for the clearing of PREEMPTED. */
int wrong_unpark_keeps_preempted(struct vcpu_thread *thread);

/* wrong_flush_others_unawaited - note the request with the target, and return; the kick
 * is still on its way, and is not waited for. */
int wrong_flush_others_unawaited(struct vcpu_thread *thread);

#endif
