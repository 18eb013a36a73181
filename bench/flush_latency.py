#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""flush_latency.py - every safe protocol at several overcommits, in one CSV.

    bench/flush_latency.py VMM [--out DIR] [--overcommit K,...] [--rounds N]
                           [--duration S] [vmm options]

One slot a CPU, so a cell of overcommit K runs K vCPUs for each CPU. The rounds
go through all cells in turn, so that drift of the host spreads over them.

DIR/flush-latency.csv has a row a flush: the columns of vmm's own CSV behind
vcpus,slots,slice_us. DIR/cells.csv has a row for each round, overcommit and
protocol. DIR/summary.json is the first run's without its protocols: what bench/compare
wants to know of the host. Medians over the rounds go to stdout.
"""
import csv
import json
import statistics
import tempfile

import runs

CELL = ["vcpus", "slots", "slice_us"]
FIGURES = {
    "flushes": lambda p: p["flushes"],
    "wall_p50_ns": lambda p: p["wall_ns"]["p50"],
    "wall_p99_ns": lambda p: p["wall_ns"]["p99"],
    "stall_p50_ns": lambda p: p["stall_ns"]["p50"],
    "stall_p99_ns": lambda p: p["stall_ns"]["p99"],
    "stall_p995_ns": lambda p: p["stall_ns"]["p995"],
    "floor_p50_ns": lambda p: p["floor_ns"]["p50"],
    "checks": lambda p: p["checks"],
    "stale": lambda p: p["stale"],
    "disturbed": lambda p: p["disturbed"],
}


def run_cell(arguments, overcommit, seed, options, folder):
    """One run; returns its summary and the rows of its CSV."""
    summary = runs.run(arguments.vmm, "--vcpus", runs.cpus() * overcommit,
                       "--overcommit", overcommit, "--duration", arguments.duration,
                       "--seed", seed, *options, folder=folder)
    with open(f"{folder}/flush-latency.csv", encoding="utf-8", newline="") as file:
        return summary, list(csv.reader(file))


def measure(arguments, options, rows_out, cells_out):
    """All rounds over all cells; returns the rows of cells.csv as dictionaries."""
    cells, count = [], arguments.rounds * len(arguments.overcommit)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            index, overcommit = divmod(number, len(arguments.overcommit))
            overcommit = arguments.overcommit[overcommit]
            runs.say_progress(f"run {number + 1} of {count}, overcommit {overcommit}")
            summary, rows = run_cell(arguments, overcommit, index + 1, options, folder)
            cell = [summary[key] for key in CELL]
            if number == 0:
                (arguments.out / "summary.json").write_text(
                    json.dumps(summary | {"protocols": []}, indent=2) + "\n", encoding="utf-8")
                rows_out.writerow(CELL + rows[0])
                cells_out.writerow(CELL + ["round", "protocol", *FIGURES])
            run_column = rows[0].index("run")
            for row in rows[1:]:
                row[run_column] = index
                rows_out.writerow(cell + row)
            for protocol in summary["protocols"]:
                values = {name: figure(protocol) for name, figure in FIGURES.items()}
                cells_out.writerow(cell + [index, protocol["name"], *values.values()])
                cells.append({"vcpus": cell[0], "protocol": protocol["name"], **values})
    runs.say_progress("")
    return cells


def print_medians(cells):
    """Medians over the rounds, in microseconds."""
    print(f"{'vCPUs':>5}  {'protocol':<16}{'wall p50':>12}{'stall p50':>12}{'stall p99':>12}"
          f"{'floor p50':>12}   (us, median of the rounds)")
    for vcpus, protocol in dict.fromkeys((c["vcpus"], c["protocol"]) for c in cells):
        mine = [c for c in cells if (c["vcpus"], c["protocol"]) == (vcpus, protocol)]
        figures = (statistics.median(c[name] for c in mine) / 1000 for name in
                   ("wall_p50_ns", "stall_p50_ns", "stall_p99_ns", "floor_p50_ns"))
        print(f"{vcpus:>5}  {protocol:<16}" + "".join(f"{figure:>12.1f}" for figure in figures))
    print(f"stale {sum(c['stale'] for c in cells)} of {sum(c['checks'] for c in cells):.3g} checks")


def main():
    parser = runs.parser(__doc__.splitlines()[0], rounds=3)
    parser.add_argument("--overcommit", default=[1, 2, 4], metavar="K,...", type=runs.numbers)
    arguments, options = parser.parse_known_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows, cells = arguments.out / "flush-latency.csv", arguments.out / "cells.csv"
    with open(rows, "w", encoding="utf-8", newline="") as rows_file, \
            open(cells, "w", encoding="utf-8", newline="") as cells_file:
        measured = measure(arguments, options, csv.writer(rows_file, lineterminator="\n"),
                           csv.writer(cells_file, lineterminator="\n"))
    print_medians(measured)
    print(f"{rows}\n{cells}")


if __name__ == "__main__":
    main()
