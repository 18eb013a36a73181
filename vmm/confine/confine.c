// SPDX-License-Identifier: MIT
/*
 * confine.c - loading the filters, and what a forbidden call comes to (confine.h).
 *
 * The kernel answers one with SIGSYS (SECCOMP_RET_TRAP), so that it has a name before
 * anything ends. The handler is all that follows; it calls no function that may lock or
 * allocate.
 *
 * field          writer                     reader      rule
 * -------------  -------------------------  ----------  ---------------------------
 * mode, end, programs, fds, names
 *                main, confine_prepare()    all         before the first thread
 * kind           its thread                 the same    thread-local
 * line           who gets state to WRITING  main        state, release and acquire
 * state          the handler; main          both        atomic
 * named          the handler                the same    atomic
 *
 * Threads: as said there; the handler on the thread that made the call.
 * Follows: seccomp(2), signal-safety(7).
 * Tested:  tests/unit/forbidden_calls_are_named_test.c,
 *          tests/kvm/forbidden_call_ends_the_run_test.py
 */
#include "confine.h"

#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "clock.h"
#include "filter.h"

/* Above the highest number of x86-64, 470 with Linux 6.18. */
#define CALLS_MAX 512

/* How long a stopped thread waits until main notices: main may be waiting for this very
 * thread to end. */
#define HEARING_NS (10 * NS_PER_S)

#define LINE_BYTES 192

/* How long a line waits until stderr has room for it. */
#define ROOM_MS 1000

/* SYS_SECCOMP of asm/siginfo.h, which does not go with <signal.h>. */
#define CODE_SECCOMP 1

enum state {
	STATE_WELL,
	STATE_WRITING,          /* a thread other than main was stopped, the first one */
	STATE_WRITTEN,          /* line says which call */
	STATE_SEEN,             /* main ends the process */
};

static enum confine_mode g_mode = CONFINE_OFF;
static struct confine_end g_end;
static struct sock_fprog g_programs[CONFINE_KINDS];
static int g_fds[CONFINE_FDS];
static const char *g_names[CALLS_MAX];
static _Thread_local enum confine_kind g_kind;
static char g_line[LINE_BYTES];
static _Atomic(enum state) g_state;
static atomic_bool g_named[CONFINE_KINDS][CALLS_MAX];

/* --- one line, without printf() --------------------------------------------- */

struct line {
	char text[LINE_BYTES];
	size_t length;
};

static void put(struct line *line, const char *text)
{
	while (*text != '\0' && line->length < sizeof(line->text) - 1)
		line->text[line->length++] = *text++;
	line->text[line->length] = '\0';
}

static void put_number(struct line *line, uint64_t number, unsigned base)
{
	char digits[24];
	char *digit = &digits[sizeof(digits) - 1];

	*digit = '\0';
	do
		*--digit = "0123456789abcdef"[number % base];
	while ((number /= base) != 0);
	put(line, base == 16 ? "0x" : "");
	put(line, digit);
}

/* As many arguments as filters look at, and one more. */
#define ARGUMENTS_SHOWN 4

/* "vCPU thread: forbidden system call ioctl(0x9, 0x5401, 0x7f0000001000, 0x0)". */
static void put_call(struct line *line, const siginfo_t *info, const greg_t arguments[6])
{
	unsigned number = (unsigned)info->si_syscall;
	bool native = info->si_arch == AUDIT_ARCH_X86_64 && number < CALLS_MAX;

	put(line, g_confine_tables[g_kind].thread);
	put(line, ": forbidden system call ");
	if (native && g_names[number] != NULL)
		put(line, g_names[number]);
	else
		put_number(line, number, 10);
	if (info->si_arch != AUDIT_ARCH_X86_64)
		put(line, " of i386");
	for (int i = 0; i < ARGUMENTS_SHOWN; i++) {
		put(line, i == 0 ? "(" : ", ");
		put_number(line, (uint64_t)arguments[i], 16);
	}
	put(line, ")");
}

/* A pipe that nobody reads is not waited for without end; the line is lost then. */
static void say(const struct line *line)
{
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
	struct line whole = { .length = 0 };

	put(&whole, "vmm: ");
	put(&whole, line->text);
	put(&whole, "\n");
	if (poll(&room, 1, ROOM_MS) > 0)
		(void)!write(STDERR_FILENO, whole.text, whole.length);
}

/* --- the handler -------------------------------------------------------------- */

/* The one place whose calls pass a filter of CONFINE_LOG. Not to be copied: the label
 * stands once. */
static __attribute__((noinline)) long pass(long number, const greg_t arguments[6])
{
	register long fourth __asm__("r10") = (long)arguments[3];
	register long fifth __asm__("r8") = (long)arguments[4];
	register long sixth __asm__("r9") = (long)arguments[5];
	long result;

	/* "memory": whatever the call writes. rcx and r11 are the instruction's own. */
	__asm__ volatile("syscall\n"
			 "\t.globl confine_passed\n"
			 "confine_passed:"
			 : "=a"(result)
			 : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]),
			   "r"(fourth), "r"(fifth), "r"(sixth)
			 : "rcx", "r11", "memory");
	return result;
}

/* A child that begins on a stack of its own, or shares this one, would not find its way
 * out of the handler. */
static bool can_pass(const siginfo_t *info)
{
	return info->si_arch == AUDIT_ARCH_X86_64 && info->si_syscall != SYS_clone &&
		info->si_syscall != SYS_clone3 && info->si_syscall != SYS_vfork;
}

static long let_through(const siginfo_t *info, const greg_t arguments[6])
{
	unsigned number = (unsigned)info->si_syscall;
	struct line line = { .length = 0 };

	if (number >= CALLS_MAX || !atomic_exchange(&g_named[g_kind][number], true)) {
		put_call(&line, info, arguments);
		put(&line, can_pass(info) ? ", let through" : ", fails");
		say(&line);
	}
	return can_pass(info) ? pass(info->si_syscall, arguments) : -ENOSYS;
}

static _Noreturn void end(const struct line *line)
{
	say(line);
	_exit(EXIT_GUEST);
}

/* Main ends the process; if it does not hear, this thread does. It never returns to the
 * code that made the call. */
static _Noreturn void stop(const struct line *line)
{
	static const unsigned never;
	uint64_t patience_ends = clock_ns() + HEARING_NS, one = 1;
	struct timespec until = ns_timespec(patience_ends);
	enum state well = STATE_WELL;

	if (atomic_compare_exchange_strong(&g_state, &well, STATE_WRITING)) {
		memcpy(g_line, line->text, sizeof(g_line));
		/* PAIR(confine-line): release here, acquire in confine_stopped_thread(). Orders:
		 * the line before the word of it. */
		atomic_store_explicit(&g_state, STATE_WRITTEN, memory_order_release);
	}
	(void)!write(g_end.wake_fd, &one, sizeof(one));
	for (;;) {
		bool seen = atomic_load(&g_state) == STATE_SEEN;

		if (!seen && clock_ns() >= patience_ends)
			end(line);
		(void)syscall(SYS_futex, &never, FUTEX_WAIT_BITSET_PRIVATE, 0,
			      seen ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
	}
}

static void refuse(const siginfo_t *info, const greg_t arguments[6])
{
	struct line line = { .length = 0 };

	put_call(&line, info, arguments);
	put(&line, "; see --confine");
	if (g_kind != CONFINE_MAIN)
		stop(&line);
	if (g_end.finish != NULL)
		g_end.finish(g_end.context);
	end(&line);
}

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	const greg_t arguments[6] = {
		registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
		registers[REG_R10], registers[REG_R8],  registers[REG_R9],
	};
	int saved = errno;

	(void)signal;
	/* Sent by another process, not by a filter. */
	if (info->si_code != CODE_SECCOMP)
		return;
	if (g_mode == CONFINE_ON)
		refuse(info, arguments);
	registers[REG_RAX] = let_through(info, arguments);
	errno = saved;
}

/* ---------------------------------------------------------------------------- */

/* All of them now: libseccomp allocates, and a handler must not. */
static void learn_names(void)
{
	for (int number = 0; number < CALLS_MAX; number++)
		g_names[number] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
}

static int build(int kind, enum confine_mode mode, struct why *why)
{
	return filter_build(&g_confine_tables[kind], g_fds, mode == CONFINE_LOG, &g_programs[kind],
			    why);
}

int confine_prepare(enum confine_mode mode, const struct confine_end *end_with, struct why *why)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	int error = 0;

	if (mode == CONFINE_OFF)
		return 0;
	for (int fd = 0; fd < CONFINE_FDS; fd++)
		g_fds[fd] = -1;
	g_fds[CONFINE_WAKE_FD] = end_with->wake_fd;
	g_fds[CONFINE_VCPU_FD] = FILTER_ANY_VCPU;
	for (int kind = 0; error == 0 && kind < CONFINE_KINDS; kind++)
		error = build(kind, mode, why);
	if (error != 0)
		return error;
	learn_names();
	g_end = *end_with;
	g_mode = mode;
	sigaction(SIGSYS, &action, NULL);
	return 0;
}

int confine_know_memory(int fd, struct why *why)
{
	if (g_mode == CONFINE_OFF)
		return 0;
	g_fds[CONFINE_MEMORY_FD] = fd;
	free(g_programs[CONFINE_MOVER].filter);
	return build(CONFINE_MOVER, g_mode, why);
}

static int enter(enum confine_kind kind, const struct sock_fprog *program, struct why *why)
{
	g_kind = kind;
	/* Of this thread alone. No change of the mitigations: what is measured does not
	 * depend on --confine (before Linux 5.16 a filter would turn SSBD on). */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    program) == 0)
		return 0;
	return why_set(why, EXIT_HOST, errno, "seccomp filter of the %s: %s (see --confine)",
		       g_confine_tables[kind].thread, strerror(errno));
}

int confine_enter(enum confine_kind kind, struct why *why)
{
	return g_mode == CONFINE_OFF ? 0 : enter(kind, &g_programs[kind], why);
}

int confine_enter_vcpu(int vcpu_fd, struct why *why)
{
	struct sock_fprog own;
	int error;

	if (g_mode == CONFINE_OFF)
		return 0;
	own = filter_for_vcpu(&g_programs[CONFINE_VCPU], vcpu_fd);
	error = own.filter == NULL ? why_set(why, EXIT_HOST, ENOMEM, "seccomp filter of a vCPU: %s",
					     strerror(ENOMEM))
				   : enter(CONFINE_VCPU, &own, why);
	/* The kernel has a copy, and this thread may give memory back. */
	free(own.filter);
	return error;
}

bool confine_stopped_thread(void)
{
	/* PAIR(confine-line): acquire here, release in stop(). */
	enum state state = atomic_load_explicit(&g_state, memory_order_acquire);

	if (state != STATE_WRITTEN && state != STATE_SEEN)
		return false;
	atomic_store(&g_state, STATE_SEEN);
	return true;
}

int confine_failure(struct why *why)
{
	if (!confine_stopped_thread())
		return 0;
	return why_set(why, EXIT_GUEST, EPERM, "%s", g_line);
}
