#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--extra hgrm,hist: the percentile files and the histograms have every flush of the CSV,
where it belongs, those of slot switches what the summary counts; --print prints what
the summary says."""
import os
import pathlib
import tempfile

from bench import SAFE, Bench, check, require

PROTOCOLS = ["ipi", "generation"]
FLUSHES = 60
HIST_ROWS = 10000
ERROR = 1 / 128                 # of a value in a histogram


def read_hgrm(path):
    """(value in us, percentile, count) of each line."""
    lines = pathlib.Path(path).read_text(encoding="ascii").split("\n")
    check(lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"],
          f"{path}: {lines[0]!r}")
    return [tuple(map(float, line.split()[:3])) for line in lines[2:]
            if line and not line.startswith("#")]


def check_hgrm(path, times_ns):
    times = sorted(times_ns)
    lines = read_hgrm(path)
    check(lines[-1][1:] == (1.0, len(times)), f"{path}: {lines[-1]}")
    check(abs(lines[-1][0] - times[-1] / 1000) < 0.001, f"{path}: maximum {lines[-1]}")
    for value, _, count in lines:
        true_us = times[int(count) - 1] / 1000
        check(abs(value - true_us) <= true_us * ERROR + 0.001, f"{path}: {value}, not {true_us}")


def read_hist(path):
    """The rows, by microsecond a count each column; and the sums below them."""
    rows, sums = {}, {}
    for line in pathlib.Path(path).read_text(encoding="ascii").splitlines():
        if line.startswith("#"):
            head, _, values = line[2:].partition(":")
            sums[head] = values.split()
        else:
            us, _, counts = line.partition(" ")
            rows[int(us)] = list(map(int, counts.split("\t")))
    check(list(rows) == list(range(len(rows))), f"{path}: rows are missing")
    return rows, sums


def check_hist(path, columns_ns):
    rows, sums = read_hist(path)
    for column, times_ns in enumerate(columns_ns):
        total = sum(counts[column] for counts in rows.values())
        overflows = int(sums["Histogram Overflows"][column])
        check(total == int(sums["Total"][column]), f"{path}: {total}, {sums}")
        check(total + overflows == len(times_ns), f"{path}: {len(times_ns)} rows in the CSV")
        long = sum(time >= HIST_ROWS * 1000 * (1 - ERROR) for time in times_ns)
        check(overflows <= long, f"{path}: {overflows} overflows, {long} that long")
        check(int(sums["Max Latencies"][column]) == max(times_ns) // 1000, f"{path}: {sums}")
        check(int(sums["Min Latencies"][column]) == min(times_ns) // 1000, f"{path}: {sums}")


def check_switches(folder, protocols):
    """There is no row a switch: counts and longest are the summary's."""
    rows, sums = read_hist(os.path.join(folder, "switch.hist"))
    for column, protocol in enumerate(protocols):
        name, times = protocol["name"], protocol["switch_ns"]
        check(times["samples"] > 0, f"{name}: no slot switch was timed")
        total = sum(counts[column] for counts in rows.values())
        overflows = int(sums["Histogram Overflows"][column])
        check(total + overflows == times["samples"], f"{name}: {total}, {sums}, {times}")
        check(int(sums["Max Latencies"][column]) == times["max"] // 1000, f"{name}: {sums}")
        last = read_hgrm(os.path.join(folder, f"{name}-switch.hgrm"))[-1]
        check(last[1:] == (1.0, times["samples"]), f"{name}: {last}, {times}")


def check_long_ones(bench):
    """Rows up to some milliseconds, for seven protocols: the text outgrows what malloc() takes
    from its heap, and may then not grow any more, under the filters."""
    with tempfile.TemporaryDirectory() as folder:
        _, _, rows = bench.run_clean(
            folder, "--vcpus", "4", "--overcommit", "2", "--slice-us", "4000", "--flushes", "5",
            "--warmup", "0", "--extra", "hist")
        long_us = max(row.wall_ns for row in rows if row.wall_ns < 9.9e6) // 1000
        check(os.path.getsize(os.path.join(folder, "wall.hist")) > 7 * (1 + len(SAFE)) * long_us
              * (1 - ERROR), "not every row is there")
        check_hist(os.path.join(folder, "wall.hist"),
                   [[row.wall_ns for row in rows if row.protocol == name] for name in SAFE])


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done, summary, rows = bench.run_clean(
            folder, "--vcpus", "4", "--overcommit", "2", "--protocol", ",".join(PROTOCOLS),
            "--flushes", str(FLUSHES), "--extra", "hgrm,hist",
            "--print", "generation:stall.p90,ipi:wall.max,ipi:pte.p50,ipi:wall.p99")
        of = {p["name"]: p for p in summary["protocols"]}
        check(done.out == f"{of['generation']['stall_ns']['p90']}\n{of['ipi']['wall_ns']['max']}\n"
              f"{of['ipi']['pte_ns']['p50']}\n-\n", f"printed {done.out!r}: {of}")
        for time in "wall", "stall":
            columns = [[getattr(row, f"{time}_ns") for row in rows if row.protocol == name]
                       for name in PROTOCOLS]
            check([len(column) for column in columns] == [FLUSHES] * 2, f"{len(rows)} rows")
            for name, column in zip(PROTOCOLS, columns):
                check_hgrm(os.path.join(folder, f"{name}-{time}.hgrm"), column)
            check_hist(os.path.join(folder, f"{time}.hist"), columns)
        check_switches(folder, summary["protocols"])
        check(len(os.listdir(folder)) == 2 + 3 + 3 * len(PROTOCOLS), f"{os.listdir(folder)}")
        check_long_ones(bench)


main()
