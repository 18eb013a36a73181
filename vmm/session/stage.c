// SPDX-License-Identifier: MIT
/*
 * stage.c - holding vCPUs (stage.h).
 *
 * Threads: stage_hold() on vCPU threads, all others on main.
 */
#include "stage.h"

#include "vcpu_thread.h"

void stage_open(struct stage *stage, struct loop *loop)
{
	*stage = (struct stage){ .loop = loop };
	pthread_mutex_init(&stage->lock, NULL);
	pthread_cond_init(&stage->changed, NULL);
}

void stage_destroy(struct stage *stage)
{
	pthread_cond_destroy(&stage->changed);
	pthread_mutex_destroy(&stage->lock);
}

void stage_close(struct stage *stage)
{
	pthread_mutex_lock(&stage->lock);
	stage->closed = true;
	pthread_cond_broadcast(&stage->changed);
	pthread_mutex_unlock(&stage->lock);
}

bool stage_is_held(struct stage *stage, enum sd_litmus_cast actor, uint32_t *step)
{
	const struct stage_actor *one = &stage->actors[actor];
	bool held;

	pthread_mutex_lock(&stage->lock);
	held = one->held && one->act == NULL;
	*step = one->step;
	pthread_mutex_unlock(&stage->lock);
	return held;
}

void stage_release(struct stage *stage, enum sd_litmus_cast actor)
{
	pthread_mutex_lock(&stage->lock);
	stage->actors[actor].held = false;
	pthread_cond_broadcast(&stage->changed);
	pthread_mutex_unlock(&stage->lock);
}

void stage_act(struct stage *stage, enum sd_litmus_cast actor, stage_act_fn act)
{
	pthread_mutex_lock(&stage->lock);
	stage->actors[actor].act = act;
	pthread_cond_broadcast(&stage->changed);
	pthread_mutex_unlock(&stage->lock);
}

/* Without the lock: an act may take as long as a KVM_RUN. */
static int act(struct stage *stage, struct stage_actor *one, struct vcpu_thread *thread)
{
	stage_act_fn fn = one->act;
	int error;

	pthread_mutex_unlock(&stage->lock);
	error = fn(thread);
	pthread_mutex_lock(&stage->lock);
	one->act = NULL;
	return error;
}

int stage_hold(struct stage *stage, struct vcpu_thread *thread, uint32_t step)
{
	struct stage_actor *one = &stage->actors[thread->vcpu.id];
	int error = 0;

	pthread_mutex_lock(&stage->lock);
	one->held = true;
	one->step = step;
	loop_wake(stage->loop);
	while (error == 0 && one->held && !stage->closed) {
		if (one->act == NULL) {
			pthread_cond_wait(&stage->changed, &stage->lock);
			continue;
		}
		error = act(stage, one, thread);
		loop_wake(stage->loop);
	}
	one->held = false;
	pthread_mutex_unlock(&stage->lock);
	return error;
}
