# SPDX-License-Identifier: MIT
"""mutants.py - the table: each known way to get these protocols wrong, as an edit of
the sources that are built and run, and what finds it out.

An edit's old text stands in its file exactly once. Where it no longer does, the
function has changed: look at the mutant again. The stage of a mutant are edits that are
right, and make likely what is rare: it is built with the sources that have to be clean
too.
"""
import operator
from dataclasses import dataclass

# What the test of the flush on entry says at start; the status is 3.
SURVIVED = "stale translations survived it"

OPERATORS = {"==": operator.eq, ">": operator.gt, "<": operator.lt}


@dataclass(frozen=True)
class Edit:
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Count:
    """Of one protocol of summary.json. True of the mutant, and not of its stage alone."""
    protocol: str
    key: str
    operator: str
    value: float

    def holds(self, protocols):
        return self.protocol in protocols and \
            OPERATORS[self.operator](protocols[self.protocol][self.key], self.value)

    def __str__(self):
        return f"`{self.protocol}`: {self.key} {self.operator} {self.value}"


@dataclass(frozen=True)
class Run:
    """Of vmm on this host's KVM. Without the bug it ends with status 0 and is silent, and
    none of @counts holds; the mutant ends with @status and has @words on stderr, and all
    of @counts hold."""
    options: tuple
    counts: tuple = ()
    status: int = 0
    words: str = ""
    surveyed: bool = False      # or the test of the flush on entry at start sees it first
    payload: str = ""           # of tests/guest, in place of the built-in one


@dataclass(frozen=True)
class Test:
    """A test of the edited sources' own: it fails, and passes without the bug."""
    name: str
    arguments: tuple = ()

    def __str__(self):
        return " ".join((self.name,) + self.arguments)


@dataclass(frozen=True)
class Mutant:
    name: str
    hazard: str
    source: str
    bug: tuple                  # Edit
    stage: tuple = ()           # Edit
    models: tuple = ()          # (model, definition) of run_models.py's CASES
    stress: tuple = ()          # tests of the suite mutants: the bug in word_under_test.h
    tests: tuple = ()           # Test
    run: Run = None
    guest: bool = False         # only the payload is built: the VMM has no part in it
    quick: bool = False         # its run is one of the default suite's
    litmus: str = ""
    remark: str = ""            # what is not shown, and why


def overcommitted(protocol, *options, slice_us="500", flushes="200"):
    return ("--vcpus", "8", "--overcommit", "4", "--protocol", protocol, "--slice-us", slice_us,
            "--pace-us", "0", "--warmup", "0", "--flushes", flushes, "--duration", "30") + options


# No other way where this one is seen to fail.
BY_STEAL = ("--entry-flush", "steal")


def stale(protocol):
    return Count(protocol, "stale", ">", 0)


# No longer than a run by default, but for the flush in hand. @seed draws the vCPU.
def many(protocol, seed):
    return ("--vcpus", "130", "--overcommit", "65", "--protocol", protocol, "--warmup", "2",
            "--flushes", "1", "--seed", seed)


# Interrupted between its steps, what the assembly handler has acknowledged by then.
HANDLER_STEPS = Run(
    ("--vcpus", "2", "--overcommit", "2", "--protocol", "ipi", "--slice-us", "10000000",
     "--preempt", "at-step=read,flushed,served", "--duration", "1"),
    (), 4, "handler_steps.c", payload="handler_steps")

# Why no stale load shows it.
RING_0 = ("KVM: no load shows it. The handler is in ring 0, reads no window after its flush, and "
          "on kvm-pvm the flush takes effect when it returns")


# --- stages -----------------------------------------------------------------------------

# The first two not while the host is surveyed, whose test of the flush on entry would
# always see the bug. It may all the same, where a slice ends in that test.

# A slice that ends before the guest was entered: unpark, park, unpark.
SLICES_END_BEFORE_ENTRY = Edit(
    "vmm/session/vcpu_loop.c",
    """\
	int error = vcpu_unpark(thread);

	vcpu_state_set""",
    """\
	int error = vcpu_unpark(thread);

	if (error == 0 && !thread->session->stopping) {
		error = vcpu_park(thread);
		if (error == 0)
			error = vcpu_unpark(thread);
	}
	vcpu_state_set""")

# Every other one.
RUNS_ARE_CANCELLED = Edit(
    "vmm/session/vcpu_loop.c",
    """\
	error = vcpu_run(thread);
	exit_begin(thread);""",
    """\
	static _Thread_local bool cancelled;

	cancelled = !cancelled && !thread->session->stopping;
	if (cancelled)
		__atomic_store_n(&thread->vcpu.run->immediate_exit, 1, __ATOMIC_RELAXED);
	error = vcpu_run(thread);
	exit_begin(thread);""")

# The first signal gets lost; who waits sends more.
KICKS_LAND_LATE = (
    Edit("vmm/session/request_flush.c",
         """\
	slot_kick(&target->member);
	return true;""",
         """\
	return true;"""),
    Edit("vmm/session/request_flush.c",
         """\
			sched_yield();""",
         """\
			slot_kick(&session->threads[i].member), sched_yield();"""),
)

# --- the table --------------------------------------------------------------------------

# The body of sd_word_unpark().
UNPARK = """\
	sd_u32_and(&region->request, ~(uint32_t)SD_WORD_PREEMPTED);
	if (!(sd_u32_load_acquire(&region->request) & SD_WORD_SHOULD_FLUSH))
		return false;
	sd_u32_and(&region->request, ~(uint32_t)SD_WORD_SHOULD_FLUSH);
	return true;"""

TABLE = [
    Mutant(
        "cas_test_inverted",
        "cmpxchg returns the old value: success was taken for failure, and failure for success",
        "the code of 2012; the changelog of the series of 2017 has its fix",
        (Edit("include/word.h",
              """\
		sd_u8_cas(&region->preempted, old, old | SD_BYTE_FLUSH_TLB);""",
              """\
		!sd_u8_cas(&region->preempted, old, old | SD_BYTE_FLUSH_TLB);"""),),
        models=(("deferred", "MUTANT_CAS_TEST_INVERTED"),
                ("takeover", "MUTANT_CAS_TEST_INVERTED")),
        stress=("byte_cas_test_inverted",),
        tests=(Test("byte_transitions_keep_a_pending_flush"),),
        run=Run(overcommitted("deferred"), (Count("deferred", "deferred_per_flush", "<", 0.5),)),
        guest=True,
        remark="KVM: success comes first and leaves its mark, so that what follows is no "
               "lost flush but one that is waited for",
    ),
    Mutant(
        "second_preemption_overwrites",
        "a second marking stores over the flush that is pending in the byte",
        "CVE-2019-3016, first half: 8c6de56a42e0",
        (Edit("include/word.h",
              """\
	sd_u8_or(&region->preempted, SD_BYTE_PREEMPTED);""",
              """\
	(void)sd_u8_exchange(&region->preempted, SD_BYTE_PREEMPTED);"""),),
        (SLICES_END_BEFORE_ENTRY,),
        models=(("deferred", "MUTANT_MARK_OVERWRITES"),),
        tests=(Test("byte_transitions_keep_a_pending_flush"), Test("parks_keep_the_debt")),
        run=Run(overcommitted("deferred", *BY_STEAL, slice_us="5000", flushes="1500"),
                (stale("deferred"),), 1, surveyed=True),
    ),
    Mutant(
        "private_copy_written_back",
        "the flags are cleared in a copy, and the copy is written over a mark made meanwhile",
        "CVE-2019-3016, second half: b043138246a4, 1eff70a9abd4",
        (Edit("include/word.h",
              UNPARK,
              """\
	uint32_t copy = sd_u32_load(&region->request);

	for (int dwell = 0; dwell < 2000; dwell++)
		__builtin_ia32_pause();
	sd_u32_store(&region->request, copy & ~(uint32_t)SD_WORD_FLAGS);
	return copy & SD_WORD_SHOULD_FLUSH;"""),),
        models=(("generation", "MUTANT_UNPARK_BY_COPY"), ("deferred", "MUTANT_TAKE_BY_COPY")),
        stress=("word_unpark_by_copy", "byte_take_by_copy"),
        tests=(Test("transitions_touch_memory_in_order"),),
        run=Run(overcommitted("generation", flushes="2000"), (stale("generation"),), 1),
    ),
    Mutant(
        "flag_cleared_on_a_cancelled_run",
        "KVM_RUN has returned, so the flush that was asked for counts as done; the run was "
        "cancelled before it",
        "Hyperlight, pull request 1333",
        (Edit("vmm/session/vcpu_loop.c",
              """\
	if (error == -EINTR)
		return SLICE_GOES_ON;""",
              """\
	if (error == -EINTR)
		(void)sd_byte_take(thread->vcpu.region);
	if (error == -EINTR)
		return SLICE_GOES_ON;"""),),
        (RUNS_ARE_CANCELLED,),
        models=(("deferred", "MUTANT_CANCELLED_RUN_DROPS_DEBT"),),
        run=Run(overcommitted("deferred", *BY_STEAL), (stale("deferred"),), 1, surveyed=True),
    ),
    Mutant(
        "return_before_the_kick_lands",
        "who has asked for the flush goes on when the kicks are sent",
        "Hyper-V on KVM: 0baedd792713, fixed by 1ebfaa11ebb5",
        (Edit("vmm/session/request_flush.c",
              """\
	return !vcpu_mode_is_in_guest(target->mode) || !atomic_load(&target->flush_asked);""",
              """\
	return vcpu_mode_is_in_guest(target->mode) || true;"""),),
        KICKS_LAND_LATE,
        models=(("hypercall", "MUTANT_KICK_IS_ENOUGH"),),
        tests=(Test("asked_flushes_land_before_the_return"),),
        run=Run(overcommitted("hypercall"), (stale("hypercall"),), 1),
    ),
    Mutant(
        "preempted_in_mid_instruction",
        "a vCPU is preempted when KVM has translated the operands of an instruction and not "
        "yet used them: a deferred flush comes too late for those",
        "CVE-2022-39189, 6cd88243c7e0",
        (Edit("vmm/session/vcpu_loop.c",
              """\
	error = vcpu_complete(thread);
	return error != 0 ? error : vcpu_park(thread);""",
              """\
	thread->unfinished = false;
	return vcpu_park(thread);"""),),
        tests=(Test("vcpus_park_between_instructions"),),
        remark="The models take every exit for an instruction boundary. KVM: a doorbell's "
               "operands are registers, and leave nothing to go stale",
    ),
    Mutant(
        "region_moved_old_address_written",
        "KVM has another address for the region than guest and VMM have",
        "7e2175ebd695, fixed by 901d3765fa80 and c3c28d24d910",
        (Edit("vmm/machine/vcpu.c",
              """\
	uint64_t steal_time = (SD_REGION_GPA + (uint64_t)vcpu->id * SD_REGION_STRIDE) |""",
              """\
	uint64_t steal_time = (SD_REGION_GPA + (uint64_t)(vcpu->id + 1) * SD_REGION_STRIDE) |"""),),
        run=Run(overcommitted("deferred", *BY_STEAL), (), 3,
                SURVIVED),
        remark="The models have no addresses. KVM: the functional test at start refuses the "
               "host before anything is measured",
    ),
    Mutant(
        "steal_bit_does_nothing",
        "the steal-time bit flushes nothing, as on a host that takes it and does not look",
        "0f990222108d: PV flush silently off",
        (Edit("vmm/session/park.c",
              """\
		if (thread->owes_flush)
			sd_byte_ask_flush(region);
""",
              """\
"""),),
        run=Run(overcommitted("generation"), (), 0, "vmm: note: flush on entry by the steal-time bit"),
        remark="The models know no way but one. KVM: the functional test at start finds it out, and "
               "the run goes on with KVM_SET_SREGS and loses nothing",
    ),
    Mutant(
        "preempted_never_cleared",
        "a vCPU is taken for preempted for ever: it is marked, and never asked",
        "66570e966dd9, fixed by 1eff0ad",
        (Edit("include/word.h",
              """\
	sd_u32_and(&region->request, ~(uint32_t)SD_WORD_PREEMPTED);
""", ""),),
        models=(("generation", "MUTANT_PREEMPTED_STAYS"), ("deferred", "MUTANT_PREEMPTED_STAYS")),
        tests=(Test("word_transitions_follow_the_handshake"), Test("parks_keep_the_debt")),
        run=Run(overcommitted("generation", flushes="1500"), (stale("generation"),), 1),
    ),
    Mutant(
        "unpark_looks_first",
        "unpark looks for a mark and then clears PREEMPTED: what is marked in between is found "
        "at the next unpark, and too late",
        "this design",
        (Edit("include/word.h",
              UNPARK,
              """\
	bool marked = sd_u32_load_acquire(&region->request) & SD_WORD_SHOULD_FLUSH;

	if (marked)
		sd_u32_and(&region->request, ~(uint32_t)SD_WORD_SHOULD_FLUSH);
	for (int dwell = 0; dwell < 2000; dwell++)
		__builtin_ia32_pause();
	sd_u32_and(&region->request, ~(uint32_t)SD_WORD_PREEMPTED);
	return marked;"""),),
        models=(("generation", "MUTANT_UNPARK_LOOKS_FIRST"),),
        stress=("word_unpark_looks_first",),
        tests=(Test("transitions_touch_memory_in_order"),),
        run=Run(overcommitted("generation", flushes="2000"), (stale("generation"),), 1),
    ),
    Mutant(
        "protocol_silently_off",
        "nobody is deferred any more, and every flush is right: only the counts can tell",
        "0f990222108d",
        (Edit("guest-payload/protocol.h",
              """\
	if (sd_byte_defer(target))
		return G_POST_COVERED;
""", ""),),
        run=Run(overcommitted("deferred", flushes="60"),
                (Count("deferred", "deferred_per_flush", "==", 0),)),
        guest=True,
        quick=True,
        remark="There is nothing to refute",
    ),
    Mutant(
        "error_1_of_2017",
        "the target leaves the mask of IPIs when IPI_PENDING was set, where it has to when "
        "SHOULD_FLUSH was",
        "the text of 2017-11-13, its first loop",
        (Edit("include/pending_2017.h",
              """\
	return old & SD_2017_PREEMPTED;""",
              """\
	return !(old & SD_2017_PREEMPTED);"""),),
        models=(("ipi_pending_2017", "ERROR_1"),),
        tests=(Test("pending_2017_is_one_bit"),),
        run=Run(overcommitted("ipi-pending-2017"), (stale("ipi-pending-2017"),)),
        guest=True,
        quick=True,
    ),
    Mutant(
        "error_2_of_2017",
        "a request that is outstanding is taken for one's own, though its flush may have been",
        "the text of 2017-11-13, two initiators",
        (Edit("include/word.h",
              """\
			: old + SD_WORD_GENERATION;""",
              """\
			: sd_u32_load(&region->served) != old ? old : old + SD_WORD_GENERATION;"""),),
        models=(("ipi_pending_2017", "ERROR_2"),),
        tests=(Test("word_transitions_follow_the_handshake"),),
        remark=RING_0,
    ),
    Mutant(
        "error_3_of_2017",
        "one bit cannot say which request was served: a handler that was parked after its "
        "flush answers a later one",
        "the text of 2017-11-13, one initiator and a park",
        (Edit("include/word.h",
              """\
	return (int32_t)((served & ~(uint32_t)SD_WORD_FLAGS) - want) >= 0;""",
              """\
	return !((served ^ want) & SD_WORD_GENERATION);"""),),
        models=(("ipi_pending_2017", "ERROR_3"),),
        tests=(Test("word_transitions", ("generation",)),
               Test("word_transitions_follow_the_handshake")),
        remark=RING_0,
    ),
    Mutant(
        "error_4_of_2017",
        "the transfer comes before the mark: what is posted between them is dropped at the next "
        "entry",
        "the text of 2017-11-13, VMEXIT and VMENTER",
        (Edit("include/pending_2017.h",
              """\
	sd_u32_or(&region->state_2017, SD_2017_PREEMPTED);
	if (!sd_2017_pending(region))
		return false;
	sd_2017_handler_done(region);
	return true;""",
              """\
	bool owes = sd_2017_pending(region);

	sd_2017_handler_done(region);
	for (int dwell = 0; dwell < 2000; dwell++)
		__builtin_ia32_pause();
	sd_u32_or(&region->state_2017, SD_2017_PREEMPTED);
	return owes;"""),),
        models=(("ipi_pending_2017", "ERROR_4"), ("generation", "MUTANT_TRANSFER_BEFORE_MARK")),
        stress=("word_transfer_before_mark",),
        run=Run(overcommitted("ipi-pending-2017", flushes="800"), (stale("ipi-pending-2017"),)),
    ),
    Mutant(
        "request_read_again",
        "the handler acknowledges the request as it stands behind its flush",
        "this design",
        (Edit("guest-payload/entry.S",
              """\
	step	\\stepped, SD_STEP_FLUSHED
	popq	SERVED""",
              """\
	step	\\stepped, SD_STEP_FLUSHED
	popq	%rax
	movl	REQUEST, %eax
	andl	$~SD_WORD_FLAGS, %eax
	movl	%eax, SERVED"""),),
        models=(("generation", "MUTANT_SERVE_READS_AGAIN"),),
        stress=("word_serve_reads_again",),
        run=HANDLER_STEPS,
        guest=True,
        remark=RING_0,
    ),
    Mutant(
        "acknowledged_before_the_flush",
        "an early acknowledgement: the initiator frees what the target still has in its "
        "paging-structure caches",
        "EuroSys 2020, on early acknowledgements",
        (Edit("guest-payload/entry.S",
              """\
	isr_enter \\x2apic, \\traced
	serve_begin \\stepped
	flush_all
	serve_end""",
              """\
	isr_enter \\x2apic, \\traced
	serve_begin \\stepped
	movq	(%rsp), %rax
	movq	%rax, SERVED
	flush_all
	serve_end"""),),
        models=(("ipi", "MUTANT_SERVE_BEFORE_FLUSH"), ("generation", "MUTANT_SERVE_BEFORE_FLUSH"),
                ("grace", "MUTANT_SERVE_BEFORE_FLUSH")),
        run=HANDLER_STEPS,
        guest=True,
        remark=RING_0,
    ),
    Mutant(
        "freed_after_an_early_acknowledgement",
        "the flush's interrupt is taken in the middle of a lockless walk, and the table freed "
        "under it",
        "gup_fast() under flushes without IPIs; 9e52fc2b50d, a37259732a7d",
        (Edit("guest-payload/walker.c",
              """\
	set_tpr(TPR_INTERRUPTS_OFF);
	__asm__""",
              """\
	__asm__"""),),
        models=(("grace", "MUTANT_OFF_BY_STORE"), ("grace", "MISSED")),
        run=Run(("--vcpus", "8", "--overcommit", "4", "--protocol", "ipi", "--slice-us", "500",
                 "--pace-us", "0", "--warmup", "0", "--flushes", "200", "--duration", "30",
                 "--workload", "teardown", "--table-free", "now", "--preempt",
                 "at-step=walk,served"),
                (Count("ipi", "bad_walks", ">", 0),), 1, "freed table"),
        guest=True,
        quick=True,
    ),
    Mutant(
        "debt_dropped_on_a_cancelled_run",
        "what park took over is KVM's debt from unpark on; the run is cancelled before entry, "
        "and the next park begins from nothing",
        "this design",
        (Edit("vmm/session/park.c",
              """\
	thread->counts.switches++;
	sd_byte_mark(region);""",
              """\
	thread->counts.switches++;
	(void)sd_byte_take(region);
	sd_byte_mark(region);"""),),
        (SLICES_END_BEFORE_ENTRY,),
        models=(("generation", "MUTANT_CANCELLED_RUN_DROPS_DEBT"),),
        stress=("word_cancelled_run_drops_debt",),
        tests=(Test("parks_keep_the_debt"),),
        run=Run(overcommitted("generation", "--clear-pending", *BY_STEAL, slice_us="5000",
                              flushes="1500"), (stale("generation"),), 1, surveyed=True),
    ),
    Mutant(
        "transfer_forgotten",
        "only the flag counts at unpark, and not what park has taken over",
        "this design",
        (Edit("vmm/session/park.c",
              """\
	thread->owes_flush |= sd_word_unpark(region);""",
              """\
	thread->owes_flush = sd_word_unpark(region);"""),),
        models=(("generation", "MUTANT_UNPARK_DROPS_DEBT"),),
        stress=("word_unpark_drops_debt",),
        tests=(Test("parks_keep_the_debt"),),
        run=Run(overcommitted("generation", "--clear-pending", flushes="2000"),
                (stale("generation"),), 1),
    ),
    Mutant(
        "look_is_enough",
        "a waiter that reads PREEMPTED and the flush flag stops without a compare-and-swap of "
        "its own: its PTE store is still in the store buffer",
        "this design",
        (Edit("include/word.h",
              """\
	return (old & SD_BYTE_PREEMPTED) &&
		sd_u8_cas""",
              """\
	if (old == (SD_BYTE_PREEMPTED | SD_BYTE_FLUSH_TLB))
		return true;
	return (old & SD_BYTE_PREEMPTED) &&
		sd_u8_cas"""),),
        models=(("deferred", "MUTANT_LOOK_IS_ENOUGH"), ("takeover", "MUTANT_LOOK_IS_ENOUGH"),
                ("generation", "MUTANT_LOOK_IS_ENOUGH")),
        stress=("byte_look_is_enough",),
        tests=(Test("transitions_touch_memory_in_order"),),
        remark="KVM: a store leaves the buffer in nanoseconds, and an unpark takes "
               "microseconds to get to its flush",
    ),
    Mutant(
        "cross_thread_or",
        "another thread than the vCPU's sets bits in KVM's byte, which KVM overwrites with a "
        "plain store when it schedules the vCPU out",
        "this design",
        (Edit("vmm/session/request_flush.c",
              """\
		(void)atomic_exchange(&target->flush_asked, true);""",
              """\
		sd_byte_ask_flush(target->vcpu.region);
		(void)atomic_exchange(&target->flush_asked, true);"""),
         Edit("vmm/session/request_flush.c",
              """\
	thread->owes_flush |= atomic_exchange(&thread->flush_asked, false);""",
              """\
	(void)atomic_exchange(&thread->flush_asked, false);""")),
        models=(("deferred", "MUTANT_CROSS_THREAD_OR"),),
        tests=(Test("asked_flushes_land_before_the_return"),),
        remark="KVM: kvm-pvm never marks a vCPU, and so never stores over the byte",
    ),
    Mutant(
        "park_does_not_settle",
        "the last exit has left KVM ready to mark the vCPU: scheduled out in its next KVM_RUN, "
        "before it has looked, it stores over the flush that is asked for in its byte",
        "this design; CVE-2019-3016 once more",
        (Edit("vmm/session/park.c",
              """\
	if (thread->policy->settles)
		error = settle(thread);
""", ""),),
        models=(("deferred", "MUTANT_NO_SETTLE"), ("takeover", "MUTANT_NO_SETTLE"),
                ("generation", "MUTANT_NO_SETTLE"), ("hypercall", "MUTANT_NO_SETTLE")),
        tests=(Test("parks_keep_the_debt"),),
        remark="KVM: kvm-pvm never marks a vCPU; "
               "`../hosts/entry_flushes_outlast_preemption_test.py` counts "
               "what is lost on an emulated AMD host",
    ),
    Mutant(
        "in_walk_read_first",
        "in_walk is read, then PREEMPTED: a walk that begins in between is missed",
        "this design",
        (Edit("include/grace.h",
              """\
	return (sd_u32_load_acquire(&region->request) & SD_WORD_PREEMPTED) &&
		sd_u32_load_acquire(&region->in_walk) == 0;""",
              """\
	return sd_u32_load_acquire(&region->in_walk) == 0 &&
		(sd_u32_load_acquire(&region->request) & SD_WORD_PREEMPTED);"""),),
        models=(("grace", "MUTANT_IN_WALK_FIRST"),),
        tests=(Test("transitions_touch_memory_in_order"),),
        remark="KVM: a walk that begins after the unlinking finds no table. The order counts "
               "where in_walk waits in a store buffer, which the walker's fence drains",
    ),
    Mutant(
        "one_vcpu_of_130_is_left_out",
        "every flush of one vCPU of many is lost, whichever it is",
        "this design",
        (Edit("guest-payload/flush.c",
              """\
		if (vcpu == self)
			continue;""",
              """\
		if (vcpu == self || vcpu == 1 + g_control()->seed % (vcpus - 1))
			continue;"""),
         Edit("guest-payload/flush.c",
              """\
		ops->begin(self, flush->targets);""",
              """\
		ops->begin(self, flush->targets - 1);"""),
         Edit("guest-payload/protocols/hypercall.c",
              """\
	if (self / 64 == first / 64)
""",
              """\
	if ((1 + g_control()->seed % (vcpus - 1)) / 64 == first / 64)
		targets &= ~(UINT64_C(1) << (1 + g_control()->seed % (vcpus - 1)) % 64);
	if (self / 64 == first / 64)
""")),
        tests=(Test("guest_flush_asks_every_target"), Test("guest_asks_for_every_other_vcpu")),
        run=Run(many("safe", "4711"),
                tuple(map(stale, ("ipi", "sleep", "yield", "deferred", "generation",
                                  "takeover", "hypercall"))), 1),
        guest=True,
        remark="Models: none has so many; `../unit/guest_oracle_watches_every_group_test.c` has "
               "up to 1024",
    ),
    Mutant(
        "hypercall_forgets_one_of_64",
        "the request leaves out the initiator's bit in every word, and so vCPUs 64 and 128 of 130",
        "this design",
        (Edit("guest-payload/protocols/hypercall.c",
              """\
	if (self / 64 == first / 64)
		targets""",
              """\
	targets"""),),
        tests=(Test("guest_asks_for_every_other_vcpu"),),
        run=Run(many("hypercall", "1"), (stale("hypercall"),), 1),
        guest=True,
        quick=True,
        remark="Models: none has more than a word of targets",
    ),
]
