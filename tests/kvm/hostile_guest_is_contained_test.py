#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A payload that attacks (tests/guest/hostile/) ends its own run and nothing else: no
crash, no hang, no access outside its memory (a VMM under AddressSanitizer and
UndefinedBehaviorSanitizer, which gives a guest 5 s), the right status, a few lines
of plain text, and what was measured before it turned is all there.

The seeds of the default form are always the same; --long goes on from a random one,
which is printed. --seed=N alone repeats one run."""
import collections
import concurrent.futures
import itertools
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

from bench import (COLUMNS, PATIENCE, Bench, check, check_counts, fail, read_rows, read_summary,
                   require)

# As in ends.c; a seed's end is its remainder.
ENDS = ["ring_from_ring_3", "out_anywhere", "in_anywhere", "rep_out", "rep_in", "read_outside",
        "write_outside", "run_outside", "triple_fault", "halt_for_good", "spin_for_good",
        "give_up", "yield_to_nobody", "wake_nobody", "flush_nowhere", "flush_everything",
        "move_ring", "hide_ring", "stamps_nowhere", "sleep_for_good", "reset_all", "nmi_all", "forget_tables"]
CALM = ["ipi", "takeover"]
# The VMM's part in a protocol, and what else it may be doing for the guest.
HOSTILE = ["generation", "ipi-pending-2017", "hypercall"]
OPTIONS = [[], ["--clear-pending"], ["--preempt", "random"], ["--preempt", "at-step"],
           ["--entry-flush", "sregs"], ["--ple", "50"], ["--preempt", "host"],
           ["--reclaim", "5000"], ["--reclaim", "5000", "--shadow-reclaim", "rcu"],
           ["--reclaim", "5000", "--shadow-reclaim", "counter"]]
FLUSHES = 20
RUNS = len(ENDS)
LONG_S = 600
AT_A_TIME = 8
LIMIT_S = 120 * PATIENCE        # the VMM's patience many times: other runs share the CPUs
LINES_MAX = 16
LOGGED_MAX = 1000
OUT_BYTES_MAX = 20000
SANITIZERS = {
    "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "exitcode=99:halt_on_error=1:print_stacktrace=1",
}
PLAIN = re.compile(r"[ -~\n]*")
LINE = re.compile(r"vmm: .+|\w+: declared safe, but \d+ stale loads? in \d+ checks .+|"
                  r"moved pages: \d+ of \d+ reads by the VMM .+")
LOGGED = re.compile(r"vCPU \d: [ -~]{1,95}|vmm: dropped \d+ more lines? of the guest")
GIVEN_UP = "the guest made no progress for 5 s"

failed = threading.Event()
Ended = collections.namedtuple("Ended", ["seed", "status", "out", "err", "folder"])


def protocol_of(seed):
    return HOSTILE[seed % 5 % len(HOSTILE)]


def run(bench, folder, seed):
    """Six sizes of guest, so that slots are shared by two, by three and by nobody."""
    vcpus = 2 + (seed // 2 + seed // len(ENDS)) % 6
    command = [os.path.join(bench.build, "tests", "sanitized_vmm"), "--out", folder,
               "--vcpus", str(vcpus), "--overcommit", str(1 + seed % min(3, vcpus)),
               "--protocol", ",".join([*CALM, protocol_of(seed)]), "--flushes", str(FLUSHES),
               "--duration", "2", "--warmup", "0", "--seed", str(seed),
               *OPTIONS[seed % len(OPTIONS)], bench.payload("hostile")]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=LIMIT_S, check=False, env={**os.environ, **SANITIZERS})
    except subprocess.TimeoutExpired:
        fail(f"seed {seed}: not over after {LIMIT_S} s: {' '.join(command)}")
    return Ended(seed, done.returncode, done.stdout.decode("latin-1"),
                 done.stderr.decode("latin-1"), folder)


def check_words(ended):
    """A clear line, a line each vCPU when it stood still, and no more."""
    what = f"seed {ended.seed} ({ENDS[ended.seed % len(ENDS)]})"
    logged = [line for line in ended.err.splitlines() if LOGGED.fullmatch(line)]
    check(len(logged) <= LOGGED_MAX + 1, f"{what}: {len(logged)} lines logged")
    lines = [line for line in ended.err.splitlines() if not LOGGED.fullmatch(line)]
    check(PLAIN.fullmatch(ended.err) and PLAIN.fullmatch(ended.out), f"{what}: not plain text: "
          f"{ended.err!r}{ended.out!r}")
    check(len(ended.out) <= OUT_BYTES_MAX, f"{what}: {len(ended.out)} bytes on stdout")
    check(0 < len(lines) <= LINES_MAX and all(map(LINE.fullmatch, lines)),
          f"{what}: status {ended.status}, said: {ended.err}")
    told = [line for line in lines if line.startswith("vmm: ")]
    check(len(told) == 1 or GIVEN_UP in told[0], f"{what}: said: {ended.err}")
    return what


def check_files(ended, what):
    """The calm rounds are whole, and whatever came after them is at least well formed."""
    name = protocol_of(ended.seed)
    text = pathlib.Path(ended.folder, "flush-latency.csv").read_text(encoding="ascii")
    lines = text.splitlines(keepends=True)
    # There may be a million of them.
    hostile = [line for line in lines if line.startswith(f"{name},")]
    calm = read_rows("".join(line for line in lines if not line.startswith(f"{name},")))
    counts = collections.Counter(row.protocol for row in calm)
    check(counts == {name: FLUSHES for name in CALM}, f"{what}: rows before it turned: {counts}")
    numbers = len(COLUMNS) - 1
    check(all(re.fullmatch(rf"{name}(,\d{{1,20}}){{{numbers}}}\n", line) for line in hostile),
          f"{what}: a row is not a row: {hostile[-1:]}")
    check(lines[1:] == lines[1:len(calm) + 1] + hostile, f"{what}: rows in disorder")
    summary = read_summary(ended.folder)
    protocols = {protocol["name"]: protocol for protocol in summary["protocols"]}
    check([*protocols] == [*CALM, name], f"{what}: {[*protocols]}")
    check(protocols[name]["flushes"] == len(hostile), f"{what}: {len(hostile)} rows, "
          f"{protocols[name]['flushes']} flushes")
    check_counts({"protocols": [protocols[calm_name] for calm_name in CALM]}, calm)
    check(not summary["interrupted"], f"{what}: interrupted by whom?")
    moved = summary.get("shadow", {"wrong": 0, "loads_wrong": 0})
    return protocols[name], moved["wrong"] + moved["loads_wrong"]


def check_contained(ended):
    what = check_words(ended)
    hostile, wrong = check_files(ended, what)
    # It may claim that its own flushes were wrong, or write where nobody may; then that is
    # what the status says.
    wanted = 1 if wrong > 0 or (hostile["stale"] > 0 and hostile["safe"]) else 4
    check(ended.status == wanted, f"{what}: status {ended.status}, not {wanted}; {ended.err}")
    return re.sub(r"0x\w+|\d+", "N", ended.err.splitlines()[-1])


def attack(bench, seeds, over):
    """One guest after the other; how often they ended with which words."""
    words = collections.Counter()
    try:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                words[check_contained(run(bench, folder, seed))] += 1
            if over():
                break
    except BaseException:
        failed.set()
        raise
    return words


def main():
    require("require_kvm")
    bench = Bench()
    given = [int(word[7:]) for word in sys.argv if word.startswith("--seed=")]
    first = random.SystemRandom().randrange(1 << 40) if bench.long else 0
    begin = time.monotonic()
    # All take from the same one.
    seeds = iter(given or (itertools.count(first) if bench.long else range(RUNS)))
    print(f"seeds from {given[0] if given else first}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        attacks = [pool.submit(attack, bench, seeds, lambda: failed.is_set() or (
            bench.long and time.monotonic() - begin > LONG_S)) for _ in range(AT_A_TIME)]
    words = sum((one.result() for one in attacks), collections.Counter())
    for line, count in words.most_common():
        print(f"{count:6} {line}")
    print(f"{words.total()} hostile guests, each in its place")


main()
