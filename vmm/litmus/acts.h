/* SPDX-License-Identifier: MIT */
/*
 * acts.h - what a script has a held vCPU's own thread do to it.
 */
#ifndef ACTS_H
#define ACTS_H

#include "stage.h"

/* act_park, act_unpark - as at the end of a slice and at the beginning of the next. */
int act_park(struct vcpu_thread *thread);
int act_unpark(struct vcpu_thread *thread);

/* act_renew - park and unpark with a flush that is owed: afterwards nothing that a lost flush
 * has left in the target is there. */
int act_renew(struct vcpu_thread *thread);

/* act_mark_again - a parked vCPU is marked preempted once more. */
int act_mark_again(struct vcpu_thread *thread);

/* act_cancelled_run - a KVM_RUN that returns before the guest is entered. */
int act_cancelled_run(struct vcpu_thread *thread);

/* act_flush_others - the doorbell SD_REQ_FLUSH_OTHERS. */
int act_flush_others(struct vcpu_thread *thread);

/* act_finish - complete the doorbell at which the vCPU is held. */
int act_finish(struct vcpu_thread *thread);

#endif
