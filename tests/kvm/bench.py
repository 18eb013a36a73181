# SPDX-License-Identifier: MIT
"""bench.py - running vmm and reading what it wrote, for the tests beside it.

Every test is called as NAME VMM BUILD [--long]. It passes by ending, fails
through fail() or check(), and skips through require() alone, which asks
tests/require.sh.
"""
import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

SAFE = ["ipi", "sleep", "yield", "deferred", "generation", "takeover", "hypercall"]
UNSAFE = ["ipi-pending-2017"]
CONTROLS = ["none", "skip-preempted"]

COLUMNS = ["protocol", "run", "seq", "initiator", "targets", "ipis", "deferred",
           "taken_over", "pages", "start_ns", "pte_ns", "wall_ns", "stall_ns"]
Row = collections.namedtuple("Row", COLUMNS)

# The samples that each takes.
QUANTILES = {"p50": 2, "p90": 10, "p99": 100, "p995": 200, "p999": 1000, "max": 1}
WALK_KEYS = {
    "walks": int, "bad_walks": int, "walks_poisoned": int, "walks_reused": int,
    "tables_freed": int, "tables_held_max": int, "graces": int, "grace_ns": int,
}
ROUND_KEYS = {"flushes": int, "flushes_per_s": float}
DECISION_KEYS = {"decisions": int, "decisions_digest": str}
STEPS = ["posted", "read", "flushed", "served", "publish", "walk"]

# Set inside an emulated machine, where everything is 20 to 50 times slower.
EMULATED = "SHOOTDOWN_HOST" in os.environ
# Limits are for what hangs, whatever the host; they are given for one that is not emulated.
PATIENCE = 5 if EMULATED else 1
# Of every host alike: the longer one that is an emulated host's default measures better, but
# each flush that waits for a rotation takes as much longer.
SLICE = ["--slice-us", "2000"]


def slice_us(us):
    """A slice in which a guest gets as far as in @us on a host that is not emulated."""
    return str(us * (10 if EMULATED else 1))


Finished = collections.namedtuple("Finished", ["status", "out", "err"])


def fail(message):
    sys.exit(f"FAIL: {message}")


def check(condition, message):
    if not condition:
        fail(message)


def require(*words):
    """A function of tests/require.sh; ends with its 77 when it says SKIP."""
    script = pathlib.Path(__file__).resolve().parents[1] / "require.sh"
    status = subprocess.call(["sh", "-euc", '. "$0"; "$@"', script, *words])
    if status != 0:
        sys.exit(status)


def private_mounts():
    """The command that runs another in a mount namespace (require_private_mounts first)."""
    return ["unshare", "-m" if os.geteuid() == 0 else "-rm"]


class Bench:
    """The vmm under test."""

    def __init__(self):
        self.vmm = os.path.abspath(sys.argv[1])
        self.build = os.path.abspath(sys.argv[2])
        self.long = "--long" in sys.argv[3:]

    def payload(self, name):
        return os.path.join(self.build, "tests", "guest", name)

    def command(self, folder, *options):
        return [self.vmm, *SLICE, "--out", folder, *options]

    def run(self, command, limit_s=60, **more):
        """Run to the end; one that does not end by itself is a failure."""
        limit_s *= PATIENCE
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=limit_s, check=False, **more)
        except subprocess.TimeoutExpired:
            fail(f"{' '.join(map(str, command))}: not over after {limit_s} s")
        return Finished(done.returncode, done.stdout, done.stderr)

    def run_clean(self, folder, *options, limit_s=60):
        """Run, and check status 0, silence on stderr and both files."""
        done = self.run(self.command(folder, *options), limit_s)
        check(done.status == 0, f"{options}: status {done.status}, said: {done.err}{done.out}")
        check(done.err == "", f"{options}: said on stderr: {done.err}")
        return done, read_summary(folder), read_csv(folder)


def read_rows(text):
    """The rows of a CSV, every field checked; @text may be of a run cut short."""
    lines = text.split("\n")
    check(lines.pop() == "", "the CSV does not end with a whole row")
    check(lines and lines[0] == ",".join(COLUMNS), f"CSV header: {lines[:1]}")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        fields = line.split(",")
        check(len(fields) == len(COLUMNS), f"CSV line {number}: {line!r}")
        check(all(f.isascii() and f.isdigit() for f in fields[1:]), f"CSV line {number}: {line!r}")
        row = Row(fields[0], *map(int, fields[1:]))
        check(row.stall_ns <= row.wall_ns, f"CSV line {number}: stall above wall: {line}")
        check(row.ipis + row.deferred <= row.targets and row.taken_over <= row.ipis,
              f"CSV line {number}: more targets met than there are: {line}")
        rows.append(row)
    return rows


def read_csv(folder):
    return read_rows(pathlib.Path(folder, "flush-latency.csv").read_text(encoding="ascii"))


def check_order(rows):
    """Rounds follow each other, and each initiator counts its flushes from 0."""
    last_run = 0
    next_seq = collections.Counter()
    for row in rows:
        check(row.run >= last_run, f"round {row.run} after {last_run}: {row}")
        last_run = row.run
        key = row.protocol, row.run, row.initiator
        check(row.seq >= next_seq[key], f"seq goes back, {next_seq[key]} was next: {row}")
        next_seq[key] = row.seq + 1
    return next_seq


def check_types(what, found, wanted):
    for key, kind in wanted.items():
        check(key in found, f"{what}: no {key}")
        good = isinstance(found[key], kind) and (kind is bool or not isinstance(found[key], bool))
        check(good, f"{what}: {key} is {found[key]!r}")


def check_policy(summary):
    """Steps stand where the policy has some, each once and in order."""
    steps = summary.get("steps")
    check((steps is not None) == (summary["preempt"] == "at-step"),
          f"preempt {summary['preempt']}, steps {steps}")
    check(steps is None or (steps and steps == [step for step in STEPS if step in steps]),
          f"steps {steps}")


def check_rounds(summary, protocol):
    """What the rounds recorded adds up to what the protocol did."""
    name, rounds = protocol["name"], protocol.get("by_round")
    if rounds is None:
        check(protocol["rounds"] == 0, f"{name}: {protocol['rounds']} rounds, no by_round")
        return
    check(len(rounds) == protocol["rounds"], f"{name}: {protocol['rounds']} rounds: {rounds}")
    for figure in rounds:
        check_types(f"{name}: by_round", figure, ROUND_KEYS)
        if summary["preempt"] == "random":
            check_types(f"{name}: by_round", figure, DECISION_KEYS)
            check(re.fullmatch("[0-9a-f]{16}", figure["decisions_digest"]),
                  f"{name}: digest {figure['decisions_digest']!r}")
        else:
            check(not DECISION_KEYS.keys() & figure.keys(), f"{name}: who decided? {figure}")
    check(sum(figure["flushes"] for figure in rounds) == protocol["flushes"],
          f"{name}: {protocol['flushes']} flushes, by round {rounds}")


def check_walks(summary, protocol):
    """Page tables are walked where they are torn down, and nowhere else."""
    name = protocol["name"]
    if summary["workload"] != "teardown":
        check(not WALK_KEYS.keys() & protocol.keys(), f"{name}: who walks? {protocol}")
        return
    check_types(name, protocol, WALK_KEYS)
    check(protocol["bad_walks"] == protocol["walks_poisoned"] + protocol["walks_reused"]
          and protocol["bad_walks"] <= protocol["walks"],
          f"{name}: {protocol['bad_walks']} bad of {protocol['walks']} walks: "
          f"{protocol['walks_poisoned']} poisoned, {protocol['walks_reused']} reused")
    check(protocol["graces"] > 0 or protocol["grace_ns"] == 0,
          f"{name}: no grace period, mean {protocol['grace_ns']} ns")


def check_marks(protocols):
    """KVM has the statistics or not: both figures, everywhere or nowhere."""
    wanted = {"kvm_reported": int, "kvm_other": int}
    if any(key in protocol for protocol in protocols for key in wanted):
        for protocol in protocols:
            check_types(protocol["name"], protocol, wanted)


def check_times(what, times):
    """Quantiles in order, each where there are samples enough for it and nowhere else."""
    for name, least in QUANTILES.items():
        check((times[name] is not None) == (times["samples"] >= least), f"{what} {times}")
    values = [times[name] for name in QUANTILES if times[name] is not None]
    check(all(isinstance(value, int) for value in values) and values == sorted(values),
          f"{what} {times}")


def read_summary(folder):
    """summary.json, its shape checked."""
    text = pathlib.Path(folder, "summary.json").read_text(encoding="utf-8")
    try:
        summary = json.loads(text)
    except ValueError as error:
        fail(f"summary.json: {error}: {text[:200]!r}")
    check(summary["schema"] == 1, f"schema {summary['schema']}")
    check(summary["table_free"] in ("rcu", "now"), f"table_free {summary['table_free']}")
    datetime.datetime.fromisoformat(summary["started"].replace("Z", "+00:00"))
    check_policy(summary)
    check_marks(summary["protocols"])
    for protocol in summary["protocols"]:
        check(protocol["vcpu_cpu_ns"] < 2**63 - 1,
              f"{protocol['name']}: CPU time below 0: {protocol['vcpu_cpu_ns']} ns")
        check_rounds(summary, protocol)
        check_walks(summary, protocol)
        for key in "wall_ns", "stall_ns", "floor_ns", "pte_ns":
            check_times(f"{protocol['name']}: {key}", protocol[key])
    return summary


def check_counts(summary, rows):
    """Every flush of the summary has its row, and no other has one."""
    counts = collections.Counter(row.protocol for row in rows)
    for protocol in summary["protocols"]:
        check(protocol["flushes"] == counts.pop(protocol["name"], 0),
              f"{protocol['name']}: {protocol['flushes']} flushes in the summary, not in the CSV")
    check(not counts, f"rows of protocols that the summary does not know: {counts}")


def check_safe(protocols):
    """None of these entries of a summary let a stale load through, and somebody looked."""
    for protocol in protocols:
        check(protocol["safe"], f"{protocol['name']} is not a safe protocol")
        check(protocol["stale"] == 0, f"{protocol['name']}: {protocol['stale']} stale loads")
        check(protocol["checks"] > 0, f"{protocol['name']}: nobody looked for stale loads")
        check(protocol["flushes"] > 0, f"{protocol['name']}: no flush")


def check_refused(done, what, status, words):
    """Ended with @status and one line of ours that has @words in it, and no other output."""
    check(done.status == status, f"{what}: status {done.status}, not {status}; said: {done.err}")
    check(done.err.startswith("vmm: ") and done.err.endswith("\n") and done.err.count("\n") == 1,
          f"{what}: not one line on stderr: {done.err!r}")
    check(words in done.err, f"{what}: {words!r} is not in {done.err!r}")
    check(done.out == "", f"{what}: something on stdout: {done.out[:200]!r}")
