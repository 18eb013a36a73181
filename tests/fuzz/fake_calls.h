/* SPDX-License-Identifier: MIT */
/*
 * fake_calls.h - what the session's files call the host by, turned to fake_host.c.
 *
 * Put before every file of the target by the compiler (-include), so that those under
 * test are compiled as they are.
 */
#ifndef FAKE_CALLS_H
#define FAKE_CALLS_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* As their originals, on the vCPU thread that runs. */
int fake_clock_gettime(clockid_t clock, struct timespec *now);
int fake_sched_yield(void);
long fake_syscall(long number, ...);
int fake_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit);
int fake_sigaction(int signal, const struct sigaction *action, struct sigaction *old);
int fake_pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int fake_pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *cpus);
int fake_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param);
int fake_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer);
int fake_timer_settime(timer_t timer, int flags, const struct itimerspec *when,
		       struct itimerspec *old);
int fake_timer_delete(timer_t timer);
void *fake_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int fake_munmap(void *at, size_t bytes);
int fake_close(int fd);
int fake_getrusage(int who, struct rusage *usage);

#define clock_gettime(...)         fake_clock_gettime(__VA_ARGS__)
#define sched_yield(...)           fake_sched_yield(__VA_ARGS__)
#define syscall(...)               fake_syscall(__VA_ARGS__)
#define sigtimedwait(...)          fake_sigtimedwait(__VA_ARGS__)
#define sigaction(...)             fake_sigaction(__VA_ARGS__)
#define pthread_sigmask(...)       fake_pthread_sigmask(__VA_ARGS__)
#define pthread_setaffinity_np(...) fake_pthread_setaffinity_np(__VA_ARGS__)
#define pthread_setschedparam(...) fake_pthread_setschedparam(__VA_ARGS__)
#define timer_create(...)          fake_timer_create(__VA_ARGS__)
#define timer_settime(...)         fake_timer_settime(__VA_ARGS__)
#define timer_delete(...)          fake_timer_delete(__VA_ARGS__)
#define mmap(...)                  fake_mmap(__VA_ARGS__)
#define munmap(...)                fake_munmap(__VA_ARGS__)
#define close(...)                 fake_close(__VA_ARGS__)
#define getrusage(...)             fake_getrusage(__VA_ARGS__)

#endif
