// SPDX-License-Identifier: MIT
/*
 * forbidden_calls_are_named_test.c - a call that is not in a thread's table ends the
 * process with one line that names the call and the kind of thread, or with --confine
 * log is named once and made. Each case is a child process: a filter never comes off.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "filter.h"
#include "unit_test.h"

#define OWN_VCPU 123            /* descriptor of the vCPU that is the thread's own */
#define DONE 42                 /* status of a child in which nothing was refused */

/* What a thread of the child does once it is confined. */
typedef void (*act_fn)(void);

struct child {
	enum confine_mode mode;
	enum confine_kind kind;
	act_fn act;
	bool joins;             /* main waits for the thread, and not for its wake */
	int wake_fd;
};

/* How it ended. */
struct ended {
	int status;             /* of exit(); -1 killed */
	char said[1024];
};

static void finish(void *context)
{
	(void)context;
	(void)!write(STDERR_FILENO, "finished\n", 9);
}

static void *run_confined(void *argument)
{
	const struct child *child = argument;
	struct why why = { 0 };

	if ((child->kind == CONFINE_VCPU ? confine_enter_vcpu(OWN_VCPU, &why)
					 : confine_enter(child->kind, &why)) != 0)
		_exit(99);
	child->act();
	_exit(DONE);
}

/* The child's id: not every kind of thread may ask for it; its guest's memory. */
static pid_t self;
static int memory_fd;

/* As run.c does: main waits, and ends the process. */
static _Noreturn void be_main(struct child *child)
{
	pthread_t thread;
	struct why why = { 0 };
	uint64_t count;

	if (child->kind == CONFINE_MAIN)
		run_confined(child);
	if (pthread_create(&thread, NULL, run_confined, child) != 0)
		_exit(99);
	if (child->joins)
		pthread_join(thread, NULL);
	if (read(child->wake_fd, &count, sizeof(count)) != sizeof(count) ||
	    confine_failure(&why) == 0)
		_exit(98);
	fprintf(stderr, "main: %s\n", why.text);
	_exit((int)why.status);
}

static _Noreturn void be_child(struct child *child)
{
	struct confine_end end = { .wake_fd = eventfd(0, 0), .finish = finish };
	struct why why = { 0 };

	child->wake_fd = end.wake_fd;
	self = getpid();
	memory_fd = memfd_create("memory", 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ftruncate(memory_fd, 4096) != 0 ||
	    confine_prepare(child->mode, &end, &why) != 0 ||
	    confine_know_memory(memory_fd, &why) != 0)
		_exit(99);
	be_main(child);
}

static struct ended run_child(struct child child)
{
	struct ended ended = { .status = -1 };
	size_t length = 0;
	ssize_t got;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		be_child(&child);
	}
	close(ends[1]);
	while ((got = read(ends[0], ended.said + length, sizeof(ended.said) - 1 - length)) > 0)
		length += (size_t)got;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		ended.status = WEXITSTATUS(status);
	return ended;
}

static const char *thread_of(enum confine_kind kind)
{
	return g_confine_tables[kind].thread;
}

/* --- what is done ------------------------------------------------------------ */

static void do_openat(void)
{
	syscall(SYS_openat, 1, 2, 3, 4);
}

static void do_unknown(void)
{
	syscall(511, 1, 2, 3, 4);
}

static void do_beyond(void)
{
	syscall(5000, 1, 2, 3, 4);
}

static void do_x32(void)
{
	syscall(0x40000000 | SYS_getpid, 1, 2, 3, 4);
}

static void do_other_ioctl(void)
{
	syscall(SYS_ioctl, 0, TIOCSTI, 3, 4);
}

static void do_code(void)
{
	syscall(SYS_mmap, NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_file_mapping(void)
{
	syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 0);
}

/* Eight bytes: a wake, but for its descriptor. */
static void do_write_elsewhere(void)
{
	syscall(SYS_write, 0, 2, 8, 4);
}

static void do_map_another(void)
{
	syscall(SYS_mmap, NULL, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, 0, 0);
}

static void do_set_another(void)
{
	syscall(SYS_ioctl, OWN_VCPU + 1, KVM_SET_SREGS, 3, 4);
}

/* None of these is open. */
static void do_use_own(void)
{
	static const unsigned long requests[] = {
		KVM_RUN, KVM_GET_SREGS, KVM_SET_SREGS, KVM_SET_LAPIC, KVM_GET_REGS, KVM_GET_LAPIC,
	};

	for (size_t i = 0; i < COUNT_OF(requests); i++)
		if (ioctl(OWN_VCPU, requests[i], NULL) != -1 || errno != EBADF)
			_exit(90);
	/* Callers leave anything above a descriptor, and the kernel does not look at it. */
	if (syscall(SYS_ioctl, UINT64_C(1) << 32 | OWN_VCPU, KVM_RUN, NULL) != -1 || errno != EBADF)
		_exit(88);
	if (ioctl(OWN_VCPU + 1, KVM_GET_LAPIC, NULL) != -1 || errno != EBADF)
		_exit(89);
}

static void do_map_memory(void)
{
	static char page[4096] __attribute__((aligned(4096)));

	if (mmap(page, sizeof(page), PROT_READ, MAP_SHARED | MAP_FIXED, memory_fd, 0) != page)
		_exit(91);
}

static void do_signal_to_others(void)
{
	syscall(SYS_tgkill, 1, 1, SIGUSR1, 4);
}

static void do_other_signal(void)
{
	syscall(SYS_tgkill, self, 1, SIGKILL, 4);
}

static void do_sigsys_handler(void)
{
	syscall(SYS_rt_sigaction, SIGSYS, 2, 3, 4);
}

static void do_nothing_forbidden(void)
{
	uint64_t one = 1;
	int fd = eventfd(0, 0);         /* forbidden; made with --confine off */

	(void)!write(fd, &one, sizeof(one));
}

static void do_kill_sigsys(void)
{
	raise(SIGSYS);
}

/* ---------------------------------------------------------------------------- */

static size_t lines_with(const char *said, const char *words)
{
	size_t lines = 0;

	for (const char *found = said; (found = strstr(found, words)) != NULL; found++)
		lines++;
	return lines;
}

/* @words: "openat(0x1, ". Of main: after all that was being written is. */
static void dies_of(enum confine_kind kind, act_fn act, const char *words)
{
	struct ended ended = run_child((struct child){ .mode = CONFINE_ON, .kind = kind, .act = act });
	char wanted[256];

	snprintf(wanted, sizeof(wanted), "%s%s: forbidden system call %s",
		 kind == CONFINE_MAIN ? "finished\nvmm: " : "main: ", thread_of(kind), words);
	print_message("%s", ended.said);
	assert_int_equal(ended.status, EXIT_GUEST);
	assert_memory_equal(ended.said, wanted, strlen(wanted));
	assert_string_equal(ended.said + strlen(ended.said) - strlen("; see --confine\n"),
			    "; see --confine\n");
}

/* Its runtime makes calls of its own, in the handler too. */
static void skip_if_instrumented(void)
{
	if (strcmp(CONFINE_DEFAULT_NAME, "on") != 0)
		skip();
}

static void every_kind_dies_of_a_forbidden_call(void **state)
{
	(void)state;
	skip_if_instrumented();
	for (enum confine_kind kind = 0; kind < CONFINE_KINDS; kind++) {
		dies_of(kind, do_openat, "openat(0x1, 0x2, 0x3, 0x4)");
		dies_of(kind, do_unknown, "511(0x1, 0x2, 0x3, 0x4)");
		dies_of(kind, do_beyond, "5000(0x1, 0x2, 0x3, 0x4)");
		dies_of(kind, do_x32, "1073741863(0x1, 0x2, 0x3, 0x4)");
		dies_of(kind, do_other_ioctl, "ioctl(0x0, 0x5412, 0x3, 0x4)");
		dies_of(kind, do_code, "mmap(0x0, 0x1000, 0x4, 0x22)");
		dies_of(kind, do_file_mapping, "mmap(0x0, 0x1000, 0x1, 0x2)");
		dies_of(kind, do_signal_to_others, "tgkill(0x1, 0x1, 0xa, 0x4)");
		dies_of(kind, do_other_signal, "tgkill(");
		dies_of(kind, do_sigsys_handler, "rt_sigaction(0x1f, 0x2, 0x3, 0x4)");
	}
}

static void only_main_writes_what_it_likes(void **state)
{
	(void)state;
	skip_if_instrumented();
	for (enum confine_kind kind = 0; kind < CONFINE_KINDS; kind++)
		if (kind != CONFINE_MAIN)
			dies_of(kind, do_write_elsewhere, "write(0x0, 0x2, 0x8, 0x4)");
}

static void the_mover_maps_the_guest_s_memory_alone(void **state)
{
	struct ended ended = run_child((struct child){
		.mode = CONFINE_ON, .kind = CONFINE_MOVER, .act = do_map_memory });

	(void)state;
	skip_if_instrumented();
	assert_int_equal(ended.status, DONE);
	assert_string_equal(ended.said, "");
	dies_of(CONFINE_MOVER, do_map_another, "mmap(0x0, 0x1000, 0x1, 0x11)");
}

static void a_vcpu_changes_itself_alone(void **state)
{
	const enum confine_mode modes[] = { CONFINE_ON, CONFINE_LOG };

	(void)state;
	skip_if_instrumented();
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		struct ended ended = run_child((struct child){
			.mode = modes[i], .kind = CONFINE_VCPU, .act = do_use_own });

		assert_int_equal(ended.status, DONE);
		assert_string_equal(ended.said, "");
	}
	dies_of(CONFINE_VCPU, do_set_another, "ioctl(0x7c, 0x4138ae84, 0x3, 0x4)");
}

/* Main may be waiting for just this thread: takes as long as a stopped thread waits. */
static void main_need_not_hear_of_it(void **state)
{
	struct ended ended;

	(void)state;
	skip_if_instrumented();
	ended = run_child((struct child){
		.mode = CONFINE_ON, .kind = CONFINE_VCPU, .act = do_openat, .joins = true });
	assert_int_equal(ended.status, EXIT_GUEST);
	assert_string_equal(ended.said, "vmm: vCPU thread: forbidden system call "
			    "openat(0x1, 0x2, 0x3, 0x4); see --confine\n");
}

static void off_refuses_nothing(void **state)
{
	(void)state;
	for (enum confine_kind kind = 0; kind < CONFINE_KINDS; kind++) {
		struct ended ended = run_child((struct child){
			.mode = CONFINE_OFF, .kind = kind, .act = do_nothing_forbidden });

		assert_int_equal(ended.status, DONE);
		assert_string_equal(ended.said, "");
	}
}

static void sigsys_of_others_is_nothing(void **state)
{
	struct ended ended = run_child((struct child){
		.mode = CONFINE_LOG, .kind = CONFINE_VCPU, .act = do_kill_sigsys });

	(void)state;
	assert_int_equal(ended.status, DONE);
	/* Sent by the thread itself, which is forbidden; that it came is not. */
	assert_int_equal(lines_with(ended.said, "tgkill("), 1);
}

/* --- --confine log ------------------------------------------------------------ */

/* All six arguments, the result and an error have to come through. */
static void use_forbidden_calls(void)
{
	const char text[] = "through";
	char back[sizeof(text)] = "";
	char *page = NULL;
	int ends[2], file = memfd_create("mapped", 0);

	if (pipe(ends) != 0 || write(ends[1], text, sizeof(text)) != (ssize_t)sizeof(text) ||
	    read(ends[0], back, sizeof(back)) != (ssize_t)sizeof(back) || strcmp(text, back) != 0)
		_exit(97);
	if (ftruncate(file, 8192) != 0 || pwrite(file, text, sizeof(text), 4096) < 0)
		_exit(96);
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 4096);
	if (page == MAP_FAILED || strcmp(page, text) != 0)
		_exit(95);
	if (open("/not/there", O_RDONLY) != -1 || errno != ENOENT)
		_exit(94);
	if (open("/not/there", O_RDONLY) != -1 || errno != ENOENT)
		_exit(93);
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		_exit(92);
}

static void log_names_a_call_once_and_makes_it(void **state)
{
	(void)state;
	for (enum confine_kind kind = 0; kind < CONFINE_KINDS; kind++) {
		struct ended ended = run_child((struct child){
			.mode = CONFINE_LOG, .kind = kind, .act = use_forbidden_calls });
		char start[64];

		print_message("%s", ended.said);
		assert_int_equal(ended.status, DONE);
		snprintf(start, sizeof(start), "vmm: %s: forbidden system call ", thread_of(kind));
		assert_int_equal(lines_with(ended.said, "\n"), lines_with(ended.said, start));
		assert_int_equal(lines_with(ended.said, "openat("), 1);
		assert_int_equal(lines_with(ended.said, "memfd_create("), 1);
		assert_int_equal(lines_with(ended.said, "mmap("), 1);
		assert_int_equal(lines_with(ended.said, "clone3(0x0, 0x0, "), 1);
		assert_int_equal(lines_with(ended.said, ", fails\n"), 1);
		assert_int_equal(lines_with(ended.said, ", let through\n") + 1,
				 lines_with(ended.said, "\n"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_dies_of_a_forbidden_call),
		cmocka_unit_test(only_main_writes_what_it_likes),
		cmocka_unit_test(the_mover_maps_the_guest_s_memory_alone),
		cmocka_unit_test(a_vcpu_changes_itself_alone),
		cmocka_unit_test(main_need_not_hear_of_it),
		cmocka_unit_test(off_refuses_nothing),
		cmocka_unit_test(sigsys_of_others_is_nothing),
		cmocka_unit_test(log_names_a_call_once_and_makes_it),
	};

	return !!cmocka_run_group_tests(tests, NULL, NULL);
}
