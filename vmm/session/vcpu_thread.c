// SPDX-License-Identifier: MIT
/*
 * vcpu_thread.c - one host thread per vCPU (vcpu_thread.h).
 *
 * Threads: vcpu_thread_main() and all it calls, on the vCPU's thread.
 * Follows: Linux Documentation/virt/kvm/api.rst, KVM_RUN (immediate_exit).
 */
#include "vcpu_thread.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <x86intrin.h>

#include "clock.h"
#include "confine.h"
#include "exits.h"
#include "guest_pointer.h"
#include "lapic.h"
#include "park.h"
#include "request_flush.h"
#include "session.h"
#include "stamps.h"
#include "vcpu_signals.h"

/* Where a vCPU stands that KVM has reset. */
#define RESET_RIP 0xfff0

enum slice_end {
	SLICE_GOES_ON,
	SLICE_OVER,             /* somebody else's turn */
	SLICE_ASLEEP,           /* until thread->sleep_until_ns, or woken */
	SLICE_JOB_DONE,         /* the guest asks for its next job */
	SLICE_QUIT,             /* the session ends */
	SLICE_FAILED,           /* thread->why says how */
};

const char *vcpu_state_name(enum vcpu_state state)
{
	static const char *const names[] = {
		[VCPU_CREATING] = "being created",
		[VCPU_RUNNING] = "running",
		[VCPU_PARKED] = "parked",
		[VCPU_ASLEEP] = "asleep",
		[VCPU_IDLE] = "done",
	};

	return names[state];
}

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

/* The mailbox is the guest's: copied once, and its words are not trusted. */
static void describe_failure(struct vcpu_thread *thread)
{
	struct sd_mailbox mail = thread->vcpu.region->mailbox;
	char name[64];

	if (mail.kind == SD_MAIL_EXCEPTION) {
		why_set(&thread->why, EXIT_GUEST, EIO,
			"vCPU %u: exception %u (error code 0x%llx) at rip 0x%llx, cr2 0x%llx",
			thread->vcpu.id, mail.line, (unsigned long long)mail.file,
			(unsigned long long)mail.a, (unsigned long long)mail.b);
		return;
	}
	guest_pointer_text(thread, mail.file, name, sizeof(name));
	why_set(&thread->why, EXIT_GUEST, EIO,
		"vCPU %u: the payload gave up at %s:%u (0x%llx, 0x%llx)", thread->vcpu.id, name,
		mail.line, (unsigned long long)mail.a, (unsigned long long)mail.b);
}

static enum slice_end end_job(struct vcpu_thread *thread)
{
	if (thread->first_doorbell_ns == 0)
		thread->first_doorbell_ns = clock_ns();
	return vcpu_finish_instruction(&thread->vcpu, &thread->why) == 0 ? SLICE_JOB_DONE
									 : SLICE_FAILED;
}

/* As after a park that took over a request: the same path pays the debt. */
static enum slice_end flush_me(struct vcpu_thread *thread)
{
	int error = vcpu_finish_instruction(&thread->vcpu, &thread->why);

	thread->owes_flush = true;
	if (error == 0)
		error = vcpu_flush_on_entry(thread);
	return error == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

/* The named vCPU is next on its slot. Where that is this vCPU's too, the slice
 * is over. */
static enum slice_end yield_to(struct vcpu_thread *thread)
{
	uint64_t id = sd_u64_load(&thread->vcpu.region->argument);
	struct vcpu_thread *target;

	if (id >= thread->session->shape.vcpus || id == thread->vcpu.id) {
		why_set(&thread->why, EXIT_GUEST, EINVAL, "vCPU %u: yields to vCPU %llu",
			thread->vcpu.id, (unsigned long long)id);
		return SLICE_FAILED;
	}
	target = &thread->session->threads[id];
	thread->counts.yields++;
	slot_prefer(target->slot, &target->member);
	thread->unfinished = true;
	return target->slot == thread->slot && slot_has_waiting(thread->slot) ? SLICE_OVER
									      : SLICE_GOES_ON;
}

/* A day at most, so that no guest makes the sum overflow. */
#define SLEEP_MAX_NS (86400 * NS_PER_S)

static enum slice_end go_to_sleep(struct vcpu_thread *thread)
{
	uint64_t ticks = sd_u64_load(&thread->vcpu.region->argument);
	uint64_t ns = SLEEP_MAX_NS;

	thread->unfinished = true;
	/* While booting there is no clock to sleep by. */
	if (thread->session->tsc_hz == 0)
		return SLICE_OVER;
	if (ticks / thread->session->tsc_hz < SLEEP_MAX_NS / NS_PER_S)
		ns = ticks_ns(ticks, thread->session->tsc_hz);
	thread->sleep_until_ns = ticks == 0 ? UINT64_MAX : clock_ns() + ns;
	return SLICE_ASLEEP;
}

static enum slice_end wake(struct vcpu_thread *thread, uint32_t id)
{
	struct vcpu_thread *target;

	if (id >= thread->session->shape.vcpus) {
		why_set(&thread->why, EXIT_GUEST, EINVAL, "vCPU %u: wakes vCPU %u",
			thread->vcpu.id, id);
		return SLICE_FAILED;
	}
	target = &thread->session->threads[id];
	thread->unfinished = true;
	thread->counts.wakes++;
	slot_wake(target->slot, &target->member);
	return SLICE_GOES_ON;
}

/* As pause-loop exiting does, with the guest in the place of the processor. */
static enum slice_end spun(struct vcpu_thread *thread)
{
	thread->unfinished = true;
	if (!slot_is_wanted(thread->slot))
		return SLICE_GOES_ON;
	thread->counts.spun++;
	return SLICE_OVER;
}

static enum slice_end flush_others(struct vcpu_thread *thread)
{
	thread->unfinished = true;
	return request_flush_others(thread) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

static enum slice_end log_line(struct vcpu_thread *thread)
{
	struct guest_log_line line = { .vcpu = thread->vcpu.id };

	thread->unfinished = true;
	guest_pointer_text(thread, sd_u64_load(&thread->vcpu.region->argument), line.text,
			   sizeof(line.text));
	guest_log_add(&thread->session->log, &line);
	return SLICE_GOES_ON;
}

static enum slice_end check_stamps(struct vcpu_thread *thread)
{
	thread->unfinished = true;
	return stamps_check(thread) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

/* Off the slot here, also when nobody waits for it; on a stage, held. */
static enum slice_end step(struct vcpu_thread *thread, uint32_t step)
{
	struct stage *stage = thread->session->stage;

	thread->unfinished = true;
	thread->counts.steps++;
	if (stage == NULL)
		return SLICE_OVER;
	return stage_hold(stage, thread, step) == 0 ? SLICE_GOES_ON : SLICE_FAILED;
}

static uint32_t steps_of(const struct session *session)
{
	return session->stage != NULL ? SD_LITMUS_STEPS : SD_STEPS;
}

static enum slice_end doorbell(struct vcpu_thread *thread, uint32_t request)
{
	if ((request & UINT16_MAX) == SD_REQ_WAKE)
		return wake(thread, request >> 16);
	if (request >= SD_REQ_STEP && request < SD_REQ_STEP + steps_of(thread->session))
		return step(thread, request - SD_REQ_STEP);
	switch (request) {
	case SD_REQ_READY:
		return end_job(thread);
	case SD_REQ_FAIL:
		describe_failure(thread);
		return SLICE_FAILED;
	case SD_REQ_FLUSH_ME:
		return flush_me(thread);
	case SD_REQ_FINISH:
		return vcpu_finish_instruction(&thread->vcpu, &thread->why) == 0 ? SLICE_GOES_ON
										 : SLICE_FAILED;
	case SD_REQ_NOTHING:
		thread->unfinished = true;
		return SLICE_GOES_ON;
	case SD_REQ_YIELD_TO:
		return yield_to(thread);
	case SD_REQ_FLUSH_OTHERS:
		return flush_others(thread);
	case SD_REQ_SLEEP:
		return go_to_sleep(thread);
	case SD_REQ_LOG:
		return log_line(thread);
	case SD_REQ_CHECK_STAMPS:
		return check_stamps(thread);
	case SD_REQ_SPUN:
		return spun(thread);
	case SD_REQ_BREAK:
		session_break(thread->session);
		thread->unfinished = true;
		return SLICE_GOES_ON;
	case SD_REQ_STOPPED:
		session_initiator_stopped(thread->session);
		thread->unfinished = true;
		return SLICE_GOES_ON;
	default:
		why_set(&thread->why, EXIT_GUEST, EIO, "vCPU %u: unknown doorbell 0x%x",
			thread->vcpu.id, request);
		return SLICE_FAILED;
	}
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
	return doorbell(thread, request);
}

static enum slice_end access_device(struct vcpu_thread *thread)
{
	thread->unfinished = true;
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

/* Read only, and after park's settling: where KVM marks vCPUs itself, the ioctl would
 * else store a plain 1 over the byte and erase a flush asked for. A vCPU that cannot
 * be asked is woken, and then says why. */
bool vcpu_is_interrupted(struct slot_member *member)
{
	struct vcpu_thread *thread = (struct vcpu_thread *)(void *)
		((char *)member - offsetof(struct vcpu_thread, member));
	struct kvm_lapic_state lapic;
	struct why ignored = { 0 };

	return kvm_get_lapic(thread->vcpu.fd, &lapic, &ignored) != 0 || lapic_has_pending(&lapic);
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
	int error = 0;

	/* Not where it was pinned to: that CPU has gone offline, and nothing brings it back. */
	thread->counts.strayed += sched_getcpu() != thread->slot->cpu;
	if (thread->unfinished)
		error = vcpu_finish_instruction(&thread->vcpu, &thread->why);
	thread->unfinished = false;
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

void *vcpu_thread_main(void *argument)
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
