/* SPDX-License-Identifier: MIT */
/*
 * confine.h - system calls that a thread may make once it is set up: a seccomp
 * filter for each kind of thread, loaded by the thread on itself.
 *
 * A new kind is a name in confine_kind.h, a table in tables.c, and confine_enter() in its thread.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>

#include "confine_kind.h"
#include "options.h"
#include "why.h"

/* How a process ends that has made a forbidden call. */
struct confine_end {
	int wake_fd;                    /* an eventfd that main waits on */
	/* The main thread made it, and cannot go on: complete what is being written. In a
	 * signal handler, but inside no other function than the one that made the call.
	 * NULL: nothing. */
	void (*finish)(void *context);
	void *context;
};

/**
 * confine_prepare - build the filters; nothing is confined yet.
 *
 * With CONFINE_ON a call that is in no row of its thread's table is not made. On
 * main the process says so and exits with EXIT_GUEST: a thread that does what it
 * never does is not its own any more. Any other thread stops for good and wakes
 * main, which finds it in confine_failure() and reports what was measured. (Where glibc
 * has blocked every signal, in the last moments of a thread, the kernel kills the process
 * without a word.)
 * With CONFINE_LOG such a call is named once for each kind of thread, on stderr, and
 * made all the same; only new threads and vfork() fail, with ENOSYS.
 *
 * Threads: main, before any other; once in a process.
 * Errors:  EXIT_HOST.
 */
__attribute__((warn_unused_result))
int confine_prepare(enum confine_mode mode, const struct confine_end *end, struct why *why);

/**
 * confine_know_memory - the descriptor of the guest's memory, which the mover maps: until
 * then it may map nothing.
 *
 * Threads: main, before the mover.
 * Errors:  EXIT_HOST.
 */
__attribute__((warn_unused_result))
int confine_know_memory(int fd, struct why *why);

/**
 * confine_enter - confine the calling thread, and all it starts, for good. It needs
 * no_new_privs (capabilities.h). Nothing with CONFINE_OFF or before confine_prepare().
 *
 * Errors:  EXIT_HOST.
 */
__attribute__((warn_unused_result))
int confine_enter(enum confine_kind kind, struct why *why);

/* confine_enter_vcpu - the same of CONFINE_VCPU, for a thread that runs the vCPU @vcpu_fd and
 * may run and change no other. */
__attribute__((warn_unused_result))
int confine_enter_vcpu(int vcpu_fd, struct why *why);

/**
 * confine_stopped_thread - has a thread other than main been stopped by its filter?
 *
 * It never ends then, and may hold locks: end the process without joining it, and leave
 * what it may use. Once true it stays so.
 *
 * Threads: main, which from then on has heard of it and ends the process.
 */
__attribute__((warn_unused_result))
bool confine_stopped_thread(void);

/* confine_failure - the same, in words: 0, or -EPERM with @why filled. */
__attribute__((warn_unused_result))
int confine_failure(struct why *why);

#endif
