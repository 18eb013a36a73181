// SPDX-License-Identifier: MIT
/*
 * requests_fuzz.c - a whole session of vCPU threads, and guests that ask for anything.
 *
 * The input is a program: two bytes of the session's shape, a generation for each vCPU,
 * then steps of two bytes: who runs on, and what its guest does if it gets to. The vCPU
 * threads are the VMM's own (vcpu_loop.c, doorbell.c, park.c, request_flush.c, slot.c), on a host
 * that is not there (fake_host.h). The reference keeps for each vCPU and page the oldest
 * translation that its TLB may hold, and for each page the newest one that a flush which
 * has returned was about. Checked:
 * - a vCPU that runs guest code holds nothing older, at each return and each entry;
 * - every flush returns, once vCPUs get to run in turn;
 * - doorbells: those that make no sense end the run with one line, no other does;
 *   addresses are checked in 128 bits; counters are what was asked for;
 * - pointers lead where the guest's page tables say at that moment: lines for the user
 *   and words of stamped pages are those that the reference reads (reference_pointer.h);
 * - a slot has one holder, a vCPU is in one place, and is parked between instructions.
 * A guest may also lie: write what it likes where it may write, its page tables too. Then
 * the first two do not hold, and all else does.
 *
 * Owns:    the program, and what it has chosen. The other parts: requests.h.
 * Threads: one.
 */
#include "requests.h"

#include <string.h>

struct guest g_guests[FAKE_VCPUS];
struct fuzz_program g_program;
uint32_t g_choice;
bool g_draining;

/* --- one step ---------------------------------------------------------------------- */

/* What an interrupt or a flush in hand asks for; the handler first: interrupts are off. */
static enum guest_step go_on(uint32_t vcpu, struct guest *guest, struct kvm_run *run)
{
	if (guest->handler != HANDLER_NONE)
		return step_handler(vcpu, guest, run);
	if (g_draining && begin_handler(vcpu, guest))
		return GUEST_RUNS;
	return g_draining && g_job_over ? end_job(vcpu, run) : step_flush(vcpu, guest, run);
}

enum guest_step guest_step(uint32_t vcpu, struct kvm_run *run)
{
	struct guest *guest = &g_guests[vcpu];

	if (g_stopping)
		return GUEST_RUNS;
	if (g_draining)
		return go_on(vcpu, guest, run);
	switch (g_choice & 7) {
	case 0:
		if (guest->phase == PHASE_IDLE && guest->handler == HANDLER_NONE && !g_job_over)
			begin_flush(vcpu);
		return GUEST_RUNS;
	case 1:
		if (guest->handler == HANDLER_NONE)
			(void)begin_handler(vcpu, guest);
		return GUEST_RUNS;
	case 2:
		return GUEST_IS_SCHEDULED_OUT;
	case 3:
		return g_lies ? lie(vcpu, guest, run) : ring_something(vcpu, guest, run);
	case 4:
		return ring_something(vcpu, guest, run);
	case 6:
		return ring_with_pointer(vcpu, run);
	case 7:
		if (g_lies) {
			write_entry();
			return GUEST_RUNS;
		}
		/* fall through */
	default:
		return go_on(vcpu, guest, run);
	}
}

/* --- the program ----------------------------------------------------------------- */

static void schedule(void)
{
	uint32_t byte = (uint32_t)fuzz_take(&g_program, 1), vcpu = byte & 3;

	g_choice = (uint32_t)fuzz_take(&g_program, 1);
	switch (byte >> 2 & 7) {
	case 0:
		fake_pass_time(SLICE_NS / 4 * (vcpu + 1));
		check_log();
		break;
	case 1:
		give_next_job();
		break;
	default:
		for (uint32_t times = 1 + (byte >> 5); times > 0; times--)
			(void)fake_resume(vcpu);
		break;
	}
}

/* Each vCPU gets to run in turn, and once more when all is over: what hangs now hangs for
 * ever, and what is old is used. */
static void drain(void)
{
	g_draining = true;
	tlb_forget_entries();
	for (uint32_t round = 0; !tlb_all_have_entered(); round++) {
		if (!is_all_quiet())
			tlb_forget_entries();
		fuzz_check(round < DRAIN_ROUNDS);
		fake_pass_time(SLICE_NS / 4);
		give_next_job();
		for (uint32_t i = 0; i < FAKE_VCPUS; i++) {
			for (int times = 0; times < 8; times++)
				(void)fake_resume(i);
			check_slots();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	g_program = (struct fuzz_program){ data, bytes };
	memset(g_guests, 0, sizeof(g_guests));
	g_draining = false;
	tlb_begin();
	log_begin();
	session_begin();
	while (g_program.left != 0 && !has_failed()) {
		schedule();
		check_slots();
	}
	if (!g_lies && !has_failed())
		drain();
	session_stop();
	check_counts();
	check_log();
	session_end();
	return 0;
}
