// SPDX-License-Identifier: MIT
/*
 * loop.c - what main waits for (loop.h).
 *
 * Threads: main; loop_wake() from any.
 * Follows: io_uring(7), eventfd(2), signal-safety(7).
 */
#include "loop.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "cpus.h"
#include "standard.h"

#define RING_ENTRIES 16

/* How long a second signal waits for the kernel to end what it is writing: a thread of its
 * own, which may be a while without a CPU. Killed in the middle, it leaves half a row. */
#define WRITE_PATIENCE_NS (10 * NS_PER_S)

/* What a completion belongs to; anything else is a struct loop_write. */
enum {
	TAG_EVENT = 1,
	TAG_SIGNAL = 2,
};

/* The ring never fills: four requests are in flight at most. */
static struct io_uring_sqe *next_sqe(struct loop *loop)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&loop->ring);

	if (sqe == NULL) {
		io_uring_submit(&loop->ring);
		sqe = io_uring_get_sqe(&loop->ring);
	}
	return sqe;
}

static void arm_event(struct loop *loop)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_read(sqe, loop->event_fd, &loop->event_count, sizeof(loop->event_count), 0);
	io_uring_sqe_set_data64(sqe, TAG_EVENT);
}

static void arm_signal(struct loop *loop)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_read(sqe, loop->signal_fd, &loop->signal_count, sizeof(loop->signal_count), 0);
	io_uring_sqe_set_data64(sqe, TAG_SIGNAL);
}

/* SIGHUP: the terminal has gone. */
static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP };

#define END_SIGNALS (sizeof(end_signals) / sizeof(end_signals[0]))

/* A signal handler gets no context: this is where it writes to, and what else it does. */
static int signal_fd = -1;
static void (*cut_function)(void *context);
static void *cut_context;

static sigset_t end_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < END_SIGNALS; i++)
		sigaddset(&set, end_signals[i]);
	return set;
}

/* Restarting, so that what main is printing is not cut short. One signal at a time. */
static void handle_signals(void (*handler)(int signal))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct sigaction before;

	action.sa_mask = end_set();
	for (size_t i = 0; i < END_SIGNALS; i++)
		if (end_signals[i] != SIGHUP || sigaction(SIGHUP, NULL, &before) != 0 ||
		    before.sa_handler != SIG_IGN)
			sigaction(end_signals[i], &action, NULL);
}

/* Fatal, but what has been written so far stays valid. */
static void on_last_signal(int signal)
{
	struct sigaction fatal = { .sa_handler = SIG_DFL };

	if (cut_function != NULL)
		cut_function(cut_context);
	/* To main, which takes it when this handler returns. raise() would make more system
	 * calls. */
	sigaction(signal, &fatal, NULL);
	(void)syscall(SYS_tgkill, getpid(), getpid(), signal);
}

/* The first signal asks for an orderly end. */
static void on_signal(int signal)
{
	int saved = errno;
	uint64_t one = 1;

	(void)signal;
	standard_hurry();
	handle_signals(on_last_signal);
	(void)!write(signal_fd, &one, sizeof(one));
	errno = saved;
}

void loop_at_kill(void (*cut)(void *context), void *context)
{
	cut_function = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	cut_context = context;
	atomic_signal_fence(memory_order_seq_cst);
	cut_function = cut;
}

void loop_block_signals(void)
{
	sigset_t set = end_set();

	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* No signalfd: every signal of the process wakes whoever waits on one, and the
 * vCPU threads get one a slice. */
static int open_sources(struct loop *loop, struct why *why)
{
	loop->event_fd = eventfd(0, EFD_CLOEXEC);
	loop->signal_fd = eventfd(0, EFD_CLOEXEC);
	if (loop->event_fd < 0 || loop->signal_fd < 0)
		return why_set(why, EXIT_HOST, errno, "eventfd: %s", strerror(errno));
	signal_fd = loop->signal_fd;
	handle_signals(on_signal);
	return 0;
}

/* What the ring does goes past every seccomp filter: no other operation than those in
 * use, no flag, no registration. */
static int restrict_ring(struct io_uring *ring)
{
	struct io_uring_restriction allowed[] = {
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READ },
		{ .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITE },
	};
	/* By number: liburing 2.3 declares functions for both, and exports neither. */
	unsigned fd = (unsigned)ring->ring_fd;
	int error = io_uring_register(fd, IORING_REGISTER_RESTRICTIONS, allowed,
				      sizeof(allowed) / sizeof(allowed[0]));

	return error < 0 ? error : io_uring_register(fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

/* The workers that the kernel starts for the ring stay where this process may run; otherwise
 * they may run on every CPU. Kernels before 5.14 know no such request. */
static void keep_workers_here(const struct io_uring *ring)
{
	struct cpus own;
	struct why ignored = { 0 };

	if (cpus_choose(NULL, &own, &ignored) == 0)
		(void)io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_IOWQ_AFF, &own,
					sizeof(own));
}

/* *call is the one that failed. */
static int create_ring(struct loop *loop, const char **call)
{
	int error = io_uring_queue_init(RING_ENTRIES, &loop->ring, IORING_SETUP_R_DISABLED);

	*call = "io_uring_setup";
	if (error < 0)
		return error;
	*call = "io_uring_register";
	keep_workers_here(&loop->ring);
	error = restrict_ring(&loop->ring);
	/* A wait with a time-out: Linux 5.11. */
	if (error == 0 && !(loop->ring.features & IORING_FEAT_EXT_ARG))
		error = -EINVAL;
	if (error < 0)
		io_uring_queue_exit(&loop->ring);
	return error;
}

/* The first number of @path, -1 where there is none. */
static int read_number(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	char line[256];
	int number = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, format, &number) == 1)
			break;
	if (file != NULL)
		fclose(file);
	return number;
}

/* What refuses a call of io_uring; "" where errno says enough. */
static const char *refuser(int error)
{
	bool filtered = read_number("/proc/self/status", "Seccomp: %d") > 0;

	if ((error == EPERM || error == EACCES) &&
	    read_number("/proc/sys/kernel/io_uring_disabled", "%d") > 0)
		return " (kernel.io_uring_disabled is not 0)";
	if ((error == EPERM || error == EACCES || error == ENOSYS) && filtered)
		return " (by the seccomp filter that this process was started under, a container's?)";
	if (error == ENOSYS)
		return " (this kernel has no io_uring)";
	if (error == EINVAL)
		return " (Linux 5.11 or later has what is needed)";
	/* Before Linux 5.12. */
	return error == ENOMEM ? " (RLIMIT_MEMLOCK, or memory)" : "";
}

static int refuse(const char *call, int error, struct why *why)
{
	return why_set(why, EXIT_HOST, error, "%s: %s%s", call, strerror(error), refuser(error));
}

int loop_create(struct loop *loop, struct why *why)
{
	const char *call;
	int error;

	*loop = (struct loop){ .event_fd = -1, .signal_fd = -1 };
	error = create_ring(loop, &call);
	if (error < 0)
		return refuse(call, -error, why);
	error = open_sources(loop, why);
	if (error == 0) {
		arm_event(loop);
		arm_signal(loop);
		/* A process that may not submit would never hear of anything. */
		error = io_uring_submit(&loop->ring);
		error = error < 0 ? refuse("io_uring_enter", -error, why) : 0;
	}
	if (error != 0)
		loop_destroy(loop);
	return error;
}

/* A first signal that comes now finds everything written, and kills nobody: the process ends
 * with the status that it has earned. */
void loop_destroy(struct loop *loop)
{
	signal_fd = -1;
	loop_at_kill(NULL, NULL);
	io_uring_queue_exit(&loop->ring);
	if (loop->event_fd >= 0)
		close(loop->event_fd);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
}

void loop_wake(struct loop *loop)
{
	uint64_t one = 1;

	while (write(loop->event_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static int handle(struct loop *loop, uint64_t tag, int result)
{
	struct loop_write *write;

	switch (tag) {
	case TAG_EVENT:
		arm_event(loop);
		return LOOP_WOKEN;
	case TAG_SIGNAL:
		arm_signal(loop);
		return LOOP_SIGNAL;
	default:
		write = (struct loop_write *)(uintptr_t)tag;
		write->result = result;
		atomic_signal_fence(memory_order_seq_cst);
		write->busy = false;
		return LOOP_WRITTEN;
	}
}

static int wait_events(struct loop *loop, uint64_t until_ns)
{
	uint64_t now = clock_ns(), left = until_ns > now ? until_ns - now : 0;
	struct __kernel_timespec timeout = {
		.tv_sec = (long long)(left / NS_PER_S),
		.tv_nsec = (long long)(left % NS_PER_S),
	};
	struct io_uring_cqe *cqe;
	int events = 0;

	if (io_uring_submit_and_wait_timeout(&loop->ring, &cqe, 1, &timeout, NULL) < 0)
		return 0;
	while (io_uring_peek_cqe(&loop->ring, &cqe) == 0) {
		uint64_t tag = io_uring_cqe_get_data64(cqe);
		int result = cqe->res;

		/* In this order: loop_outlast_write() finds it here, or not busy. */
		events |= handle(loop, tag, result);
		atomic_signal_fence(memory_order_seq_cst);
		io_uring_cqe_seen(&loop->ring, cqe);
	}
	io_uring_submit(&loop->ring);
	return events;
}

int loop_wait(struct loop *loop, uint64_t until_ns)
{
	int kept = loop->kept;

	loop->kept = 0;
	return kept | wait_events(loop, kept != 0 ? 0 : until_ns);
}

void loop_start_write(struct loop *loop, struct loop_write *write)
{
	struct io_uring_sqe *sqe = next_sqe(loop);

	io_uring_prep_write(sqe, write->fd, write->bytes, write->length, write->offset);
	io_uring_sqe_set_data64(sqe, (uintptr_t)write);
	/* In this order: loop_outlast_write() finds it not submitted yet, or under way. */
	atomic_signal_fence(memory_order_seq_cst);
	write->busy = true;
	atomic_signal_fence(memory_order_seq_cst);
	io_uring_submit(&loop->ring);
}

void loop_finish_write(struct loop *loop, const struct loop_write *write)
{
	while (write->busy)
		loop->kept |= wait_events(loop, UINT64_MAX / 2) & ~LOOP_WRITTEN;
}

static bool has_completed(const struct loop *loop, const struct loop_write *write)
{
	const struct io_uring_cq *cq = &loop->ring.cq;
	unsigned tail = io_uring_smp_load_acquire(cq->ktail);

	for (unsigned head = *cq->khead; head != tail; head++)
		if (cq->cqes[head & cq->ring_mask].user_data == (uintptr_t)write)
			return true;
	return false;
}

/* The kernel has not taken it, and nobody will submit it any more. */
static bool is_left_behind(const struct loop *loop, const struct loop_write *write)
{
	const struct io_uring_sq *sq = &loop->ring.sq;

	for (unsigned head = io_uring_smp_load_acquire(sq->khead); head != sq->sqe_tail; head++)
		if (sq->sqes[head & sq->ring_mask].user_data == (uintptr_t)write)
			return true;
	return false;
}

void loop_outlast_write(const struct loop *loop, const struct loop_write *write)
{
	uint64_t until = clock_ns() + WRITE_PATIENCE_NS;

	while (write->busy && !is_left_behind(loop, write) && !has_completed(loop, write) &&
	       clock_ns() < until)
		sched_yield();
}

bool loop_await_reader(struct loop *loop, uint64_t taken_ns)
{
	loop->kept |= wait_events(loop, clock_ns() + NS_PER_MS);
	return standard_awaits_reader(taken_ns);
}
