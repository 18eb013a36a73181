#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A payload that attacks (tests/guest/hostile/) ends its own run and nothing else: no
crash, no hang, no access outside its memory (a VMM under AddressSanitizer and
UndefinedBehaviorSanitizer, which gives a guest 3 s), the right status and never the
host's, within --duration and 35 s, a few lines of plain text, and what was measured
before it turned is all there.

A seed draws all of it: what the payload does and when it turns, what it is run with. The
seeds of the default form are always the same; --long goes on from a random one, for 10
minutes and a hundred payloads. --seed=N alone plays that one again."""
import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import threading
import time

from bench import (COLUMNS, PATIENCE, Bench, check, check_counts, fail, read_rows, read_summary,
                   require)

HOSTILE = pathlib.Path(__file__).resolve().parents[1] / "guest" / "hostile"
MARKER = b"The plan hostile"            # hostile.h
EVERYBODY = AFTER_CALM = 2**64 - 1
CALM = ["ipi", "takeover"]
# The VMM's part in a protocol, and what else it may be doing for the guest.
PROTOCOLS = ["generation", "ipi-pending-2017", "hypercall"]
OPTIONS = [[], ["--clear-pending"], ["--preempt", "random"], ["--preempt", "at-step"],
           ["--entry-flush", "sregs"], ["--ple", "50"], ["--preempt", "host"],
           ["--reclaim", "5000"], ["--reclaim", "5000", "--shadow-reclaim", "rcu"],
           ["--reclaim", "5000", "--shadow-reclaim", "counter"], ["--break-over", "5000000"]]
FLUSHES = 20
DURATION_S = 1
ABOVE_DURATION_S = 35 * PATIENCE        # the VMM's patience many times: others use the CPUs
LONG_S = 600
LONG_RUNS = 100
AT_A_TIME = 8
LINES_MAX = 16
LOGGED_MAX = 1000
OUT_BYTES_MAX = 20000
SANITIZERS = {
    "ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "exitcode=99:halt_on_error=1:print_stacktrace=1",
}
PLAIN = re.compile(r"[ -~\n]*")
NOTE = re.compile(r"vmm: note: .+|\w+: declared safe, but \d+ stale loads? in \d+ checks .+|"
                  r"moved pages: \d+ of \d+ reads by the VMM .+|"
                  r"[\w-]+: round \d+, flush \d+ of vCPU \d+ was held up .+")
LOGGED = re.compile(r"vCPU \d: [ -~]{1,95}|vmm: dropped \d+ more lines? of the guest")
GIVEN_UP = "the guest made no progress for 3 s"

failed = threading.Event()
# What a seed draws. @jobs: those that the guest obeys before it turns; None: all but the
# last protocol's.
Attack = collections.namedtuple("Attack", ["seed", "host", "vcpus", "overcommit", "protocol",
                                           "options", "traced", "acts", "end", "everybody",
                                           "finisher", "jobs"])
Ended = collections.namedtuple("Ended", ["attack", "status", "out", "err", "folder", "over_s"])


def names_in(file):
    """The acts or ends, in the order of their numbers, each with what else its line says."""
    return re.findall(r"^HOSTILE_\w+\((\w+)(?:, *(\w+))?\)$",
                      (HOSTILE / file).read_text(encoding="ascii"), re.MULTILINE)


ACTS = names_in("acts.def")
ENDS = [name for name, _ in names_in("ends.def")]


def draw_acts(dice):
    """Half of the mild ones, some more in two guests of three, and a violent one, which ends
    most guests soon, in one."""
    violence = dice.randrange(3)
    mild, middle, violent = ([name for name, how in ACTS if how == kind]
                             for kind in ("MILD", "MIDDLE", "VIOLENT"))
    acts = {dice.choice(mild)} | {act for act in mild if dice.randrange(2)}
    if violence >= 1:
        acts |= {act for act in middle if dice.randrange(2)}
    if violence == 2:
        acts.add(dice.choice(violent))
    return acts


def draw(seed):
    """One seed after the other has every end, and slots that are shared by two, by three and
    by nobody."""
    dice = random.Random(seed)
    end = ENDS[seed % len(ENDS)]
    host = dice.randrange(8) == 0
    vcpus = 4 if host else dice.randrange(2, 8)
    early = dice.randrange(3) == 0
    return Attack(
        seed=seed, host=host, vcpus=vcpus, overcommit=1 + dice.randrange(min(3, vcpus)),
        protocol=dice.choice(PROTOCOLS), options=dice.choice(OPTIONS),
        traced=dice.randrange(8) == 0, acts=draw_acts(dice), end=end,
        everybody=end == "leave_each_job" or dice.randrange(8) == 0,
        finisher=dice.randrange(vcpus),
        jobs=dice.randrange(11) if host else dice.randrange(2) if early else None)


def describe(attack):
    when = "after all but the last protocol" if attack.jobs is None else f"after {attack.jobs} jobs"
    return (f"seed {attack.seed} ({' '.join(sorted(attack.acts))}; {when}, and "
            f"{'all' if attack.everybody else 'one'} to {attack.end})")


def write_payload(bench, attack, path):
    """The payload with its plan."""
    image = bytearray(pathlib.Path(bench.payload("hostile")).read_bytes())
    acts = sum(1 << number for number, (name, _) in enumerate(ACTS) if name in attack.acts)
    check(image.count(MARKER) == 1, "a payload without a plan")
    struct.pack_into("<5Q", image, image.index(MARKER) + len(MARKER), attack.seed, acts,
                     ENDS.index(attack.end), EVERYBODY if attack.everybody else attack.finisher,
                     AFTER_CALM if attack.jobs is None else attack.jobs)
    path.write_bytes(image)


def command_of(bench, attack, folder):
    payload = folder / "hostile"
    write_payload(bench, attack, payload)
    vmm = pathlib.Path(bench.build, "tests", "sanitized_vmm")
    if attack.host:
        return [vmm, "--host", "--json", folder / "host.json", payload]
    return [vmm, "--out", folder, "--vcpus", str(attack.vcpus),
            "--overcommit", str(attack.overcommit),
            "--protocol", ",".join([*CALM, attack.protocol]), "--flushes", str(FLUSHES),
            "--duration", str(DURATION_S), "--warmup", "0", "--seed", str(attack.seed),
            *attack.options, *(["--trace", folder / "trace.json"] if attack.traced else []),
            payload]


def run(bench, folder, seed):
    attack = draw(seed)
    command = command_of(bench, attack, folder)
    begin = time.monotonic()
    limit_s = DURATION_S + ABOVE_DURATION_S
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=limit_s, check=False, env={**os.environ, **SANITIZERS})
    except subprocess.TimeoutExpired:
        fail(f"{describe(attack)}: not over after {limit_s} s: {' '.join(map(str, command))}")
    return Ended(attack, done.returncode, done.stdout.decode("latin-1"),
                 done.stderr.decode("latin-1"), folder, time.monotonic() - begin - DURATION_S)


def check_words(ended):
    """A clear line, some of vCPUs when it stood still, and no more."""
    what = describe(ended.attack)
    logged = [line for line in ended.err.splitlines() if LOGGED.fullmatch(line)]
    check(len(logged) <= LOGGED_MAX + 1, f"{what}: {len(logged)} lines logged")
    lines = [line for line in ended.err.splitlines() if not LOGGED.fullmatch(line)]
    check(PLAIN.fullmatch(ended.err) and PLAIN.fullmatch(ended.out), f"{what}: not plain text: "
          f"{ended.err!r}{ended.out!r}")
    check(len(ended.out) <= OUT_BYTES_MAX, f"{what}: {len(ended.out)} bytes on stdout")
    told = [line for line in lines if not NOTE.fullmatch(line)]
    check(len(lines) <= LINES_MAX and all(line.startswith("vmm: ") for line in told),
          f"{what}: status {ended.status}, said: {ended.err}")
    gave_up = bool(told) and GIVEN_UP in told[0]
    check(gave_up or len(told) == (0 if ended.status == 0 else 1) or
          (ended.status == 1 and not told), f"{what}: status {ended.status}, said: {ended.err}")
    return what, told


def check_rows(ended, what, names, summary):
    """The calm rounds are whole, and whatever came after them is at least well formed."""
    text = pathlib.Path(ended.folder, "flush-latency.csv").read_text(encoding="ascii")
    lines = text.splitlines(keepends=True)
    # There may be a million of them.
    calm = [line for line in lines[1:] if line.split(",", 1)[0] not in names]
    hostile = lines[1 + len(calm):]
    check(calm == lines[1:1 + len(calm)], f"{what}: rows in disorder")
    rows = read_rows("".join(lines[:1 + len(calm)]))
    wanted = {name: FLUSHES for name in CALM if name not in names}
    check(collections.Counter(row.protocol for row in rows) == wanted,
          f"{what}: {len(rows)} rows before it turned")
    row = re.compile(rf"({'|'.join(names)})(,\d{{1,20}}){{{len(COLUMNS) - 1}}}\n")
    check(all(map(row.fullmatch, hostile)), f"{what}: a row is not a row: {hostile[-1:]}")
    check_counts({"protocols": [protocol for protocol in summary["protocols"]
                                if protocol["name"] in wanted]}, rows)
    counts = collections.Counter(line.split(",", 1)[0] for line in hostile)
    for protocol in summary["protocols"]:
        if protocol["name"] in names:
            check(protocol["flushes"] == counts[protocol["name"]],
                  f"{what}: {counts} rows, {protocol['flushes']} flushes")


def check_results(ended, what):
    """What is claimed is said to be; how many wrong things were claimed."""
    attack = ended.attack
    summary = read_summary(ended.folder)
    names = [attack.protocol] if attack.jobs is None else [*CALM, attack.protocol]
    check([protocol["name"] for protocol in summary["protocols"]] == [*CALM, attack.protocol],
          f"{what}: {[protocol['name'] for protocol in summary['protocols']]}")
    check_rows(ended, what, names, summary)
    check(not summary["interrupted"], f"{what}: interrupted by whom?")
    check(summary["claimed"] and summary["payload"] == str(ended.folder / "hostile"),
          f"{what}: whose figures? {summary['payload']}")
    check(not re.search(r" (ok|caught|partly)\*?!?$", ended.out, re.MULTILINE),
          f"{what}: a verdict that was not claimed: {ended.out}")
    if attack.traced:
        json.loads((ended.folder / "trace.json").read_text(encoding="ascii"))
    moved = summary.get("shadow", {"wrong": 0, "loads_wrong": 0})
    return moved["wrong"] + moved["loads_wrong"] + sum(
        protocol["stale"] for protocol in summary["protocols"] if protocol["safe"])


def check_contained(ended):
    what, told = check_words(ended)
    # It may claim that its own flushes were wrong, or write where nobody may; then that is
    # what the status says. It may end well where all leave their jobs, or never turn.
    wrong = 0 if ended.attack.host else check_results(ended, what)
    wanted = 1 if wrong > 0 else 4 if told else 0
    check(ended.status == wanted, f"{what}: status {ended.status}, not {wanted}; {ended.err}")
    check(told or ended.attack.host or ended.attack.end == "leave_each_job" or wrong > 0,
          f"{what}: it has ended well")
    return re.sub(r"0x\w+|\d+", "N", told[0] if told else "(its own end)")


class Tally:
    """Of all attackers."""
    def __init__(self):
        self.lock = threading.Lock()
        self.words, self.acts, self.ends = (collections.Counter() for _ in range(3))
        self.statuses = collections.Counter()
        self.over_s = []

    def add(self, ended, words):
        with self.lock:
            self.words[words] += 1
            self.statuses[ended.status] += 1
            self.acts.update(ended.attack.acts)
            self.ends[ended.attack.end] += 1
            self.over_s.append((ended.over_s, ended.attack.seed))

    def count(self):
        return len(self.over_s)

    def show(self):
        for line, count in self.words.most_common():
            print(f"{count:6} {line}")
        for what, counts in ("acts", self.acts), ("ends", self.ends), ("statuses", self.statuses):
            print(f"{what}: {', '.join(f'{name} {count}' for name, count in counts.most_common())}")
        over_s, seed = max(self.over_s)
        print(f"longest: {over_s:.1f} s above --duration (seed {seed})")
        print(f"{self.count()} hostile guests, each in its place")


def attack_on(bench, seeds, tally, over):
    """One guest after the other."""
    try:
        for seed in seeds:
            with tempfile.TemporaryDirectory() as folder:
                ended = run(bench, pathlib.Path(folder), seed)
                tally.add(ended, check_contained(ended))
            if over():
                break
    except BaseException:
        failed.set()
        raise


def main():
    require("require_kvm")
    bench = Bench()
    given = [int(word[7:]) for word in sys.argv if word.startswith("--seed=")]
    first = random.SystemRandom().randrange(1 << 40) if bench.long else 0
    begin = time.monotonic()
    tally = Tally()
    # All take from the same one.
    seeds = iter(given or (itertools.count(first) if bench.long else range(len(ENDS))))
    print(f"seeds from {given[0] if given else first}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        attacks = [pool.submit(attack_on, bench, seeds, tally, lambda: failed.is_set() or (
            bench.long and time.monotonic() - begin > LONG_S and tally.count() >= LONG_RUNS))
                   for _ in range(AT_A_TIME)]
    for one in attacks:
        one.result()
    tally.show()


main()
