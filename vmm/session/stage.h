/* SPDX-License-Identifier: MIT */
/*
 * stage.h - vCPUs that go on only when main says so.
 *
 * A vCPU that rings SD_REQ_STEP is held there, out of KVM_RUN and not parked: the guest
 * sees it running. Main releases it, or has its own thread do something to it first:
 * park it, or do that wrong.
 *
 * field          writer                        reader         rule
 * -------------  ----------------------------  -------------  --------------------
 * all of actors, closed
 *                main, vCPU threads            the same       lock; changed
 */
#ifndef STAGE_H
#define STAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "litmus_cast.h"
#include "loop.h"

struct vcpu_thread;

/* What a held vCPU's own thread does to it. 0, or -errno and thread->why. */
typedef int (*stage_act_fn)(struct vcpu_thread *thread);

struct stage_actor {
	bool held;
	uint32_t step;                  /* SD_STEP_, while held */
	stage_act_fn act;               /* to be done; NULL none */
};

struct stage {
	/* A vCPU has left the guest for an access outside memory. Called on its own thread.
	 * NULL: that ends the run, as everywhere else. 0, or -errno and thread->why. */
	stage_act_fn access;
	struct loop *loop;              /* main's; woken whenever an actor comes to be held */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closed;                    /* nobody is held any more */
	struct stage_actor actors[SD_CAST];
};

/* stage_open - nobody is held yet, and there is no access; of a session with SD_CAST vCPUs. */
void stage_open(struct stage *stage, struct loop *loop);
void stage_destroy(struct stage *stage);

/* stage_close - release all, for good. By main. */
void stage_close(struct stage *stage);

/* stage_is_held - by main: is @actor held with nothing left to do? *step says where. */
bool stage_is_held(struct stage *stage, enum sd_litmus_cast actor, uint32_t *step);

/* stage_release - @actor, which is held, enters the guest. By main. */
void stage_release(struct stage *stage, enum sd_litmus_cast actor);

/* stage_act - @actor, which is held, has @act done to it and is held again. By main. */
void stage_act(struct stage *stage, enum sd_litmus_cast actor, stage_act_fn act);

/**
 * stage_hold - @thread's vCPU is held at @step until it is released.
 *
 * Threads: the vCPU's own, outside KVM_RUN.
 * Returns: 0, or what an act has returned.
 */
__attribute__((warn_unused_result))
int stage_hold(struct stage *stage, struct vcpu_thread *thread, uint32_t step);

#endif
