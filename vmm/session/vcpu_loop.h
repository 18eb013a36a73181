/* SPDX-License-Identifier: MIT */
/*
 * vcpu_loop.h - the life of a vCPU's thread: create the vCPU, wait for the slot, run a slice,
 * park.
 */
#ifndef VCPU_LOOP_H
#define VCPU_LOOP_H

struct vcpu_thread;

/* vcpu_loop - the thread; @argument is its struct vcpu_thread. It creates its vCPU, confines
 * itself and waits for the slot. */
void *vcpu_loop(void *argument);

/* vcpu_thread_clear - timer and vCPU of a thread that has ended; by main. */
void vcpu_thread_clear(struct vcpu_thread *thread);

#endif
