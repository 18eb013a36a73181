// SPDX-License-Identifier: MIT
/*
 * stage_holds_until_released_test.c - a vCPU thread that comes to a step stays there until
 * main releases it, does what main says meanwhile, and goes when the stage is closed.
 */
#include <errno.h>

#include "clock.h"
#include "stage.h"
#include "unit_test.h"
#include "vcpu_thread.h"

#define STEPS 3

static struct stage g_stage;
static struct loop g_loop;
static struct vcpu_thread g_thread;
static unsigned g_acts;                 /* by the thread; main while it is held */

static int count_act(struct vcpu_thread *thread)
{
	assert_ptr_equal(thread, &g_thread);
	g_acts++;
	return 0;
}

static int failing_act(struct vcpu_thread *thread)
{
	(void)thread;
	return -EIO;
}

/* Steps 0, 1, 2 and out, or out at the first error, which is returned. */
static void *thread_main(void *argument)
{
	intptr_t error = 0;

	(void)argument;
	for (uint32_t step = 0; error == 0 && step < STEPS; step++)
		error = stage_hold(&g_stage, &g_thread, step);
	return (void *)error;
}

static uint32_t wait_held(void)
{
	uint32_t step;

	while (!stage_is_held(&g_stage, SD_CAST_T, &step))
		(void)loop_wait(&g_loop, clock_ns() + NS_PER_S);
	return step;
}

static pthread_t start(void)
{
	pthread_t thread;

	stage_open(&g_stage, &g_loop);
	g_thread.vcpu.id = SD_CAST_T;
	g_acts = 0;
	assert_int_equal(pthread_create(&thread, NULL, thread_main, NULL), 0);
	return thread;
}

static intptr_t join(pthread_t thread)
{
	void *error;

	assert_int_equal(pthread_join(thread, &error), 0);
	stage_destroy(&g_stage);
	return (intptr_t)error;
}

static void each_step_waits_for_its_release(void **state)
{
	pthread_t thread = start();
	uint32_t step;

	(void)state;
	for (uint32_t i = 0; i < STEPS; i++) {
		assert_int_equal(wait_held(), i);
		assert_true(stage_is_held(&g_stage, SD_CAST_T, &step));
		stage_release(&g_stage, SD_CAST_T);
	}
	assert_int_equal(join(thread), 0);
}

static void nobody_else_is_held(void **state)
{
	pthread_t thread = start();
	uint32_t step;

	(void)state;
	assert_int_equal(wait_held(), 0);
	assert_false(stage_is_held(&g_stage, SD_CAST_A, &step));
	assert_false(stage_is_held(&g_stage, SD_CAST_B, &step));
	stage_close(&g_stage);
	assert_int_equal(join(thread), 0);
}

static void acts_are_done_where_it_is_held(void **state)
{
	pthread_t thread = start();

	(void)state;
	assert_int_equal(wait_held(), 0);
	for (unsigned i = 1; i <= 3; i++) {
		stage_act(&g_stage, SD_CAST_T, count_act);
		assert_int_equal(wait_held(), 0);
		assert_int_equal(g_acts, i);
	}
	stage_release(&g_stage, SD_CAST_T);
	assert_int_equal(wait_held(), 1);
	assert_int_equal(g_acts, 3);
	stage_close(&g_stage);
	assert_int_equal(join(thread), 0);
}

static void an_act_that_fails_ends_it(void **state)
{
	pthread_t thread = start();

	(void)state;
	assert_int_equal(wait_held(), 0);
	stage_act(&g_stage, SD_CAST_T, failing_act);
	assert_int_equal(join(thread), -EIO);
}

/* The session ends: whoever is held goes, and whoever comes is not held. */
static void a_closed_stage_holds_nobody(void **state)
{
	pthread_t thread = start();

	(void)state;
	assert_int_equal(wait_held(), 0);
	stage_close(&g_stage);
	assert_int_equal(join(thread), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_waits_for_its_release),
		cmocka_unit_test(nobody_else_is_held),
		cmocka_unit_test(acts_are_done_where_it_is_held),
		cmocka_unit_test(an_act_that_fails_ends_it),
		cmocka_unit_test(a_closed_stage_holds_nobody),
	};
	struct why why = { 0 };
	int failed;

	if (loop_create(&g_loop, &why) != 0)
		return 99;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_destroy(&g_loop);
	return !!failed;
}
