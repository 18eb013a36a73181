// SPDX-License-Identifier: MIT
/*
 * vcpu_loop.c - the life of a vCPU's thread (vcpu_loop.h).
 *
 * Threads: vcpu_loop() and all it calls, on the vCPU's thread; vcpu_is_interrupted() on any.
 * Follows: Linux Documentation/virt/kvm/api.rst, KVM_RUN (immediate_exit).
 */
#include "vcpu_loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <x86intrin.h>

#include "clock.h"
#include "confine.h"
#include "doorbell.h"
#include "exits.h"
#include "lapic.h"
#include "park.h"
#include "request_flush.h"
#include "session.h"
#include "vcpu_signals.h"

/* Where a vCPU stands that KVM has reset. */
#define RESET_RIP 0xfff0

/* The kvm_run page of the vCPU of this thread, for the kick's handler. */
static _Thread_local struct kvm_run *kicked_run;

/* This is all that a kick does. Why it came, the thread finds before it enters the guest again. */
static void on_kick(int signal)
{
	(void)signal;
	if (kicked_run != NULL)
		__atomic_store_n(&kicked_run->immediate_exit, 1, __ATOMIC_RELAXED);
}

static int set_signals(struct vcpu_thread *thread)
{
	/* Restarting: the signal may be sent to main as well. KVM_RUN never restarts. */
	struct sigaction action = { .sa_handler = on_kick, .sa_flags = SA_RESTART };
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = VCPU_KICK_SIGNAL,
	};
	sigset_t blocked;

	sigaction(VCPU_KICK_SIGNAL, &action, NULL);
	sigemptyset(&blocked);
	sigaddset(&blocked, VCPU_SETTLE_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	loop_block_signals();
	/* From here on it can be kicked: without the handler, a kick would end the
	 * process. */
	slot_member_enter(&thread->member);
	event._sigev_un._tid = thread->member.thread;
	if (timer_create(CLOCK_MONOTONIC, &event, &thread->timer) != 0)
		return why_set(&thread->why, EXIT_HOST, errno, "timer_create: %s%s", strerror(errno),
			       errno == EAGAIN ? " (RLIMIT_SIGPENDING: a timer a vCPU)" : "");
	thread->has_timer = true;
	return 0;
}

static int set_scheduling(struct vcpu_thread *thread)
{
	struct sched_param param = {
		.sched_priority = (int)thread->session->shape.realtime,
	};
	struct cpus cpu = { 0 };
	int error;

	cpus_add(&cpu, (uint32_t)thread->slot->cpu);
	error = pthread_setaffinity_np(pthread_self(), sizeof(cpu), cpus_set(&cpu));
	if (error != 0)
		return why_set(&thread->why, EXIT_HOST, error, "pinning to CPU %d: %s",
			       thread->slot->cpu, strerror(error));
	/* A batch thread that is woken does not preempt its waker. So the thread that
	 * hands its slot over goes to sleep first, and need not interrupt the next
	 * one's guest later only to go to sleep. */
	error = pthread_setschedparam(pthread_self(),
				      param.sched_priority == 0 ? SCHED_BATCH : SCHED_FIFO, &param);
	if (error != 0)
		return why_set(&thread->why, EXIT_HOST, error, "scheduling policy, priority %d: %s",
			       param.sched_priority, strerror(error));
	return 0;
}

/* Inside KVM_RUN both of our signals get through; main's stay blocked. */
#define MAINS_SIGNALS (UINT64_C(1) << (SIGINT - 1) | UINT64_C(1) << (SIGTERM - 1))

/* One clock of all vCPUs and of the host. KVM sets them milliseconds apart where the host's TSC
 * is not stable; before Linux 5.16 there is no way to tell it, and no timeline. */
static int join_clocks(struct vcpu_thread *thread)
{
	struct why attempt = { 0 };
	int error = kvm_set_tsc_offset(thread->vcpu.fd, 0, &attempt);

	if (error == 0 || thread->trace == NULL)
		return 0;
	return why_set(&thread->why, attempt.status, -error, "%s", attempt.text);
}

static int set_up(struct vcpu_thread *thread)
{
	int error = set_scheduling(thread);

	if (error == 0)
		error = set_signals(thread);
	if (error == 0)
		error = vcpu_create(&thread->vcpu, &thread->session->machine,
				    thread->vcpu.id, &thread->why);
	if (error == 0 && thread->session->shape.marks_preempted)
		error = kvm_set_signal_mask(thread->vcpu.fd, MAINS_SIGNALS, &thread->why);
	if (error == 0)
		error = join_clocks(thread);
	if (error != 0)
		return error;
	kicked_run = thread->vcpu.run;
	vcpu_mark_created(thread);
	/* The last step before the guest. */
	return confine_enter_vcpu(thread->vcpu.fd.fd, &thread->why);
}

static void arm(struct vcpu_thread *thread, uint64_t deadline_ns)
{
	struct itimerspec when = { .it_value = ns_timespec(deadline_ns) };

	thread->timed = deadline_ns != 0;
	thread->deadline_ns = deadline_ns;
	timer_settime(thread->timer, TIMER_ABSTIME, &when, NULL);
}

/* Look at everything that may end the slice; time only when the vCPU has
 * @entered, so that one that gets the CPU late still runs. A vCPU that has its
 * slot to itself has no timer: nobody joins it while a job runs. */
static enum slice_end look(struct vcpu_thread *thread, bool entered)
{
	if (atomic_load_explicit(&thread->session->quit, memory_order_relaxed))
		return SLICE_QUIT;
	if (thread->timed && entered && clock_ns() >= thread->deadline_ns) {
		thread->timed = false;
		if (slot_is_wanted(thread->slot))
			return SLICE_OVER;
	}
	if (!thread->timed && slot_has_waiting(thread->slot))
		arm(thread, thread->slot->preempt->slice_end(thread->slot, clock_ns()));
	return SLICE_GOES_ON;
}

static enum slice_end handle_io(struct vcpu_thread *thread)
{
	struct kvm_run *run = thread->vcpu.run;
	uint32_t request;

	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.size != sizeof(request) ||
	    run->io.count != 1 || run->io.port != SD_PORT_REQUEST) {
		why_set(&thread->why, EXIT_GUEST, EIO,
			"vCPU %u: %s port 0x%x, %u bytes, %u times: only 32-bit out to 0x%x is a doorbell",
			thread->vcpu.id, run->io.direction == KVM_EXIT_IO_OUT ? "out to" : "in from",
			run->io.port, run->io.size, run->io.count, SD_PORT_REQUEST);
		return SLICE_FAILED;
	}
	memcpy(&request, (const char *)run + run->io.data_offset, sizeof(request));
	thread->exit_kind = exit_kind_of(request);
	return doorbell_answer(thread, request);
}

static enum slice_end access_device(struct vcpu_thread *thread)
{
	return thread->session->stage->access(thread) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

/* kvm-amd resets a vCPU that has shut down: where it was is gone. */
static enum slice_end refuse_exit(struct vcpu_thread *thread)
{
	uint32_t reason = thread->vcpu.run->exit_reason;
	struct kvm_regs regs = { 0 };

	if (kvm_get_regs(thread->vcpu.fd, &regs, &thread->why) != 0)
		return SLICE_FAILED;
	if (reason == KVM_EXIT_SHUTDOWN && regs.rip == RESET_RIP)
		why_set(&thread->why, EXIT_GUEST, EIO,
			"vCPU %u: exit %u (%s); KVM has reset it, its rip is lost",
			thread->vcpu.id, reason, vcpu_exit_name(reason));
	else
		why_set(&thread->why, EXIT_GUEST, EIO, "vCPU %u: exit %u (%s) at rip 0x%llx",
			thread->vcpu.id, reason, vcpu_exit_name(reason),
			(unsigned long long)regs.rip);
	return SLICE_FAILED;
}

static enum slice_end handle_exit(struct vcpu_thread *thread)
{
	const struct kvm_run *run = thread->vcpu.run;

	/* The next KVM_RUN completes the instruction, unless vcpu_complete() does before. */
	thread->unfinished = true;
	if (run->exit_reason == KVM_EXIT_IO)
		return handle_io(thread);
	if (run->exit_reason == KVM_EXIT_MMIO && thread->session->stage != NULL &&
	    thread->session->stage->access != NULL)
		return access_device(thread);
	return refuse_exit(thread);
}

/* Park of one vCPU to KVM_RUN of the next; the first of a job follows nobody.
 * Booting is not measured: the frequency is not known then. */
static void record_switch(struct slot *slot, uint64_t tsc_hz)
{
	if (tsc_hz != 0)
		histogram_record(&slot->switches, ticks_ns(__rdtsc() - slot->released_ticks, tsc_hz));
	slot->released_ticks = 0;
}

/* The last steps before the guest, and no more: from unpark on initiators wait
 * for this vCPU, and its parked time has ended. */
static int enter_first(struct vcpu_thread *thread)
{
	int error = vcpu_unpark(thread);

	vcpu_state_set(thread, VCPU_RUNNING);
	if (thread->slot->released_ticks != 0)
		record_switch(thread->slot, thread->session->tsc_hz);
	return error;
}

static enum slice_end run_once(struct vcpu_thread *thread)
{
	int error = request_flush_enter(thread);

	if (error != 0)
		return error > 0 ? SLICE_GOES_ON : SLICE_FAILED;
	exit_end(thread, __rdtsc());
	error = vcpu_run(thread);
	exit_begin(thread);
	request_flush_leave(thread);
	thread->unfinished = false;
	/* Not EAGAIN: no vCPU here waits for its first start-up IPI, and KVM has a thread
	 * of its own to start that it may be refused, every time. */
	if (error == -EINTR)
		return SLICE_GOES_ON;
	if (error == 0)
		return handle_exit(thread);
	(void)kvm_failed(thread->vcpu.fd, "KVM_RUN", -error, &thread->why);
	return SLICE_FAILED;
}

/* Out of the guest. A doorbell that was answered in passing is still unfinished
 * when the slice ends right after it. */
static int leave(struct vcpu_thread *thread)
{
	int error;

	/* Not where it was pinned to: that CPU has gone offline, and nothing brings it back. */
	thread->counts.strayed += sched_getcpu() != thread->slot->cpu;
	error = vcpu_complete(thread);
	return error != 0 ? error : vcpu_park(thread);
}

/* From the slot gained to the vCPU parked again. */
static enum slice_end run_slice(struct vcpu_thread *thread)
{
	enum slice_end end = SLICE_GOES_ON;
	bool entered = false;

	thread->timed = false;
	while (end == SLICE_GOES_ON) {
		/* Cleared before the look: a kick from here on either is seen by
		 * the look or makes KVM_RUN return at once. */
		__atomic_store_n(&thread->vcpu.run->immediate_exit, 0, __ATOMIC_RELAXED);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		end = look(thread, entered);
		if (end == SLICE_GOES_ON && !entered)
			end = enter_first(thread) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
		entered |= end == SLICE_GOES_ON;
		if (end == SLICE_GOES_ON)
			end = run_once(thread);
	}
	if (entered && end != SLICE_FAILED && leave(thread) != 0)
		end = SLICE_FAILED;
	if (thread->timed)
		arm(thread, 0);
	return end;
}

static void note_usage(struct vcpu_thread *thread)
{
	struct rusage usage;
	struct timespec cpu;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	getrusage(RUSAGE_THREAD, &usage);
	thread->cpu_ns = timespec_ns(cpu);
	thread->involuntary_switches = (uint64_t)usage.ru_nivcsw;
}

/* One turn on the slot. Returns false when the thread has to end. */
static bool take_turn(struct vcpu_thread *thread)
{
	enum slice_end end = run_slice(thread);

	if (end == SLICE_FAILED || end == SLICE_QUIT)
		return false;
	thread->slot->released_ticks = thread->parked_ticks;
	if (end == SLICE_OVER) {
		vcpu_state_set(thread, VCPU_PARKED);
		slot_pass(thread->slot, &thread->member, true);
		return true;
	}
	if (end == SLICE_ASLEEP) {
		vcpu_state_set(thread, VCPU_ASLEEP);
		thread->counts.sleeps++;
		slot_sleep(thread->slot, &thread->member, thread->sleep_until_ns);
		return true;
	}
	vcpu_state_set(thread, VCPU_IDLE);
	note_usage(thread);
	slot_pass(thread->slot, &thread->member, false);
	session_vcpu_ready(thread->session);
	return true;
}

/* For the report, if the guest stood still. */
static void note_vcpu(struct vcpu_thread *thread)
{
	struct kvm_lapic_state lapic = { 0 };
	struct why ignored = { 0 };

	(void)!kvm_get_regs(thread->vcpu.fd, &thread->regs, &ignored);
	(void)!kvm_get_lapic(thread->vcpu.fd, &lapic, &ignored);
	thread->pending_vector = lapic_highest_pending(&lapic);
	thread->vector_in_service = lapic_highest_in_service(&lapic);
}

/* The vCPU itself is main's to close (vcpu_thread_clear()). */
static void tear_down(struct vcpu_thread *thread)
{
	slot_forget(thread->slot, &thread->member);
	if (thread->vcpu.run != NULL)
		note_vcpu(thread);
	note_usage(thread);
}

void vcpu_thread_clear(struct vcpu_thread *thread)
{
	if (thread->has_timer)
		timer_delete(thread->timer);
	thread->has_timer = false;
	vcpu_destroy(&thread->vcpu);
}

void *vcpu_loop(void *argument)
{
	struct vcpu_thread *thread = argument;
	bool goes_on;

	shadow_thread_begin(thread->session->shadow);
	goes_on = set_up(thread) == 0;
	if (goes_on)
		session_vcpu_ready(thread->session);
	while (goes_on && slot_wait(thread->slot, &thread->member))
		goes_on = take_turn(thread);
	if (thread->why.text[0] != '\0')
		session_vcpu_failed(thread->session, &thread->why);
	tear_down(thread);
	shadow_thread_end(thread->session->shadow);
	return NULL;
}
