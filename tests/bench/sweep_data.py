# SPDX-License-Identifier: MIT
"""sweep_data.py - folders such as a sweep writes, for the tests of the page.

Nothing in them was measured: latencies are drawn from log-normal distributions around the
medians that a test asks for, so the test knows what the page has to say.
"""
import csv
import json
import math
import random
import statistics

PROTOCOLS = {                           # median stall of the base cell, ns, and its spread
    "ipi": (1670000, 0.1), "sleep": (169000, 0.15), "yield": (768000, 0.2),
    "deferred": (67800, 0.5), "generation": (63400, 0.3), "takeover": (55700, 0.3),
    "hypercall": (292000, 0.12),
}
BASE = {"slots": 2, "vcpus": 8, "initiators": 1, "slice_us": 2000}
AXES = {"slots": [1, 2], "vcpus": [2, 4, 8, 16, 32], "initiators": [1, 2],
        "slice_us": [1000, 2000]}
HOST = {"kvm": "pvm", "kernel": "Linux 6.1", "cpu": "a CPU", "mitigations": "none",
        "clocksource": "tsc", "cpus_online": 2, "max_vcpus": 1024, "tsc_hz": 2300000000,
        "pv_features": 0, "marks_preempted": False, "load_1m": 0.5}
SUMMARY = {"schema": 1, "version": "0.1.0", "seed": 1, "started": "2026-01-01T00:00:00.000Z",
           "host": HOST, "vcpus": 8, "slots": 2, "slice_us": 2000, "pages": 1, "initiators": 1,
           "pace_us": 100, "preempt": "slice", "by_page": False, "entry_flush": "steal",
           "workload": "toggle", "cpus": [0, 1], "protocols": []}
PRIMITIVES = {"ipi_round_trip_ns": 78000, "shootdown_floor_ns": 65000, "gate_ns": 29000,
              "exit_ns": 78000, "kick_ns": 37000, "kick_flush_ns": 60000,
              "flush_on_entry_steal_ns": 170, "flush_on_entry_sregs_ns": 28000,
              "futex_handover_ns": 1040, "slot_switch_ns": 14800}
SPREAD = ["flushes_per_s", "wall_p50_ns", "wall_p99_ns", "stall_p50_ns", "stall_p99_ns",
          "floor_p50_ns", "switch_p50_ns", "switch_p99_ns", "ipis_per_flush",
          "deferred_per_flush", "exits_per_flush", "sample_ns"]
HEADER = (["slots", "vcpus", "overcommit", "initiators", "slice_us", "protocol", "safe", "rounds",
           "disturbed", "flushes", "checks", "stale"] +
          [name + end for name in SPREAD for end in ("", "_min", "_max")] +
          ["wall_p999_ns", "stall_p999_ns"])
ROUNDS = 3
CHECKS = 1000000                        # of a row of summary.csv


def shapes():
    """The base cell, every cell that differs from it in one thing, and two corners."""
    found = [BASE]
    for axis, values in AXES.items():
        found += [BASE | {axis: value} for value in values if value != BASE[axis]]
    return found + [BASE | {"slots": 1, "vcpus": vcpus} for vcpus in (4, 16)]


def quantile(values, share):
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


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
    """The columns of summary.csv from SPREAD on."""
    def spread(values):
        return [statistics.median(values), min(values), max(values)]

    walls = [[flush[1] for flush in one] for one in rounds]
    stalls = [[flush[2] for flush in one] for one in rounds]
    found = spread([1e9 / (statistics.fmean(wall) + 1e6) for wall in walls])
    for times in walls, stalls:
        for share in 0.5, 0.99:
            found += spread([quantile(one, share) for one in times])
    found += [65000, 61000, 70000, 14800, 14100, 15500, 39600, 31000, 52000]
    found += [1.0, 0.9, 1.1, 6.0, 5.9, 6.1, shape["vcpus"] / 8, 0.9, 1.4, 70, 66, 81]
    for times in walls, stalls:
        pool = [value for one in times for value in one]
        found.append(quantile(pool, 0.999) if len(pool) >= 1000 else "")
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
                          *figures_of(shape, rounds)])
    write_csv(folder / "flush-latency.csv",
              ["vcpus", "slots", "slice_us", "initiators", "protocol", "run", "seq", "initiator",
               "targets", "ipis", "deferred", "taken_over", "pages", "start_ns", "pte_ns",
               "wall_ns", "stall_ns"], rows)
    write_csv(folder / "summary.csv", HEADER, cells)


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
        "cells_planned": len(shapes())} | (sweep or {}))
    return folder
