// SPDX-License-Identifier: MIT
/*
 * relay_knows_how_a_machine_ends_test.c - by the command's status, by a reason not to run it,
 * by silence, by the end of the line, or by a user who has had enough; and each is told
 * apart by whether the command had begun.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay.h"
#include "unit_test.h"

static const struct emulator_ops g_ops = {
	.name = "a machine", .boot_silence_s = 2, .silence_s = 1,
};

static struct emulator g_machine;
static int g_agent, g_signals, g_echo[2];

static int line_make(void **state)
{
	sigset_t signals;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	g_machine.line = g_machine.orders = ends[0];
	g_agent = ends[1];
	relay_signals(&signals);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	g_signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return 0;
}

static int line_close(void **state)
{
	(void)state;
	close(g_machine.line);
	close(g_agent);
	close(g_signals);
	return 0;
}

static void say(enum frame_kind kind, const char *words)
{
	assert_int_equal(frame_write(g_agent, kind, words, strlen(words)), 0);
}

static void say_number(enum frame_kind kind, uint32_t number)
{
	assert_int_equal(frame_write(g_agent, kind, &number, sizeof(number)), 0);
}

static struct relay_result relayed(void)
{
	static struct relay_result result;

	relay_run(&g_machine, &g_ops, g_signals, &result);
	return result;
}

static void by_the_status_of_its_command(void **state)
{
	(void)state;
	say(FRAME_BEGUN, "");
	say(FRAME_ALIVE, "");
	say_number(FRAME_STATUS, 7 << 8);
	struct relay_result result = relayed();
	assert_int_equal(result.end, RELAY_STATUS);
	assert_int_equal(result.status, 7 << 8);
	assert_true(result.begun);
	assert_int_equal(result.files_error, 0);
}

static void by_a_reason_not_to_run_it(void **state)
{
	(void)state;
	say(FRAME_CANNOT, "no KVM in it");
	struct relay_result result = relayed();
	assert_int_equal(result.end, RELAY_CANNOT);
	assert_string_equal(result.words, "no KVM in it");
	assert_false(result.begun);
}

static void by_the_end_of_its_line(void **state)
{
	(void)state;
	say(FRAME_BEGUN, "");
	shutdown(g_agent, SHUT_RDWR);
	struct relay_result result = relayed();
	assert_int_equal(result.end, RELAY_GONE);
	assert_true(result.begun);
}

static void by_bytes_that_are_no_frame(void **state)
{
	(void)state;
	assert_int_equal(write(g_agent, "Kernel panic", 12), 12);
	assert_int_equal(relayed().end, RELAY_GONE);
}

static void by_silence(void **state)
{
	(void)state;
	struct relay_result result = relayed();
	assert_int_equal(result.end, RELAY_SILENT);
	assert_int_equal(result.status, g_ops.boot_silence_s);
	assert_false(result.begun);
	say(FRAME_BEGUN, "");
	result = relayed();
	assert_int_equal(result.end, RELAY_SILENT);
	assert_int_equal(result.status, g_ops.silence_s);
	assert_true(result.begun);
}

/* A signal before the command has begun ends the machine: nothing is lost by it. */
static void by_one_signal_before_it_begins(void **state)
{
	(void)state;
	raise(SIGTERM);
	struct relay_result result = relayed();
	assert_int_equal(result.end, RELAY_SIGNALLED);
	assert_int_equal(result.status, SIGTERM);
}

/* The agent that this thread is answers the signal as a command would: by its status. */
static void *answer(void *ends_after)
{
	struct frame_reader reader = { 0 };
	struct frame frame;
	int passed_on = 0;

	say(FRAME_BEGUN, "");
	/* Its echo shows that FRAME_BEGUN was read. */
	say(FRAME_STDOUT, "begun");
	while (passed_on < *(int *)ends_after) {
		char begun[8];

		if (passed_on == 0)
			assert_int_equal(read(g_echo[0], begun, sizeof(begun)), 5);
		kill(getpid(), SIGINT);
		if (frame_read(g_agent, &reader) <= 0)
			return NULL;
		while (frame_next(&reader, &frame) > 0)
			passed_on += frame.kind == FRAME_SIGNAL && frame_number(&frame) == SIGINT;
	}
	say_number(FRAME_STATUS, 0);
	return NULL;
}

static struct relay_result relayed_with_answers(int signals)
{
	int out = dup(STDOUT_FILENO);
	pthread_t agent;

	assert_int_equal(pipe(g_echo), 0);
	dup2(g_echo[1], STDOUT_FILENO);
	assert_int_equal(pthread_create(&agent, NULL, answer, &signals), 0);
	struct relay_result result = relayed();
	/* Where the relay has ended first, the agent reads the end of its line. */
	shutdown(g_machine.line, SHUT_RDWR);
	pthread_join(agent, NULL);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(g_echo[0]);
	close(g_echo[1]);
	return result;
}

static void the_first_signal_is_passed_on(void **state)
{
	(void)state;
	struct relay_result result = relayed_with_answers(1);
	assert_int_equal(result.end, RELAY_STATUS);
	assert_int_equal(result.status, 0);
}

static void the_second_one_ends_the_machine(void **state)
{
	(void)state;
	struct relay_result result = relayed_with_answers(2);
	assert_int_equal(result.end, RELAY_SIGNALLED);
	assert_int_equal(result.status, SIGINT);
	assert_true(result.begun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define ON_A_LINE(test) cmocka_unit_test_setup_teardown(test, line_make, line_close)
		ON_A_LINE(by_the_status_of_its_command),
		ON_A_LINE(by_a_reason_not_to_run_it),
		ON_A_LINE(by_the_end_of_its_line),
		ON_A_LINE(by_bytes_that_are_no_frame),
		ON_A_LINE(by_silence),
		ON_A_LINE(by_one_signal_before_it_begins),
		ON_A_LINE(the_first_signal_is_passed_on),
		ON_A_LINE(the_second_one_ends_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
