// SPDX-License-Identifier: MIT
/*
 * forbidden_call.c - preloaded into vmm: the library function that $FORBIDDEN_IN names
 * makes a forbidden system call when it is called for the $FORBIDDEN_AT-th time. Only
 * vCPU threads call the one, only main the other.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void count(const char *function, atomic_long *calls)
{
	const char *in = getenv("FORBIDDEN_IN"), *at = getenv("FORBIDDEN_AT");

	if (in != NULL && at != NULL && strcmp(in, function) == 0 &&
	    atomic_fetch_add(calls, 1) + 1 == atol(at))
		syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
}

static void *next(const char *function)
{
	void *found = dlsym(RTLD_NEXT, function);

	if (found == NULL)
		abort();
	return found;
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *when, struct itimerspec *old)
{
	int (*real)(timer_t, int, const struct itimerspec *, struct itimerspec *) =
		next("timer_settime");
	static atomic_long calls;

	count("timer_settime", &calls);
	return real(timer, flags, when, old);
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
				     unsigned wanted, struct __kernel_timespec *timeout,
				     sigset_t *mask)
{
	int (*real)(struct io_uring *, struct io_uring_cqe **, unsigned,
		    struct __kernel_timespec *, sigset_t *) =
		next("io_uring_submit_and_wait_timeout");
	static atomic_long calls;

	count("io_uring_submit_and_wait_timeout", &calls);
	return real(ring, cqe, wanted, timeout, mask);
}
