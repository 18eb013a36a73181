#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Let Spin search every model: the protocols hold, each mutant is refuted.

Usage: run_models.py [--long] [--only TEXT] [VMM BUILD]
       (VMM and BUILD are what every script test is given; not used here)
Exit status: 0 all as expected; 1 not; 77 no Spin; 99 a model does not compile.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

MODELS = Path(__file__).resolve().parent
CC = os.environ.get("CC", "cc")

# Of a search: steps on its stack, and 2^n places in its table of states. Both are filled with
# zeros first, which takes longer than most quick ones. Spin says when a stack was not
# enough, and then the case has failed.
REFUTES, QUICK, LONG = (100_000, 18), (1_000_000, 22), (16_000_000, 24)
MEMORY_MB = 12_000

ONE = ("INITIATORS=1", "TARGETS=1")
TWO = ("INITIATORS=2", "TARGETS=1")
THREE = ("INITIATORS=3", "TARGETS=1")
TWO_TARGETS = ("INITIATORS=1", "TARGETS=2")
MUTUAL = ("INITIATORS=2", "MUTUAL")         # each other's targets
STAY = ("PARKED_MAY_STAY",)                 # nobody may wait for a parked vCPU
MARKS = ("HOST_MARKS",)                     # VMX, SVM; flush by KVM's byte
SREGS = ("HOST_MARKS", "FLUSH_BY_SREGS")
ON_ONE_SLOT = ("SLOTS=1",)                  # yield.pml
ON_TWO_SLOTS = ("SLOTS=2",)
ONE_OF_THREE = ("INITIATORS=1", "TARGETS=3", "MUTUAL")
NO_BUFFERS = ("NO_STORE_BUFFERS",)          # sequentially consistent, which x86 is not
MARKING = ("PARK_MARKS",)                   # range.pml without transfer
CLEARING = ("CLEARS_PENDING",)              # a transferred request's IPI is taken back
HELD = ("HELD",)                            # grace.pml: how the flush goes
MISSED = ("MISSED",)
UNHEARD = ("UNHEARD",)
GRACE = ("GRACE",)                          # and a grace period after it


def posts(count):
    return (f"MAX_POSTS={count}",)


@dataclass(frozen=True)
class Case:
    model: str
    defines: tuple
    expected: str = "holds"                 # or one of ERRORS
    long: bool = False


def holds(model, *defines, long=False):
    return Case(model, sum(defines, ()), long=long)


def refuted(model, name, *defines, how="stale"):
    return Case(model, (name,) + sum(defines, ()), expected=how)


CASES = [
    holds("ipi", ONE, posts(0)),
    holds("ipi", TWO),
    holds("ipi", MUTUAL, posts(2)),
    holds("ipi", TWO_TARGETS, posts(0)),
    holds("ipi", THREE, posts(6), long=True),
    refuted("ipi", "MUTANT_NO_WAIT", TWO),
    refuted("ipi", "MUTANT_SERVE_BEFORE_FLUSH", TWO),
    refuted("ipi", "MUTANT_SKIP_PREEMPTED", TWO),

    holds("yield", MUTUAL, ON_ONE_SLOT, posts(1)),
    holds("yield", ONE_OF_THREE, ON_ONE_SLOT, posts(1)),
    holds("yield", ONE_OF_THREE, ON_TWO_SLOTS, posts(1), long=True),
    holds("yield", MUTUAL, ON_ONE_SLOT, posts(3), long=True),
    holds("yield", ONE_OF_THREE, ON_ONE_SLOT, posts(0), long=True),
    holds("yield", ONE_OF_THREE, ON_TWO_SLOTS, posts(0), long=True),
    refuted("yield", "MUTANT_YIELD_IS_ENOUGH", MUTUAL, ON_ONE_SLOT),
    refuted("yield", "MUTANT_NO_WAIT", ONE_OF_THREE, ON_TWO_SLOTS),
    refuted("yield", "MUTANT_SERVE_BEFORE_FLUSH", MUTUAL, ON_ONE_SLOT),
    refuted("yield", "MUTANT_HELPS_AT_EACH_LOOK", MUTUAL, ON_ONE_SLOT, how="late"),
    refuted("yield", "MUTANT_PREFERRED_IS_LOST", ONE_OF_THREE, ON_ONE_SLOT, how="late"),
    refuted("yield", "MUTANT_YIELDER_IS_NOT_QUEUED", MUTUAL, ON_ONE_SLOT, how="deadlock"),

    holds("deferred", ONE, posts(0)),
    holds("deferred", TWO),
    holds("deferred", TWO, MARKS),
    holds("deferred", TWO, SREGS),
    holds("deferred", MUTUAL, posts(1)),
    holds("deferred", THREE, MARKS, long=True),
    holds("deferred", TWO_TARGETS, MARKS, posts(2), long=True),
    holds("deferred", MUTUAL, MARKS, posts(2), long=True),
    refuted("deferred", "MUTANT_CAS_TEST_INVERTED", TWO),
    refuted("deferred", "MUTANT_LOOK_IS_ENOUGH", TWO),
    holds("deferred", ("MUTANT_LOOK_IS_ENOUGH",), NO_BUFFERS, TWO),
    refuted("deferred", "MUTANT_TAKE_BY_COPY", TWO),
    refuted("deferred", "MUTANT_TAKE_BY_COPY", TWO, SREGS),
    refuted("deferred", "MUTANT_MARK_OVERWRITES", TWO),
    refuted("deferred", "MUTANT_NO_SETTLE", TWO, MARKS),
    refuted("deferred", "MUTANT_NO_SETTLE", TWO, SREGS),
    refuted("deferred", "MUTANT_CROSS_THREAD_OR", TWO, MARKS),
    refuted("deferred", "MUTANT_PREEMPTED_STAYS", TWO),
    refuted("deferred", "MUTANT_CANCELLED_RUN_DROPS_DEBT", TWO),

    holds("takeover", TWO, STAY, posts(2)),
    holds("takeover", TWO, MARKS, STAY, posts(2)),
    holds("takeover", TWO, STAY, posts(3), long=True),
    holds("takeover", TWO, SREGS, STAY, posts(2)),
    holds("takeover", TWO_TARGETS, STAY, posts(1)),
    holds("takeover", MUTUAL, posts(1), long=True),
    holds("takeover", TWO, MARKS, STAY, posts(5), long=True),
    holds("takeover", THREE, STAY, posts(3), long=True),
    holds("takeover", ("WAITER_ONLY_LOOKS",), TWO, STAY, posts(3), long=True),
    refuted("takeover", "MUTANT_LOOK_IS_ENOUGH", TWO, STAY),
    refuted("takeover", "MUTANT_CAS_TEST_INVERTED", TWO, STAY),
    refuted("takeover", "MUTANT_BYTE_NOT_MARKED", TWO, STAY, how="promise"),
    refuted("takeover", "MUTANT_NO_SETTLE", TWO, MARKS, STAY),

    holds("generation", TWO, STAY),
    holds("generation", TWO, MARKS, STAY),
    holds("generation", TWO, SREGS, STAY, posts(3)),
    holds("generation", TWO_TARGETS, STAY, posts(1)),
    holds("generation", MUTUAL, posts(1)),
    holds("generation", THREE, STAY, posts(3), long=True),
    holds("generation", TWO, STAY, CLEARING, posts(3)),
    holds("generation", TWO, STAY, CLEARING, long=True),
    holds("generation", TWO, MARKS, STAY, posts(6), long=True),
    holds("generation", THREE, MARKS, STAY, posts(4), long=True),
    holds("generation", TWO_TARGETS, STAY, posts(2), long=True),
    holds("generation", MUTUAL, posts(2), long=True),
    holds("generation", MUTUAL, CLEARING, posts(1), long=True),
    refuted("generation", "MUTANT_SERVE_READS_AGAIN", TWO, STAY),
    refuted("generation", "MUTANT_SERVE_BEFORE_FLUSH", TWO, STAY),
    refuted("generation", "MUTANT_TRANSFER_BEFORE_MARK", TWO, STAY, how="promise"),
    refuted("generation", "MUTANT_PARK_ONLY_MARKS", TWO, STAY, how="promise"),
    refuted("generation", "MUTANT_UNPARK_DROPS_DEBT", TWO, STAY),
    refuted("generation", "MUTANT_CANCELLED_RUN_DROPS_DEBT", TWO, STAY),
    refuted("generation", "MUTANT_CANCELLED_RUN_DROPS_DEBT", TWO, SREGS, STAY),
    refuted("generation", "MUTANT_UNPARK_BY_COPY", TWO, STAY),
    refuted("generation", "MUTANT_UNPARK_LOOKS_FIRST", TWO, STAY),
    refuted("generation", "MUTANT_PREEMPTED_STAYS", TWO, STAY),
    refuted("generation", "MUTANT_LOOK_IS_ENOUGH", TWO, STAY),
    holds("generation", ("MUTANT_LOOK_IS_ENOUGH",), NO_BUFFERS, TWO, STAY),
    refuted("generation", "MUTANT_NO_WAIT", TWO, STAY),
    refuted("generation", "MUTANT_CLEARED_IN_SERVICE", TWO, STAY, CLEARING, how="deadlock"),
    refuted("generation", "MUTANT_NO_SETTLE", TWO, MARKS, STAY),

    holds("range", TWO, STAY, posts(2)),
    holds("range", TWO, STAY, posts(3), long=True),
    holds("range", TWO, STAY, ("MAY_ASK_FOR_ALL",), posts(2)),
    holds("range", MUTUAL, MARKING, posts(1)),
    holds("range", TWO, STAY, ("MAY_ASK_FOR_ALL",), posts(3), long=True),
    holds("range", TWO, STAY, CLEARING, posts(3), long=True),
    holds("range", TWO_TARGETS, STAY, posts(1), long=True),
    holds("range", MUTUAL, posts(1), long=True),
    holds("range", THREE, MARKING, posts(3), long=True),
    refuted("range", "MUTANT_TAG_NOT_CHECKED", TWO, STAY),
    refuted("range", "MUTANT_OUTSTANDING_NOT_CHECKED", TWO, STAY),
    refuted("range", "MUTANT_SLOT_IN_TWO_WORDS", TWO, STAY),

    holds("asleep", TWO_TARGETS),
    holds("asleep", TWO),
    holds("asleep", MUTUAL),
    holds("asleep", THREE, long=True),
    refuted("asleep", "MUTANT_BITS_TAKEN_AFTER_FLUSH", TWO),
    refuted("asleep", "MUTANT_TAKE_BY_COPY", TWO, how="deadlock"),
    refuted("asleep", "MUTANT_BEGIN_AFTER_ASKING", TWO, how="deadlock"),
    refuted("asleep", "MUTANT_NO_FENCE_BEFORE_SLEEP", TWO, how="deadlock"),
    holds("asleep", ("MUTANT_NO_FENCE_BEFORE_SLEEP",), NO_BUFFERS, TWO),
    refuted("asleep", "MUTANT_LOOK_BEFORE_ANNOUNCING", TWO, how="deadlock"),
    refuted("asleep", "MUTANT_WAKE_IS_FORGOTTEN", MUTUAL, how="deadlock"),
    refuted("asleep", "MUTANT_WAKE_IS_ENOUGH", MUTUAL),
    refuted("asleep", "MUTANT_INTERRUPTS_DO_NOT_WAKE", MUTUAL, how="deadlock"),

    holds("hypercall", TWO),
    holds("hypercall", TWO, MARKS),
    holds("hypercall", TWO, SREGS),
    holds("hypercall", MUTUAL, long=True),
    holds("hypercall", ("DEBT_IS_TAKEN_FIRST",), TWO),
    holds("hypercall", THREE, MARKS, long=True),
    holds("hypercall", MUTUAL, MARKS, long=True),
    refuted("hypercall", "MUTANT_KICK_IS_ENOUGH", TWO),
    refuted("hypercall", "MUTANT_KICK_IS_FORGOTTEN", TWO, how="deadlock"),
    refuted("hypercall", "MUTANT_LOOK_BEFORE_MODE", TWO),
    refuted("hypercall", "MUTANT_ASKING_WITHOUT_FENCE", TWO),
    holds("hypercall", ("MUTANT_ASKING_WITHOUT_FENCE",), NO_BUFFERS, TWO),
    refuted("hypercall", "MUTANT_ENTERING_WITHOUT_FENCE", TWO),
    holds("hypercall", ("MUTANT_ENTERING_WITHOUT_FENCE",), NO_BUFFERS, TWO),
    refuted("hypercall", "MUTANT_CANCELLED_RUN_DROPS_DEBT", TWO),
    refuted("hypercall", "MUTANT_NO_SETTLE", TWO, MARKS),

    holds("grace", ONE, HELD, STAY),
    holds("grace", ONE, HELD, GRACE, STAY),
    holds("grace", ONE, MISSED, GRACE, STAY),
    holds("grace", ONE, UNHEARD, GRACE, STAY),
    holds("grace", TWO_TARGETS, UNHEARD, GRACE, long=True),
    holds("grace", MUTUAL, HELD, GRACE),
    holds("grace", MUTUAL, MISSED, GRACE),
    holds("grace", MUTUAL, HELD, long=True),
    holds("grace", TWO_TARGETS, MISSED, GRACE, long=True),
    holds("grace", TWO, MISSED, GRACE, long=True),
    refuted("grace", "MISSED", ONE, how="freed"),
    refuted("grace", "UNHEARD", ONE, how="freed"),
    refuted("grace", "MUTANT_PASS_BY_STORE", ONE, UNHEARD, GRACE, how="freed"),
    holds("grace", ("MUTANT_PASS_BY_STORE",), NO_BUFFERS, ONE, UNHEARD, GRACE),
    holds("grace", ("MUTANT_PASS_BY_STORE",), ONE, MISSED, GRACE, long=True),
    refuted("grace", "MUTANT_IN_WALK_FIRST", ONE, UNHEARD, GRACE, how="freed"),
    holds("grace", ("MUTANT_IN_WALK_FIRST",), NO_BUFFERS, ONE, UNHEARD, GRACE),
    holds("grace", ("MUTANT_IN_WALK_FIRST",), ONE, MISSED, GRACE, long=True),
    refuted("grace", "MUTANT_NO_FENCE_BEFORE_NOTES", ONE, UNHEARD, GRACE, how="freed"),
    holds("grace", ("MUTANT_NO_FENCE_BEFORE_NOTES",), NO_BUFFERS, ONE, UNHEARD, GRACE),
    holds("grace", ("MUTANT_NO_FENCE_BEFORE_NOTES",), ONE, MISSED, GRACE, long=True),
    refuted("grace", "MUTANT_PARKED_IS_QUIESCENT", ONE, MISSED, GRACE, how="freed"),
    refuted("grace", "MUTANT_SERVE_BEFORE_FLUSH", ONE, HELD, how="freed"),
    refuted("grace", "MUTANT_OFF_BY_STORE", ONE, HELD, how="freed"),
    holds("grace", ("MUTANT_OFF_BY_STORE",), NO_BUFFERS, ONE, HELD, long=True),
    refuted("grace", "MUTANT_WAITER_COUNTS_NO_PASS", MUTUAL, HELD, GRACE, how="deadlock"),

    holds("shadow_mode"),
    holds("shadow_mode", ("WALKERS=1", "FREERS=2")),
    holds("shadow_mode", ("WALKERS=3", "NO_KICKS"), long=True),
    refuted("shadow_mode", "MUTANT_READER_STORES_PLAINLY", how="freed"),
    holds("shadow_mode", ("MUTANT_READER_STORES_PLAINLY",), NO_BUFFERS),
    refuted("shadow_mode", "MUTANT_FREER_HAS_NO_FENCE", how="freed"),
    holds("shadow_mode", ("MUTANT_FREER_HAS_NO_FENCE",), NO_BUFFERS),
    refuted("shadow_mode", "MUTANT_END_BEFORE_THE_COPY", how="freed"),
    refuted("shadow_mode", "MUTANT_LOOKS_ONCE", how="freed"),
    refuted("shadow_mode", "MUTANT_FREED_WITHOUT_WAIT", how="freed"),

    holds("shadow_notifier"),
    holds("shadow_notifier", ("MOVES=3", "SPURIOUS=2"), long=True),
    holds("shadow_notifier", ("MOVES=1", "FLUSHES=1", "SPURIOUS=0")),
    holds("shadow_notifier", ("MOVES=1", "FLUSHES=1"), long=True),
    holds("shadow_notifier", ("MOVES=0", "FLUSHES=2")),
    holds("shadow_notifier", ("WALKERS=2",), long=True),
    holds("shadow_notifier", ("MOVES=1", "FLUSHES=2"), long=True),
    refuted("shadow_notifier", "MUTANT_NO_RETRY", how="freed"),
    refuted("shadow_notifier", "MUTANT_NO_RANGE_COUNT", how="freed"),
    refuted("shadow_notifier", "MUTANT_NO_SEQUENCE", how="freed"),
    refuted("shadow_notifier", "MUTANT_SEQUENCE_READ_LATE", how="freed"),
    refuted("shadow_notifier", "MUTANT_PAGE_BEFORE_THE_MOVE", how="freed"),
    refuted("shadow_notifier", "MUTANT_END_IN_TWO_STEPS", how="freed"),
    refuted("shadow_notifier", "MUTANT_NO_WAIT", how="freed"),
    refuted("shadow_notifier", "MUTANT_ZAP_IGNORES_OTHERS", how="freed"),
    refuted("shadow_notifier", "MUTANT_GENERATION_READ_LATE", ("MOVES=0", "FLUSHES=2"), how="freed"),
    refuted("shadow_notifier", "MUTANT_FLUSH_DOES_NOT_WAIT", ("MOVES=0", "FLUSHES=2"), how="freed"),

    holds("ipi_pending_2017", ("INITIATORS=1", "PARKS_SPARE_THE_HANDLER")),
    refuted("ipi_pending_2017", "ERROR_1", ("INITIATORS=1", "PARKS_SPARE_THE_HANDLER")),
    refuted("ipi_pending_2017", "ERROR_2", ("INITIATORS=2", "PARKS_SPARE_THE_HANDLER")),
    refuted("ipi_pending_2017", "ERROR_3", ("INITIATORS=1",)),
    refuted("ipi_pending_2017", "ERROR_4", ("INITIATORS=1", "PARKS_SPARE_THE_HANDLER")),
]


# How Spin says what was violated. Stale: a translation older than a flush that
# returned is usable. Freed: so is a page table, or a frame, that is another's by now.
# Promise: PARKED_PROMISE. Late: more slices than that. Deadlock: somebody waits for ever.
ERRORS = {
    "stale": r"pan:1: assertion violated .*tlb\[",
    "freed": r"pan:1: assertion violated .*(found|cached|freed)\[",
    "promise": r"pan:1: assertion violated .*(request|preempted)\[",
    "late": r"pan:1: assertion violated .*\(slices<=",
    "deadlock": r"pan:1: invalid end state",
}


class Broken(Exception):
    """Spin or the compiler refused."""


def run_checked(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Broken(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def build(case, parent):
    """Returns the folder of its verifier."""
    folder = tempfile.mkdtemp(dir=parent)
    source = MODELS / f"{case.model}.pml"
    defines = [f"-D{define}" for define in case.defines]
    run_checked(["spin", f"-P{CC} -E -x c", "-a", *defines, source], folder)
    # A mutant is refuted sooner than it is compiled well; -O1 searches no faster than -Og.
    optimization = "-O2" if case.long else "-Og" if case.expected == "holds" else "-O0"
    # Half the memory for twice the time.
    compression = ["-DCOLLAPSE"] if case.long else []
    run_checked([CC, optimization, *compression, "-w", "-DSAFETY", "-DVECTORSZ=2048",
                 f"-DMEMLIM={MEMORY_MB}", "-o", "pan", "pan.c"], folder)
    return folder


def search(case, folder):
    """What the verifier printed, and how long it took."""
    start = time.monotonic()
    # A mutant that also deadlocks has to be refuted in the way that is stated.
    ends = ["-E"] if case.expected in ("stale", "freed", "promise", "late") else []
    # What a mutant does wrong is near: most of its time would go into empty tables.
    depth, table = REFUTES if case.expected != "holds" else LONG if case.long else QUICK
    done = subprocess.run(["./pan", f"-m{depth}", f"-w{table}", *ends], cwd=folder,
                          capture_output=True, text=True, check=False)
    end = f"killed by signal {-done.returncode}\n" if done.returncode < 0 else ""
    return end + done.stdout + done.stderr, time.monotonic() - start


def outcome(output):
    """"holds", a key of ERRORS, or why the search is worth nothing."""
    if re.search(r"errors: [1-9]", output):
        return next((kind for kind, sign in ERRORS.items() if re.search(sign, output)), "error")
    if "errors: 0" not in output:
        return (output.splitlines() or ["no result"])[0]
    for sign in ("max search depth too small", "out of memory", "reached -DMEMLIM",
                 "Search not completed", "aborting"):
        if sign in output:
            return f"not complete: {sign}"
    return "holds"


def states(output):
    found = re.search(r"([0-9.e+]+) states, stored", output)
    return f"{float(found.group(1)):,.0f}" if found else "-"


def run_case(case, folder):
    """Print one row of the table. Returns whether it is as expected."""
    output, seconds = search(case, folder)
    result = outcome(output)
    good = result == case.expected
    verdict = f"refuted: {result}" if result in ERRORS else result
    print(f"{case.model:16} {' '.join(case.defines):72} {states(output):>12} "
          f"{seconds:7.1f}  {verdict}{'' if good else '  <-- NOT AS EXPECTED'}", flush=True)
    return good


def run_cases(cases):
    """One search at a time; the next verifier is compiled meanwhile."""
    with (tempfile.TemporaryDirectory(prefix="models-") as parent,
          ThreadPoolExecutor(max_workers=1) as builder):
        builds = [builder.submit(build, case, parent) for case in cases]
        try:
            return [run_case(case, done.result()) for case, done in zip(cases, builds)]
        finally:
            builder.shutdown(cancel_futures=True)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--long", action="store_true", help="also the larger instances")
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="only cases with TEXT in their model or definitions")
    parser.add_argument("ignored", nargs="*", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if shutil.which("spin") is None:
        print("SKIP: spin is not installed (Debian package spin)")
        return 77
    cases = [case for case in CASES if (arguments.long or not case.long)
             and arguments.only in " ".join((case.model,) + case.defines)]
    print(f"{'model':16} {'instance':72} {'states':>12} {'seconds':>7}  verdict")
    start = time.monotonic()
    try:
        good = run_cases(cases)
    except Broken as problem:
        print(problem, file=sys.stderr)
        return 99
    print(f"{sum(good)} of {len(cases)} as expected, {time.monotonic() - start:.0f} s")
    return 0 if cases and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
