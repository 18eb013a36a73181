#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bench/sim/closed_form.py against the model, cell by cell: exactly where nothing is left to
chance, within sampling error where the beginning of a flush is.

Usage: closed_forms_are_exact_test.py VMM BUILD
"""
import csv
import io
import math
import pathlib
import random
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIM = pathlib.Path(sys.argv[2], "bench", "sim")

sys.path.insert(0, str(ROOT / "bench"))
from sim import closed_form  # noqa: E402


def simulate(**options):
    command = [SIM]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def walls(rows):
    return [int(row["wall_ns"]) for row in rows]


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def check_locked(dice):
    """One initiator with a pause by the clock: every flush is the same."""
    cells = flushes = 0
    for _ in range(150):
        slots, k = dice.randint(1, 8), dice.randint(1, 12)
        if slots * k < 2:
            continue
        slice_ = 840 * dice.randint(50, 3000)           # phases of 1 to 8 slots are whole
        pace = dice.choice([dice.randrange(1, slice_), dice.randrange(1, 4 * k * slice_)])
        pte = dice.randrange(0, slice_ // 2)
        begin = closed_form.begins_at(slice_, k, pace, pte)
        if begin in (0, slice_ // 2):
            continue                                    # on the grid: both sides are right
        shape = {"slots": slots, "vcpus": slots * k, "slice_ns": slice_, "pace_ns": pace,
                 "pte_ns": pte, "warmup_ns": 20 * k * slice_ + 8 * pace,
                 "duration_ns": 20 * k * slice_ + 8 * pace}
        expected = {
            "ipi": closed_form.ipi_wall(slice_, k, begin),
            "sleep": closed_form.sleep_wall(slots, slice_, k, begin),
        }
        for protocol, wall in expected.items():
            found = walls(simulate(protocol=protocol, **shape))
            check(found, f"{protocol}: no flush: {shape}")
            check(set(found) == {wall}, f"{protocol}: {sorted(set(found))[:5]}, not {wall}: "
                                        f"{shape}")
            cells += 1
            flushes += len(found)
    return cells, flushes


def check_random(dice):
    """Flushes that begin anywhere: median and mean of an even distribution."""
    cells = 0
    for k in range(2, 10):
        slice_ = 840 * dice.randint(1000, 3000)
        shape = {"slots": 2, "vcpus": 2 * k, "slice_ns": slice_, "pace_ns": 0,
                 "work_ns": 2 * slice_, "duration_ns": 3000 * k * slice_, "seed": k}
        found = walls(simulate(protocol="ipi", **shape))
        expected = closed_form.ipi_wall_median(slice_, k)
        check(len(found) > 500, f"{len(found)} flushes: {shape}")
        # Four standard errors of mean and median of an even distribution.
        mean_error = 4 * slice_ / math.sqrt(12 * len(found))
        median_error = 4 * slice_ / (2 * math.sqrt(len(found)))
        check(abs(statistics.fmean(found) - expected) < mean_error,
              f"mean {statistics.fmean(found)}, expected {expected} +- {mean_error}: {shape}")
        check(abs(statistics.median(found) - expected) < median_error,
              f"median {statistics.median(found)}, expected {expected} +- {median_error}: {shape}")
        check(min(found) > (k - 1) * slice_ - 1 and max(found) <= k * slice_,
              f"{min(found)} to {max(found)}: {shape}")
        cells += 1
    return cells


def check_undisturbed(dice):
    """Costs, and slices too long to end within a flush but now and then."""
    cells = 0
    for _ in range(60):
        slots, k = dice.randint(2, 8), dice.randint(1, 6)
        costs = {name: dice.randrange(0, limit) for name, limit in
                 {"post": 200, "gate": 40000, "send": 9000, "deliver": 20000,
                  "handler": 20000, "flush": 2000}.items()}
        expected = closed_form.undisturbed(costs, slots * k - 1, slots - 1)
        for protocol in "deferred", "generation", "takeover":
            found = walls(simulate(protocol=protocol, slots=slots, vcpus=slots * k,
                                   slice_ns=50000000, pace_ns=100000, duration_ns=10**9,
                                   **{f"{name}_ns": cost for name, cost in costs.items()}))
            check(len(found) > 100, f"{protocol}: {len(found)} flushes")
            check(statistics.median(found) == expected,
                  f"{protocol}: median {statistics.median(found)}, not {expected}: "
                  f"{slots} slots, {k} each, {costs}")
            cells += 1
    return cells


def main():
    dice = random.Random(1)
    cells, flushes = check_locked(dice)
    check(cells > 150, f"only {cells} cells")
    print(f"{cells} cells, {flushes} flushes: exact; {check_random(dice)} cells with random "
          f"beginnings; {check_undisturbed(dice)} cells without waiting")


main()
