# SPDX-License-Identifier: MIT
"""sweep_data.py - folders such as a sweep writes, for the tests of the page.

Nothing in them was measured: latencies are drawn from log-normal distributions around the
medians that a test asks for, so the test knows what the page has to say.
"""
import csv
import json
import math
import random
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
from sweep.summary import COLUMNS, FIGURES  # noqa: E402

PROTOCOLS = {                           # median stall of the base cell, ns, and its spread
    "ipi": (1670000, 0.1), "sleep": (169000, 0.15), "yield": (768000, 0.2),
    "deferred": (67800, 0.5), "generation": (63400, 0.3), "takeover": (55700, 0.3),
    "hypercall": (292000, 0.12),
}
BASE = {"slots": 2, "vcpus": 8, "initiators": 1, "slice_us": 2000}
AXES = {"slots": [1, 2], "vcpus": [2, 4, 8, 16, 32], "initiators": [1, 2],
        "slice_us": [1000, 2000]}
HOST = {"kvm": "pvm", "below": "none", "emulated": False, "kernel": "Linux 6.1", "cpu": "a CPU", "mitigations": "none",
        "clocksource": "tsc", "cpus_online": 2, "max_vcpus": 1024, "tsc_hz": 2300000000,
        "pv_features": 0, "marks_preempted": False, "load_1m": 0.5}
SUMMARY = {"schema": 1, "version": "0.1.0", "command": ["vmm"], "confine": "on", "seed": 1,
           "started": "2026-01-01T00:00:00.000Z", "ended": "2026-01-01T00:00:09.000Z",
           "host": HOST, "vcpus": 8, "slots": 2, "overcommit": 4, "slice_us": 2000, "pages": 1,
           "initiators": 1, "pace_us": 100, "ple_us": 0, "sleepers": 0, "clear_pending": False,
           "reclaim_hz": 0, "preempt": "slice", "by_page": False, "entry_flush": "steal",
           "entry_flush_tested": True, "steal_failed": False, "exit_keeps_stale": True,
           "interrupted": False, "first_instruction_ns": 3000000, "fail_over": [],
           "workload": "toggle", "table_free": "rcu", "cpus": [0, 1], "protocols": []}
PRIMITIVES = {"ipi_round_trip_ns": 78000, "shootdown_floor_ns": 65000, "gate_ns": 29000,
              "exit_ns": 78000, "kick_ns": 37000, "kick_flush_ns": 60000,
              "flush_on_entry_steal_ns": 170, "flush_on_entry_sregs_ns": 28000,
              "futex_handover_ns": 1040, "slot_switch_ns": 14800}
ROUNDS = 3
CHECKS = 1000000                        # of a row of summary.csv


def shapes():
    """The base cell, every cell that differs from it in one thing, and two corners."""
    found = [BASE]
    for axis, values in AXES.items():
        found += [BASE | {axis: value} for value in values if value != BASE[axis]]
    return found + [BASE | {"slots": 1, "vcpus": vcpus} for vcpus in (4, 16)]


WAITS = {"ipi", "sleep", "yield"}       # for vCPUs that are off their CPU


def flushes_of(dice, shape, name, distribution, most):
    """The rounds of a cell: (PTE stores, wall, stall) of each flush."""
    median, spread = distribution
    overcommit, away = shape["vcpus"] / shape["slots"], 0
    if name in WAITS:
        away = int((overcommit - 1) * shape["slice_us"] * 1000)
        median = median * shape["slice_us"] / 2000 if away else 70000
    count = max(3, min(most, int(3e8 / (median + away))))
    rounds = []
    for _ in range(ROUNDS):
        drift = dice.lognormvariate(0, 0.02)
        stalls = [int(median * drift * dice.lognormvariate(0, spread)) for _ in range(count)]
        rounds.append([(4000 + stall % 500, stall + away, stall) for stall in stalls])
    return rounds


def figures_of(shape, rounds):
    """{figure: (value, least, most)}, as sweep/summary.py defines it, worked out in another way."""
    found = {"floor_p50_ns": (65000, 61000, 70000), "switch_p50_ns": (14800, 14100, 15500),
             "switch_p99_ns": (39600, 31000, 52000), "ipis_per_flush": (1.0, 0.9, 1.1),
             "deferred_per_flush": (6.0, 5.9, 6.1), "sample_ns": (70, 66, 81),
             "exits_per_flush": (shape["vcpus"] / 8, 0.9, 1.4)}
    for index, time in (1, "wall"), (2, "stall"):
        for name, share, least in ("p50", 0.5, 2), ("p99", 0.99, 100), ("p999", 0.999, 1000):
            pools = [sorted(flush[index] for flush in flushes)
                     for flushes in [sum(rounds, []), *rounds]]
            whole, *each = [pool[math.ceil(share * len(pool) - 1e-9) - 1]
                            if len(pool) >= least else "" for pool in pools]
            each = [value for value in each if value != ""]
            found[f"{time}_{name}_ns"] = (whole, min(each, default=""), max(each, default=""))
    rates = [1e9 / (statistics.fmean(flush[1] for flush in one) + 1e6) for one in rounds]
    found["flushes_per_s"] = statistics.fmean(rates), min(rates), max(rates)
    return found


def write_csv(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_flushes(folder, protocols, seed, stale, most):
    """flush-latency.csv and summary.csv."""
    dice, rows, cells = random.Random(seed), [], []
    for shape in shapes():
        for name, distribution in protocols.items():
            rounds = flushes_of(dice, shape, name, distribution, most)
            for run, flushes in enumerate(rounds):
                rows += [[shape["vcpus"], shape["slots"], shape["slice_us"],
                          shape["initiators"], name, run, seq, 0, shape["vcpus"] - 1, 1, 6, 0, 1,
                          seq * 1000, *flush] for seq, flush in enumerate(flushes)]
            cells.append([shape["slots"], shape["vcpus"], shape["vcpus"] / shape["slots"],
                          shape["initiators"], shape["slice_us"], name, "true", ROUNDS, 0,
                          sum(map(len, rounds)), CHECKS, stale.get(name, 0),
                          *(figures[name][end] for figures in [figures_of(shape, rounds)]
                            for name in FIGURES for end in range(3))])
    write_csv(folder / "flush-latency.csv",
              ["vcpus", "slots", "slice_us", "initiators", "protocol", "run", "seq", "initiator",
               "targets", "ipis", "deferred", "taken_over", "pages", "start_ns", "pte_ns",
               "wall_ns", "stall_ns"], rows)
    write_csv(folder / "summary.csv", COLUMNS, cells)


def write_parts(folder, protocols):
    shares = [0.02, 0.2, 0.15, 0.5, 0.13]
    write_csv(folder / "parts.csv",
              ["protocol", "flushes", "post_ns", "flight_ns", "handler_ns", "parked_wait_ns",
               "rest_ns", "stall_mean_ns"],
              [[name, 200, *(share * median for share in shares), median]
               for name, (median, _) in protocols.items()])


def write_switches(folder, seed):
    dice, counts = random.Random(seed), {}
    for number in range(5000):
        us = int(dice.lognormvariate(2.7, 0.2) if number % 50 else dice.lognormvariate(4.5, 1.2))
        counts[us] = counts.get(us, 0) + 1
    write_csv(folder / "switch.hist", ["us", "count"],
              [[us, counts.get(us, 0)] for us in range(max(counts) + 1)])


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def write(folder, protocols=None, seed=1, stale=None, sweep=None, most=120):
    """Makes @folder a whole sweep of @protocols; @stale: {protocol: stale loads of a row},
    @most: flushes of a round."""
    protocols = protocols or PROTOCOLS
    folder.mkdir(parents=True, exist_ok=True)
    write_flushes(folder, protocols, seed, stale or {}, most)
    write_parts(folder, protocols)
    write_switches(folder, seed)
    write_csv(folder / "costs.csv",
              ["what", "value", "low", "high", "unit", "floor_what", "floor_value", "floor_unit",
               "note"],
              [["slot switch", 14.8, 14.1, 15.5, "us", "futex hand-over on one CPU", 1.04, "us",
                ""], ["memory per vCPU", 92.5, 92, 93, "KiB", "", "", "", "Pss"]])
    write_json(folder / "summary.json", SUMMARY)
    write_json(folder / "host.json", {"schema": 1, "host": HOST, "primitives": {
        name: {"p50": value, "p90": value * 2, "p99": value * 9, "p995": value * 9,
               "p999": value * 9, "max": value * 9, "samples": 2000}
        for name, value in PRIMITIVES.items()}})
    write_json(folder / "sweep.json", {
        "schema": 1, "version": "0.1.0", "started": "2026-01-01T00:00:00Z",
        "ended": "2026-01-01T00:20:00Z", "seconds": 1200, "seed": 7,
        "seeds": {str(number): 7 + number for number in range(ROUNDS)}, "rounds": ROUNDS,
        "quick": False, "complete": True, "command": ["bench/bench.py", "build/vmm"],
        "base": BASE, "axes": AXES, "protocols": list(protocols), "cells_done": len(shapes()),
        "cells_planned": len(shapes()), "cells_possible": 99, "runs_done": 60,
        "runs_planned": 60, "pace": 1.0} | (sweep or {}))
    return folder
