// SPDX-License-Identifier: MIT
/*
 * tables.c - what each kind of thread may ask of the kernel once it is set up, and
 * what for.
 *
 * A row is one call, or one call with arguments of these values. Every table has what
 * the SIGSYS handler itself needs (confine.c). Requests of ioctl() are those the thread
 * issues while it runs, not those that set it up.
 *
 * Threads: any; nothing here changes.
 * Tested:  tests/unit/confine_tables_are_tight_test.c,
 *          tests/kvm/confined_runs_end_well_test.py
 */
#include "filter.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "vcpu_signals.h"

/* Ids that pthread_getcpuclockid() returns: negative, CPUCLOCK_PERTHREAD_MASK |
 * CPUCLOCK_SCHED in the low bits (include/linux/posix-timers.h). */
#define THREAD_CLOCK_MASK UINT32_C(0x80000007)
#define THREAD_CLOCK      UINT32_C(0x80000006)

#define CALL(name, reason) \
	{ .call = SCMP_SYS(name), .why = reason }
/* Argument @n, from 0, is @value. */
#define WITH(name, n, value, reason) \
	{ .call = SCMP_SYS(name), .compared = 1, .compare = { EQUALS(n, value) }, .why = reason }
/* Its bits of @mask are @value. */
#define WITH_BITS(name, n, mask, value, reason) \
	{ .call = SCMP_SYS(name), .compared = 1, .compare = { BITS(n, mask, value) }, \
	  .why = reason }
#define WITH_BOTH(name, first, second, reason) \
	{ .call = SCMP_SYS(name), .compared = 2, .compare = { first, second }, .why = reason }
/* Argument @n is the descriptor @which. */
#define TO_FD(name, n, which, first, reason) \
	{ .call = SCMP_SYS(name), .fd = which, .fd_argument = n, .compared = 1, \
	  .compare = { first }, .why = reason }
/* A request to the vCPU of this thread. */
#define OWN_VCPU(request, reason) \
	TO_FD(ioctl, 0, CONFINE_VCPU_FD, EQUALS(1, request), reason)
/* A signal to a thread of this process. */
#define SIGNAL(number, reason) \
	{ .call = SCMP_SYS(tgkill), .to_self = true, .compared = 1, \
	  .compare = { EQUALS(2, number) }, .why = reason }

#define EQUALS(n, value) \
	{ .arg = n, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)(value) }
#define BITS(n, mask, value) \
	{ .arg = n, .op = SCMP_CMP_MASKED_EQ, .datum_a = (scmp_datum_t)(mask), \
	  .datum_b = (scmp_datum_t)(value) }

#define TABLE(name, array) \
	{ .thread = name, .rows = array, .count = sizeof(array) / sizeof((array)[0]) }

/* What every thread but main has. */
#define OTHER_THREAD_ROWS \
	CALL(rt_sigreturn,    "end of a signal handler"), \
	CALL(restart_syscall, "a timed wait goes on after SIGCONT"), \
	TO_FD(write, 0, CONFINE_WAKE_FD, EQUALS(2, sizeof(uint64_t)), "wake main: an eventfd"), \
	WITH(write, 0, STDERR_FILENO,    "name a forbidden call"), \
	WITH(madvise, 2, MADV_DONTNEED,  "glibc: a thread that ends gives its stack back"), \
	CALL(rt_sigprocmask, "glibc: a thread that ends takes no more signals"), \
	CALL(exit,           "end of the thread"), \
	CALL(exit_group,     "after a forbidden call")

/* All but liburcu's own thread, which polls anyhow. */
#define ROOM_ROW \
	WITH(poll, 1, 1, "has stderr room for its name?")

/* The secondary MMU: memory for its tables, and how they are held back. */
#define SHADOW_ROWS \
	CALL(brk, "tables of the secondary MMU: one arena for all, session_create()"), \
	WITH(futex, 1, FUTEX_WAKE, "liburcu: one who waits for a grace period, or frees"), \
	WITH(futex, 1, FUTEX_WAIT, "liburcu: the end of a grace period"), \
	WITH(membarrier, 0, MEMBARRIER_CMD_PRIVATE_EXPEDITED, "liburcu: fences of all readers")

/* Runs the guest: presumed hostile from its first instruction on. */
static const struct confine_row g_vcpu[] = {
	OWN_VCPU(KVM_RUN,       "the guest itself"),
	OWN_VCPU(KVM_GET_SREGS, "flush on entry by CR4.PGE"),
	OWN_VCPU(KVM_SET_SREGS, "flush on entry by CR4.PGE"),
	OWN_VCPU(KVM_SET_LAPIC, "--clear-pending: take the IPI back"),
	OWN_VCPU(KVM_GET_REGS,  "rip, for the message about a guest that failed"),
	/* Of any vCPU: the one that passes the slot on looks for the others that share it. */
	WITH(ioctl, 1, KVM_GET_LAPIC, "has a sleeper an interrupt? is a transferred IPI pending?"),

	WITH(futex, 1, FUTEX_WAIT_BITSET_PRIVATE, "wait for the slot"),
	WITH(futex, 1, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, "--litmus: held at a step"),
	WITH(futex, 1, FUTEX_WAKE_PRIVATE,        "hand the slot over; unlock"),
	WITH(futex, 1, FUTEX_WAIT_PRIVATE,        "lock"),
	CALL(timer_settime, "the end of the slice"),
	CALL(sched_yield,   "wait until a vCPU has left the guest"),
	SIGNAL(VCPU_KICK_SIGNAL,      "take another vCPU out of KVM_RUN"),
	SIGNAL(VCPU_SETTLE_SIGNAL, "leave KVM_RUN once KVM has made its own mark"),
	CALL(getpid,          "for both of these"),
	CALL(rt_sigtimedwait, "take the second of these back"),
	WITH(clock_gettime, 0, CLOCK_MONOTONIC,         "where the vDSO cannot tell the time"),
	WITH(clock_gettime, 0, CLOCK_THREAD_CPUTIME_ID, "CPU time at the end of a job"),
	WITH(getrusage, 0, RUSAGE_THREAD,               "involuntary switches, the same"),

	SHADOW_ROWS,
	OTHER_THREAD_ROWS,
	ROOM_ROW,
};

/* The mover: it moves pages that the guest and the VMM read. */
static const struct confine_row g_mover[] = {
	{ .call = SCMP_SYS(mmap), .fd = CONFINE_MEMORY_FD, .fd_argument = 4, .compared = 2,
	  .compare = { BITS(2, PROT_EXEC, 0),
		       BITS(3, MAP_SHARED | MAP_FIXED, MAP_SHARED | MAP_FIXED) },
	  .why = "another frame of the guest's memfd for the page" },
	WITH(futex, 1, FUTEX_WAIT_BITSET_PRIVATE, "the time of the next move"),
	WITH(futex, 1, FUTEX_WAKE_PRIVATE,        "unlock"),
	WITH(futex, 1, FUTEX_WAIT_PRIVATE,        "lock"),
	CALL(sched_yield, "wait for those who read"),
	WITH(clock_gettime, 0, CLOCK_MONOTONIC,   "where the vDSO cannot tell the time"),
	SHADOW_ROWS,
	OTHER_THREAD_ROWS,
	ROOM_ROW,
};

/* liburcu's. */
static const struct confine_row g_reclaim[] = {
	WITH(futex, 1, FUTEX_WAKE_PRIVATE, "unlock"),
	WITH(futex, 1, FUTEX_WAIT_PRIVATE, "lock"),
	CALL(poll, "liburcu: some milliseconds between two grace periods; room as above"),
	WITH(futex, 1, FUTEX_WAIT_BITSET_PRIVATE, "after a forbidden call: until main ends all"),
	WITH(clock_gettime, 0, CLOCK_MONOTONIC,   "how long"),
	SHADOW_ROWS,
	OTHER_THREAD_ROWS,
};

/* Reads what the guest has written, writes the results, and clears up. */
static const struct confine_row g_main[] = {
	CALL(io_uring_enter, "the event loop, and the CSV; operations: restrict_ring()"),
	WITH(futex, 1, FUTEX_WAKE_PRIVATE, "give the slots out, end the threads; unlock"),
	WITH(futex, 1, FUTEX_WAIT_PRIVATE, "lock"),
	WITH(futex, 1, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, "pthread_join()"),
	WITH(futex, 1, FUTEX_WAKE, "liburcu: tables to free"),
	CALL(sched_yield,          "the same, at the end: wait until they are; a write, before a kill"),
	WITH(ioctl, 1, KVM_GET_TSC_KHZ,  "once, when the vCPUs are there"),
	WITH(ioctl, 1, KVM_GET_SUPPORTED_CPUID, "once: KVM's PV features; too slow before the boot"),
	WITH(ioctl, 1, KVM_GET_STATS_FD, "how often KVM has marked vCPUs"),
	WITH(ioctl, 1, KVM_GET_LAPIC,    "dispatching a slot: has a sleeper an interrupt?"),
	WITH(ioctl, 1, TIOCGWINSZ,       "width of the progress line"),
	WITH(ioctl, 1, TCGETS,           "is stdout or stderr a terminal?"),
	WITH(clock_gettime, 0, CLOCK_MONOTONIC, "where the vDSO cannot tell the time"),
	WITH(clock_gettime, 0, CLOCK_REALTIME,  "the same, when the run ended"),
	WITH_BITS(clock_gettime, 0, THREAD_CLOCK_MASK, THREAD_CLOCK, "CPU time of the vCPU threads"),
	SIGNAL(VCPU_KICK_SIGNAL, "the end of the threads"),
	SIGNAL(SIGINT,           "the second one kills, once files are whole"),
	SIGNAL(SIGTERM,          "the second one kills, once files are whole"),
	SIGNAL(SIGHUP,           "the second one kills, once files are whole"),
	CALL(getpid,             "for these"),

	CALL(write,    "results, progress, messages"),
	WITH(poll, 1, 1, "has a pipe room for them?"),
	CALL(read,     "/proc/stat: steal time; perf's count of flushes on entry"),
	CALL(lseek,    "the same, again from its start"),
	CALL(pread64,  "KVM's statistics"),
	CALL(pwrite64, "rows, where io_uring may start no thread"),
	CALL(ftruncate, "cut the CSV back to a whole row when the disk is full, or a signal kills"),
	WITH(newfstatat, 3, AT_EMPTY_PATH, "cut back: is it a file, and how long?"),
	CALL(close,    "results; vCPUs, machine, ring at the end"),

	CALL(brk,      "memory for the summary"),
	WITH_BOTH(mmap, BITS(2, PROT_EXEC, 0), BITS(3, MAP_ANONYMOUS, MAP_ANONYMOUS),
		  "the same: never code, never a file"),
	CALL(munmap,   "the same; stacks, vCPUs, guest memory at the end"),
	CALL(timer_delete, "the vCPUs' timers at the end"),

	WITH(rt_sigaction, 0, SIGINT,  "the second one kills"),
	WITH(rt_sigaction, 0, SIGTERM, "the second one kills"),
	WITH(rt_sigaction, 0, SIGHUP,  "the second one kills"),
	CALL(rt_sigreturn,    "end of a signal handler"),
	CALL(exit_group,      "the end"),
};

const struct confine_table g_confine_tables[CONFINE_KINDS] = {
	[CONFINE_MAIN] = TABLE("main thread", g_main),
	[CONFINE_VCPU] = TABLE("vCPU thread", g_vcpu),
	[CONFINE_MOVER] = TABLE("mover thread", g_mover),
	[CONFINE_RECLAIM] = TABLE("reclaim thread", g_reclaim),
};
