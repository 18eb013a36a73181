/* SPDX-License-Identifier: MIT */
/*
 * session_life.h - a session's beginning and end.
 */
#ifndef SESSION_LIFE_H
#define SESSION_LIFE_H

#include "session.h"

/**
 * session_create - build the machine and start a thread for each vCPU, which sets itself
 * up. No guest code runs before session_boot(). In between main confines itself, as soon as
 * it needs no more files and threads.
 *
 * Errors:  EXIT_HOST, EXIT_USAGE (payload); nothing is left behind.
 */
__attribute__((warn_unused_result))
int session_create(struct session *session, struct loop *loop, struct kvm_system system,
		   const struct session_shape *shape, struct machine_payload payload,
		   struct why *why);

/* session_destroy - not for a session with a thread that was stopped by its filter: that
 * thread can never be joined, and the process has to end (confine.h). */
void session_destroy(struct session *session);

/* session_end_threads - the vCPU threads alone: for a guest that is given up. */
void session_end_threads(struct session *session);

#endif
