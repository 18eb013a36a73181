// SPDX-License-Identifier: MIT
/*
 * fake_host.c - a host for vCPU threads, in one thread and without KVM (fake_host.h).
 *
 * Owns:    the kvm_ functions of kvm.h that vCPU threads call, and the fake_ ones of
 *          fake_calls.h.
 * Follows: Linux arch/x86/kvm/x86.c: kvm_arch_vcpu_ioctl_run(), record_steal_time(),
 *          kvm_steal_time_set_preempted(); futex(2).
 */
#include "fake_host.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <string.h>
#include <ucontext.h>

#include "../fake_kvm.h"
#include "clock.h"
#include "confine.h"
#include "stage.h"
#include "vcpu_loop.h"
#include "vcpu_signals.h"

#define STACK_BYTES (64 * 1024)
#define NEVER UINT64_MAX

struct fake_vcpu {
	ucontext_t context;
	bool ended;
	const atomic_uint *waits_on;    /* a futex; NULL: it may run */
	uint64_t waits_until_ns;
	uint64_t timer_ns;              /* 0: not armed */
	bool settle_pending;            /* VCPU_SETTLE_SIGNAL */
	bool has_timer, is_mapped, is_open; /* what main has to clear */

	/* KVM's. */
	bool in_guest;
	bool unfinished;                /* an instruction that left for userspace */
	bool at_boundary;               /* at_instruction_boundary */
	bool st_preempted;              /* arch.st.preempted */
	bool flush_due;                 /* before guest code, for the byte */
	uint64_t flushes_found;         /* in the byte */
	struct fake_registers registers; /* also its flips call for a flush */
};

static struct fake_vcpu g_vcpus[FAKE_VCPUS];
static struct session *g_session;
static struct fuzz_program *g_program;
static ucontext_t g_driver;
static uint32_t g_current;
static uint64_t g_now_ns;

static _Alignas(SD_PAGE_BYTES) uint8_t g_stacks[FAKE_VCPUS][STACK_BYTES];
static _Alignas(SD_PAGE_BYTES) uint8_t g_runs[FAKE_VCPUS][SD_PAGE_BYTES];

static struct kvm_run *run_of(uint32_t vcpu)
{
	return (struct kvm_run *)(void *)g_runs[vcpu];
}

/* --- contexts -------------------------------------------------------------------- */

static void enter(void)
{
	uint32_t self = g_current;

	(void)vcpu_loop(&g_session->threads[self]);
	g_vcpus[self].ended = true;
	/* Back through uc_link. */
}

void fake_begin(struct session *session, struct fuzz_program *program)
{
	memset(g_vcpus, 0, sizeof(g_vcpus));
	memset(g_runs, 0, sizeof(g_runs));
	g_session = session;
	g_program = program;
	g_now_ns = NS_PER_S;
	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		ucontext_t *context = &g_vcpus[i].context;

		fuzz_check(getcontext(context) == 0);
		context->uc_stack.ss_sp = g_stacks[i];
		context->uc_stack.ss_size = STACK_BYTES;
		context->uc_link = &g_driver;
		makecontext(context, enter, 0);
	}
}

/* Others run, until this thread is resumed. */
static void pause_here(void)
{
	fuzz_check(swapcontext(&g_vcpus[g_current].context, &g_driver) == 0);
}

static bool waits(struct fake_vcpu *vcpu)
{
	if (vcpu->waits_on != NULL && g_now_ns >= vcpu->waits_until_ns)
		vcpu->waits_on = NULL;
	return vcpu->waits_on != NULL;
}

bool fake_resume(uint32_t vcpu)
{
	if (g_vcpus[vcpu].ended || waits(&g_vcpus[vcpu]))
		return false;
	g_current = vcpu;
	fuzz_check(swapcontext(&g_driver, &g_vcpus[vcpu].context) == 0);
	return true;
}

bool fake_has_ended(uint32_t vcpu)
{
	return g_vcpus[vcpu].ended;
}

bool fake_is_in_guest(uint32_t vcpu)
{
	return g_vcpus[vcpu].in_guest;
}

bool fake_is_clear(uint32_t vcpu)
{
	return !g_vcpus[vcpu].has_timer && !g_vcpus[vcpu].is_mapped && !g_vcpus[vcpu].is_open;
}

uint64_t fake_flushes_found(uint32_t vcpu)
{
	return g_vcpus[vcpu].flushes_found;
}

bool fake_is_unfinished(uint32_t vcpu)
{
	return g_vcpus[vcpu].unfinished;
}

/* The handler, on the thread that gets the signal: before its next step. */
static void kick(uint32_t vcpu)
{
	run_of(vcpu)->immediate_exit = 1;
}

void fake_pass_time(uint64_t ns)
{
	g_now_ns += ns;
	for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
		if (g_vcpus[i].timer_ns == 0 || g_now_ns < g_vcpus[i].timer_ns)
			continue;
		g_vcpus[i].timer_ns = 0;
		kick(i);
	}
}

/* --- system calls ---------------------------------------------------------------- */

static void futex_wait(const atomic_uint *word, unsigned value, const struct timespec *until)
{
	struct fake_vcpu *self = &g_vcpus[g_current];

	if (atomic_load(word) != value)
		return;
	self->waits_on = word;
	self->waits_until_ns = until != NULL ? timespec_ns(*until) : NEVER;
	pause_here();
}

static void futex_wake(const atomic_uint *word)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		if (g_vcpus[i].waits_on == word)
			g_vcpus[i].waits_on = NULL;
}

static void send_signal(uint32_t vcpu, int signal)
{
	fuzz_check(vcpu < FAKE_VCPUS);
	if (signal == VCPU_SETTLE_SIGNAL)
		g_vcpus[vcpu].settle_pending = true;
	else
		kick(vcpu);
}

long fake_syscall(long number, ...)
{
	va_list args;
	const atomic_uint *word;
	int operation, thread;
	unsigned value;

	va_start(args, number);
	switch (number) {
	case SYS_gettid:
		break;
	case SYS_tgkill:
		(void)va_arg(args, int);
		thread = va_arg(args, int);
		send_signal((uint32_t)thread - 1, va_arg(args, int));
		break;
	case SYS_futex:
		word = va_arg(args, const atomic_uint *);
		operation = va_arg(args, int);
		value = va_arg(args, unsigned);
		if (operation == FUTEX_WAIT_BITSET_PRIVATE)
			futex_wait(word, value, va_arg(args, const struct timespec *));
		else
			futex_wake(word);
		break;
	default:
		fuzz_fail("a system call that the fake host does not have", __FILE__, __LINE__);
	}
	va_end(args);
	return number == SYS_gettid ? (long)g_current + 1 : 0;
}

/* Of a thread that waits until others have left the guest: they have to be told. */
int fake_sched_yield(void)
{
	for (uint32_t i = 0; i < FAKE_VCPUS; i++)
		fuzz_check(!g_vcpus[i].in_guest || run_of(i)->immediate_exit != 0 ||
			   !atomic_load(&g_session->threads[i].flush_asked));
	pause_here();
	return 0;
}

int fake_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = ns_timespec(g_now_ns);
	return 0;
}

int fake_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *limit)
{
	(void)set, (void)info, (void)limit;
	if (!g_vcpus[g_current].settle_pending) {
		errno = EAGAIN;
		return -1;
	}
	g_vcpus[g_current].settle_pending = false;
	return VCPU_SETTLE_SIGNAL;
}

int fake_timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	(void)clock, (void)event;
	*timer = (timer_t)(uintptr_t)(g_current + 1);
	g_vcpus[g_current].has_timer = true;
	return 0;
}

int fake_timer_settime(timer_t timer, int flags, const struct itimerspec *when,
		       struct itimerspec *old)
{
	(void)flags, (void)old;
	fuzz_check((uintptr_t)timer == g_current + 1);
	g_vcpus[g_current].timer_ns = timespec_ns(when->it_value);
	return 0;
}

/* By main, when the thread has ended, as are munmap() and close(). */
int fake_timer_delete(timer_t timer)
{
	uintptr_t vcpu = (uintptr_t)timer - 1;

	fuzz_check(vcpu < FAKE_VCPUS && g_vcpus[vcpu].ended && g_vcpus[vcpu].has_timer);
	g_vcpus[vcpu].has_timer = false;
	return 0;
}

void *fake_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	(void)at, (void)protection, (void)flags, (void)offset;
	fuzz_check((uint32_t)fd < FAKE_VCPUS && bytes == SD_PAGE_BYTES);
	g_vcpus[fd].is_mapped = true;
	return g_runs[fd];
}

int fake_munmap(void *at, size_t bytes)
{
	size_t vcpu = (size_t)((uint8_t *)at - g_runs[0]) / SD_PAGE_BYTES;

	fuzz_check(vcpu < FAKE_VCPUS && at == g_runs[vcpu] && bytes == SD_PAGE_BYTES);
	fuzz_check(g_vcpus[vcpu].ended && g_vcpus[vcpu].is_mapped);
	g_vcpus[vcpu].is_mapped = false;
	return 0;
}

int fake_close(int fd)
{
	fuzz_check((uint32_t)fd < FAKE_VCPUS && g_vcpus[fd].ended && g_vcpus[fd].is_open);
	g_vcpus[fd].is_open = false;
	return 0;
}

int fake_getrusage(int who, struct rusage *usage)
{
	(void)who;
	memset(usage, 0, sizeof(*usage));
	return 0;
}

int fake_sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	(void)signal, (void)action, (void)old;
	return 0;
}

int fake_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	(void)how, (void)set, (void)old;
	return 0;
}

int fake_pthread_setaffinity_np(pthread_t thread, size_t bytes, const cpu_set_t *cpus)
{
	(void)thread, (void)bytes, (void)cpus;
	return 0;
}

int fake_pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
	(void)thread, (void)policy, (void)param;
	return 0;
}

/* No thread is confined, and none takes signals: all of them are one. */
int confine_enter(enum confine_kind kind, struct why *why)
{
	(void)kind, (void)why;
	return 0;
}

int confine_enter_vcpu(int vcpu_fd, struct why *why)
{
	(void)vcpu_fd, (void)why;
	return 0;
}

void loop_block_signals(void)
{
}

/* --- interrupts ------------------------------------------------------------------ */

void fake_interrupt(uint32_t vcpu, uint8_t vector)
{
	lapic_set(&g_vcpus[vcpu].registers.lapic, FAKE_IRR, vector);
}

bool fake_take_interrupt(uint32_t vcpu, uint8_t vector)
{
	struct kvm_lapic_state *lapic = &g_vcpus[vcpu].registers.lapic;

	if (!lapic_is_set(lapic, FAKE_IRR, vector) || lapic_is_set(lapic, FAKE_ISR, vector))
		return false;
	lapic_clear(lapic, FAKE_IRR, vector);
	lapic_set(lapic, FAKE_ISR, vector);
	return true;
}

void fake_end_interrupt(uint32_t vcpu, uint8_t vector)
{
	lapic_clear(&g_vcpus[vcpu].registers.lapic, FAKE_ISR, vector);
}

/* --- KVM's byte ------------------------------------------------------------------ */

/* Whether KVM uses the region at all: else the VMM's own way has to do without. */
static bool has_steal_time(void)
{
	return g_session->park.entry_flush == ENTRY_FLUSH_STEAL || g_session->shape.marks_preempted;
}

static bool may_mark(uint32_t vcpu)
{
	return g_session->shape.marks_preempted && g_vcpus[vcpu].at_boundary &&
		!g_vcpus[vcpu].st_preempted;
}

static void schedule_out(uint32_t vcpu)
{
	if (!may_mark(vcpu))
		return;
	g_session->threads[vcpu].vcpu.region->preempted.raw = SD_BYTE_PREEMPTED;
	g_vcpus[vcpu].st_preempted = true;
}

/* In any ioctl of a vCPU. */
static void may_be_scheduled_out(uint32_t vcpu)
{
	if (may_mark(vcpu) && fuzz_below(g_program, 2) != 0)
		schedule_out(vcpu);
}

static void record_steal_time(uint32_t vcpu)
{
	struct sd_region *region = g_session->threads[vcpu].vcpu.region;

	g_vcpus[vcpu].at_boundary = false;
	if (!has_steal_time())
		return;
	if (region->preempted.raw & SD_BYTE_FLUSH_TLB) {
		g_vcpus[vcpu].flush_due = true;
		g_vcpus[vcpu].flushes_found++;
	}
	region->preempted.raw = 0;
	g_vcpus[vcpu].st_preempted = false;
}

/* --- KVM_RUN --------------------------------------------------------------------- */

static void guest_begins(uint32_t vcpu)
{
	struct fake_vcpu *self = &g_vcpus[vcpu];

	if (self->flush_due || self->registers.flips != 0)
		guest_flushed(vcpu);
	self->flush_due = false;
	self->registers.flips = 0;
	self->in_guest = true;
	guest_entered(vcpu);
}

/* A signal that is pending inside KVM_RUN. */
static bool is_signalled(uint32_t vcpu)
{
	return run_of(vcpu)->immediate_exit != 0 || g_vcpus[vcpu].settle_pending;
}

/* Also while it is scheduled out inside KVM_RUN. */
static int interrupted(uint32_t vcpu)
{
	g_vcpus[vcpu].in_guest = false;
	return -EINTR;
}

static int run_guest(uint32_t vcpu)
{
	struct fake_vcpu *self = &g_vcpus[vcpu];

	for (;;) {
		enum guest_step step = guest_step(vcpu, run_of(vcpu));

		self->at_boundary = step != GUEST_LEAVES;
		if (step == GUEST_LEAVES) {
			self->unfinished = run_of(vcpu)->exit_reason == KVM_EXIT_IO;
			self->in_guest = false;
			return 0;
		}
		if (step == GUEST_IS_SCHEDULED_OUT) {
			self->in_guest = false;
			schedule_out(vcpu);
		}
		pause_here();
		if (is_signalled(vcpu))
			return interrupted(vcpu);
		if (!self->in_guest) {
			record_steal_time(vcpu);
			guest_begins(vcpu);
		}
	}
}

int kvm_run(struct kvm_vcpu_fd fd)
{
	uint32_t vcpu = (uint32_t)fd.fd;

	fuzz_check(vcpu == g_current);
	pause_here();
	may_be_scheduled_out(vcpu);
	g_vcpus[vcpu].unfinished = false;
	if (run_of(vcpu)->immediate_exit != 0)
		return -EINTR;
	record_steal_time(vcpu);
	pause_here();
	if (is_signalled(vcpu))
		return -EINTR;
	fuzz_check(vcpu_mode_is_in_guest(g_session->threads[vcpu].mode));
	guest_begins(vcpu);
	return run_guest(vcpu);
}

/* --- other ioctls ---------------------------------------------------------------- */

int kvm_create_vcpu(struct kvm_vm vm, uint32_t id, struct kvm_vcpu_fd *vcpu, struct why *why)
{
	(void)vm, (void)why;
	g_vcpus[id].is_open = true;
	vcpu->fd = (int)id;
	return 0;
}

static struct fake_registers *fake_registers(struct kvm_vcpu_fd vcpu)
{
	return &g_vcpus[vcpu.fd].registers;
}

/* Of a sleeper the local APIC is read under the slot's lock: nobody else may run then. Of a
 * vCPU that has failed, by its thread on its way out. */
static bool may_pause(struct kvm_vcpu_fd vcpu, enum fake_ioctl ioctl)
{
	const struct vcpu_thread *thread = &g_session->threads[vcpu.fd];

	if (ioctl == FAKE_GET_LAPIC)
		return !thread->member.asleep && thread->why.text[0] == '\0';
	return ioctl != FAKE_GET_SREGS;
}

static int fake_ioctl(struct kvm_vcpu_fd vcpu, enum fake_ioctl ioctl, struct why *why)
{
	(void)why;
	if (may_pause(vcpu, ioctl))
		pause_here();
	may_be_scheduled_out((uint32_t)vcpu.fd);
	return 0;
}

/* --- not there ----------------------------------------------------------------------- */

/* Only --litmus has a stage. */
int stage_hold(struct stage *stage, struct vcpu_thread *thread, uint32_t step)
{
	(void)stage, (void)thread, (void)step;
	fuzz_check(false);
	return -EINVAL;
}
