#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A sweep whose runs take longer than planned still ends in time, by a clock that the test
moves: it cuts its runs, then leaves out rounds, and from the third on those begun are whole.

Usage: sweep_ends_within_its_time_test.py VMM BUILD
"""
import argparse
import collections
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "bench"))
from sweep import measure as sweep_measure  # noqa: E402
from sweep import plan as sweep_plan  # noqa: E402
from sweep.plan import Cell, Times  # noqa: E402

NAMES = ["ipi", "sleep", "yield", "deferred", "generation", "takeover", "hypercall"]
COLUMNS = ["protocol", "run", "wall_ns", "stall_ns"]
NO_TIMES = {"p50": None, "p99": None, "samples": 0}


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def protocol(name):
    return {"name": name, "safe": True, "disturbed": False, "flushes": 0, "flushes_per_s": 0.0,
            "checks": 1, "stale": 0, "floor_ns": NO_TIMES, "switch_ns": NO_TIMES,
            "ipis_per_flush": 0.0, "deferred_per_flush": 0.0, "sample_ns": 0, "exits": {}}


class Host:
    """A clock, and a vmm that takes its time by it: at the pace of the probe, then at
    another. Stands in for the functions that the sweep calls."""

    def __init__(self, probe_pace, pace):
        self.now_s, self.paces, self.longest_s = 1000.0, (probe_pace, pace), 0.0

    def monotonic(self):
        return self.now_s

    def command_of(self, _vmm, cell, protocols, times, seed, *_):
        return [cell, protocols, times, seed]

    def run(self, command, cell, *_):
        _, protocols, times, seed = command
        pace = self.paces[times != sweep_measure.PROBE]
        seconds = sweep_plan.run_s(cell, times, len(protocols), pace)
        self.now_s += seconds
        self.longest_s = max(self.longest_s, seconds)
        summary = {"version": "1", "host": {}, "started": "", "seed": seed,
                   "protocols": [protocol(name) for name in protocols]}
        return 0, seconds, summary, [COLUMNS]


def sweep_of(folder, minutes, rounds, quick):
    arguments = argparse.Namespace(
        vmm="vmm", out=pathlib.Path(folder), fresh=False, quick=quick, minutes=minutes,
        rounds=rounds, seed=1, cells_only=True, protocol="safe",
        axes=sweep_plan.axes_of(2, {}))
    return sweep_measure.Sweep(arguments, [])


def measured(probe_pace, pace, minutes, rounds, quick):
    """Returns the records, the plan, and the seconds it took of those it had for runs."""
    host = Host(probe_pace, pace)
    sweep_measure.time = host
    sweep_measure.run, sweep_measure.command_of = host.run, host.command_of
    sweep_measure.runs.protocols = lambda *_: NAMES
    with tempfile.TemporaryDirectory() as folder:
        sweep = sweep_of(folder, minutes, rounds, quick)
        sweep.progress.say = lambda _: None
        had_s = sweep.measuring_s()
        check(sweep.open(), "it did not begin")
        sweep.measure()
        used_s = sweep.elapsed_s()
        check(sweep.is_complete() == (len(sweep.journal.records) == len(sweep.plan) * rounds),
              "complete?")
        return sweep.journal.records, sweep.plan, used_s, had_s, host.longest_s


def rounds_of(records):
    """How many runs each round has."""
    return sorted(collections.Counter(record["round"] for record in records).items())


def check_as_planned(minutes, rounds, quick):
    records, plan, used_s, had_s, _ = measured(1.0, 1.0, minutes, rounds, quick)
    check(rounds_of(records) == [(number, len(plan)) for number in range(rounds)],
          f"{rounds_of(records)} of {len(plan)} cells")
    check(0.8 * had_s < used_s <= had_s, f"{used_s} s of {had_s} s")
    check(all(Times(*record["times"]) == plan[Cell(*record["cell"])] for record in records),
          "a run was cut though there was time")


def check_slower(pace, minutes, rounds, quick):
    """Only one run, of which the pace is not known yet, may end after the time."""
    what = f"pace {pace}, {minutes} minutes"
    records, plan, used_s, had_s, longest_s = measured(1.0, pace, minutes, rounds, quick)
    found = rounds_of(records)
    check(used_s <= had_s + longest_s, f"{what}: {used_s:.0f} s of {had_s:.0f} s")
    check(used_s > 0.5 * had_s, f"{what}: only {used_s:.0f} s of {had_s:.0f} s")
    check(all(count == len(plan) for _, count in found[2:]) and found[0][1] == len(plan),
          f"{what}: rounds {found} of {len(plan)} cells")
    cut = sum(record["times"][0] < plan[Cell(*record["cell"])].duration_s for record in records)
    check(cut > 0 or len(records) == len(plan) * rounds, f"{what}: no run was cut")
    return len(records), len(plan) * rounds


def main():
    for minutes, rounds, quick in (15.0, 5, False), (1.0, 2, True), (4.0, 3, False):
        check_as_planned(minutes, rounds, quick)
        for pace in 1.7, 4.0:
            done, planned = check_slower(pace, minutes, rounds, quick)
            print(f"{minutes:g} minutes, pace {pace}: {done} of {planned} runs")


main()
