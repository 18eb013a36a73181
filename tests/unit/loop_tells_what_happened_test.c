// SPDX-License-Identifier: MIT
/*
 * loop_tells_what_happened_test.c - main sleeps until something happens or its
 * time has come, and hears of everything once.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"
#include "unit_test.h"

#define PATIENCE_NS (20 * NS_PER_S)
#define SOON_NS (30 * NS_PER_MS)

static struct loop g_loop;

static int set_up(void **state)
{
	struct why why = { 0 };

	(void)state;
	if (loop_create(&g_loop, &why) != 0)
		print_message("%s\n", why.text);
	return why.text[0] != '\0';
}

static int tear_down(void **state)
{
	(void)state;
	loop_destroy(&g_loop);
	return 0;
}

/* Events until @wanted is among them, or nothing comes for long. */
static int wait_for(int wanted)
{
	uint64_t until = clock_ns() + PATIENCE_NS;
	int events = 0;

	while (!(events & wanted) && clock_ns() < until)
		events |= loop_wait(&g_loop, until);
	return events;
}

static void sleep_ns(uint64_t ns)
{
	struct timespec time = ns_timespec(ns);

	while (nanosleep(&time, &time) != 0)
		;
}

static void time_is_kept(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		uint64_t until = clock_ns() + (uint64_t)i * NS_PER_MS;

		assert_int_equal(loop_wait(&g_loop, until), 0);
		assert_true(clock_ns() >= until);
	}
}

static void a_time_that_has_passed_is_not_waited_for(void **state)
{
	uint64_t start = clock_ns();

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(loop_wait(&g_loop, 0), 0);
		assert_int_equal(loop_wait(&g_loop, start), 0);
	}
	assert_true(clock_ns() - start < PATIENCE_NS);
}

static void *wake_soon(void *argument)
{
	sleep_ns(SOON_NS);
	*(uint64_t *)argument = clock_ns();
	loop_wake(&g_loop);
	return NULL;
}

static void another_thread_wakes(void **state)
{
	pthread_t thread;
	uint64_t woken = 0, start = clock_ns();

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, &woken), 0);
	assert_int_equal(loop_wait(&g_loop, start + PATIENCE_NS), LOOP_WOKEN);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(clock_ns() >= woken && woken >= start + SOON_NS);
	assert_true(clock_ns() - start < PATIENCE_NS);
	assert_int_equal(loop_wait(&g_loop, 0), 0);
}

static void many_wakes_are_heard_of(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i <= round; i++)
			loop_wake(&g_loop);
		assert_int_equal(wait_for(LOOP_WOKEN), LOOP_WOKEN);
	}
	/* A wake during the first read may take one more look, and no more. */
	(void)loop_wait(&g_loop, clock_ns() + NS_PER_MS);
	assert_int_equal(loop_wait(&g_loop, clock_ns() + NS_PER_MS), 0);
}

/* In a child: what a signal does to a process that waits on a loop. Returns the
 * wait status. */
static int in_child(void (*what)(void))
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0) {
		struct why why = { 0 };

		alarm(60);
		if (loop_create(&g_loop, &why) != 0)
			_exit(98);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void expect(bool right)
{
	if (!right)
		_exit(97);
}

static void one_signal(void)
{
	raise(SIGINT);
	expect(wait_for(LOOP_SIGNAL) == LOOP_SIGNAL);
	expect(loop_wait(&g_loop, clock_ns() + NS_PER_MS) == 0);
	expect(loop_wait(&g_loop, clock_ns() + NS_PER_MS) == 0);
}

static void one_signal_while_asleep(void)
{
	pid_t self = getpid(), helper = fork();

	expect(helper >= 0);
	if (helper == 0) {
		sleep_ns(SOON_NS);
		kill(self, SIGTERM);
		_exit(0);
	}
	expect(wait_for(LOOP_SIGNAL) == LOOP_SIGNAL);
}

static void int_then_int(void)
{
	one_signal();
	raise(SIGINT);
}

static void term_then_int(void)
{
	raise(SIGTERM);
	raise(SIGINT);
}

static void int_then_term(void)
{
	raise(SIGINT);
	raise(SIGTERM);
}

static void after_the_loop(void)
{
	loop_destroy(&g_loop);
	raise(SIGTERM);
}

static void twice_after_the_loop(void)
{
	after_the_loop();
	raise(SIGINT);
}

static void on_both_sides_of_its_end(void)
{
	raise(SIGTERM);
	loop_destroy(&g_loop);
	raise(SIGINT);
}

static void the_first_signal_is_an_event(void **state)
{
	(void)state;
	assert_int_equal(in_child(one_signal), 0);
	assert_int_equal(in_child(one_signal_while_asleep), 0);
}

/* Everything is written by then. */
static void the_first_signal_after_the_loop_is_nobodys(void **state)
{
	(void)state;
	assert_int_equal(in_child(after_the_loop), 0);
}

static void killed_by(void (*what)(void), int signal)
{
	int status = in_child(what);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
}

static void the_second_signal_kills(void **state)
{
	(void)state;
	killed_by(int_then_int, SIGINT);
	killed_by(term_then_int, SIGINT);
	killed_by(int_then_term, SIGTERM);
	killed_by(twice_after_the_loop, SIGINT);
	killed_by(on_both_sides_of_its_end, SIGINT);
}

static int open_temporary(void)
{
	char path[] = "/tmp/loop_test_XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void writes_complete(void **state)
{
	static char bytes[100000], back[sizeof(bytes)];
	struct loop_write write = { .fd = open_temporary(), .bytes = bytes, .length = sizeof(bytes) };

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	for (uint64_t n = 0; n < 10; n++) {
		write.offset = n * sizeof(bytes);
		loop_start_write(&g_loop, &write);
		assert_true(write.busy);
		assert_int_equal(wait_for(LOOP_WRITTEN), LOOP_WRITTEN);
		assert_false(write.busy);
		assert_int_equal(write.result, sizeof(bytes));
		assert_int_equal(pread(write.fd, back, sizeof(back), (off_t)write.offset), sizeof(back));
		assert_memory_equal(back, bytes, sizeof(bytes));
	}
	close(write.fd);
}

static void a_write_that_fails_says_why(void **state)
{
	struct loop_write write = { .fd = open("/dev/full", O_WRONLY | O_CLOEXEC), .bytes = "x",
				    .length = 1, .offset = UINT64_MAX };

	(void)state;
	assert_true(write.fd >= 0);
	loop_start_write(&g_loop, &write);
	assert_int_equal(wait_for(LOOP_WRITTEN), LOOP_WRITTEN);
	assert_false(write.busy);
	assert_int_equal(write.result, -ENOSPC);
	close(write.fd);
}

static void *empty_soon(void *argument)
{
	char bytes[4096];

	sleep_ns(SOON_NS);
	return read(*(int *)argument, bytes, sizeof(bytes)) > 0 ? argument : NULL;
}

/* What happens while one write is waited for is heard of afterwards. */
static void events_behind_a_write_are_kept(void **state)
{
	static char bytes[4096];
	struct loop_write last = { .bytes = bytes, .length = sizeof(bytes), .offset = UINT64_MAX };
	pthread_t thread;
	void *result;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], bytes, sizeof(bytes)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	last.fd = ends[1];
	loop_start_write(&g_loop, &last);
	loop_wake(&g_loop);
	raise(SIGINT);
	assert_int_equal(pthread_create(&thread, NULL, empty_soon, &ends[0]), 0);
	loop_finish_write(&g_loop, &last);
	assert_false(last.busy);
	assert_int_equal(last.result, sizeof(bytes));
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_non_null(result);
	assert_int_equal(loop_wait(&g_loop, clock_ns() + PATIENCE_NS), LOOP_WOKEN | LOOP_SIGNAL);
	assert_int_equal(loop_wait(&g_loop, clock_ns() + NS_PER_MS), 0);
	close(ends[0]);
	close(ends[1]);
}

/* It was caught before the kernel was told of it: nothing to wait for. */
static void a_write_left_behind_is_not_outlasted(void **state)
{
	static const char byte;
	struct loop_write left = { .fd = -1, .bytes = &byte, .length = 1, .busy = true };
	struct io_uring_sqe *sqe = io_uring_get_sqe(&g_loop.ring);
	uint64_t begin = clock_ns();

	(void)state;
	assert_non_null(sqe);
	io_uring_prep_write(sqe, left.fd, left.bytes, left.length, 0);
	io_uring_sqe_set_data64(sqe, (uintptr_t)&left);
	loop_outlast_write(&g_loop, &left);
	assert_true(clock_ns() - begin < PATIENCE_NS);
	/* Submitted after all, and over. */
	io_uring_submit(&g_loop.ring);
	loop_finish_write(&g_loop, &left);
	assert_int_equal(left.result, -EBADF);
}

/* A ring does its work past every filter: what is not in use does not go. */
static void the_ring_does_nothing_else(void **state)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	uint64_t tag;

	(void)state;
	sqe = io_uring_get_sqe(&g_loop.ring);
	io_uring_prep_openat(sqe, AT_FDCWD, "/dev/null", O_RDONLY, 0);
	io_uring_sqe_set_data64(sqe, 77);
	sqe = io_uring_get_sqe(&g_loop.ring);
	io_uring_prep_nop(sqe);
	io_uring_sqe_set_data64(sqe, 77);
	sqe = io_uring_get_sqe(&g_loop.ring);
	io_uring_prep_read(sqe, g_loop.event_fd, &tag, sizeof(tag), 0);
	io_uring_sqe_set_flags(sqe, IOSQE_IO_DRAIN);
	io_uring_sqe_set_data64(sqe, 77);
	for (int i = 0; i < 3; i++) {
		/* One that fails ends the submission: the next call takes the rest. */
		io_uring_submit(&g_loop.ring);
		assert_int_equal(io_uring_wait_cqe(&g_loop.ring, &cqe), 0);
		assert_int_equal(io_uring_cqe_get_data64(cqe), 77);
		assert_int_equal(cqe->res, -EACCES);
		io_uring_cqe_seen(&g_loop.ring, cqe);
	}
	assert_int_equal(io_uring_register_eventfd(&g_loop.ring, g_loop.event_fd), -EACCES);
	assert_int_equal(loop_wait(&g_loop, clock_ns() + NS_PER_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(time_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_time_that_has_passed_is_not_waited_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_thread_wakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_wakes_are_heard_of, set_up, tear_down),
		cmocka_unit_test(the_first_signal_is_an_event),
		cmocka_unit_test(the_second_signal_kills),
		cmocka_unit_test(the_first_signal_after_the_loop_is_nobodys),
		cmocka_unit_test_setup_teardown(writes_complete, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_write_that_fails_says_why, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_behind_a_write_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_write_left_behind_is_not_outlasted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_ring_does_nothing_else, set_up, tear_down),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
