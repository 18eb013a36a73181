#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`./run bench` in small: killed twice while it measures it leaves no vmm behind, goes on,
and has every run once, with a row for each flush that vmm counted."""
import csv
import json
import pathlib
import random
import re
import subprocess
import tempfile
import time

from bench import Bench, check, require

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "bench" / "bench.py"
COMPARE = ROOT / "bench" / "compare"
PROTOCOLS = ["ipi", "generation"]
OPTIONS = ["--cells-only", "--minutes", "0.2", "--rounds", "2", "--slots", "1,2",
           "--vcpus", "2,4", "--initiators", "1", "--slice-us", "500",
           "--protocol", ",".join(PROTOCOLS)]
ROUNDS = 2
PATIENCE_S = 100


def start(bench, out):
    return subprocess.Popen([SCRIPT, bench.vmm, "sweep", "--out", out, *OPTIONS],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def runs_of(out):
    """The command lines, of whatever process, that write to @out."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(out / "run").encode() in words:
            found.append(words)
    return found


def journal(out):
    """The whole lines."""
    path = out / "sweep.journal"
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def kill_in_a_run(bench, out, dice):
    """After the first record, somewhere in what follows."""
    process = start(bench, out)
    while len(journal(out)) < 2:
        check(process.poll() is None, "it ended before its first run was over")
        time.sleep(0.01)
    time.sleep(dice.uniform(0, 0.5))
    process.kill()
    process.communicate()
    deadline = time.monotonic() + PATIENCE_S
    while runs_of(out):
        check(time.monotonic() < deadline, "a killed sweep has left its vmm behind")
        time.sleep(0.01)


def check_whole(out):
    """Returns how many cells there are: those that fitted, on a host as busy as it is."""
    begin, *found = journal(out)
    cells = [tuple(cell) for cell, _ in begin["plan"]]
    wanted = {(number, cell) for number in range(ROUNDS) for cell in cells}
    runs = [(record["round"], tuple(record["cell"])) for record in found]
    check(len(runs) == len(wanted) and set(runs) == wanted, f"runs {sorted(runs)}, not {wanted}")
    counts = {}
    text = (out / "flush-latency.csv").read_text(encoding="ascii")
    check(text.endswith("\n"), "the last row is cut short")
    for row in csv.DictReader(text.splitlines()):
        check(None not in row and None not in row.values(), f"{row}")
        cell = tuple(int(row[name]) for name in ("slots", "vcpus", "initiators", "slice_us"))
        key = int(row["run"]), cell, row["protocol"]
        counts[key] = counts.get(key, 0) + 1
    for record, run in zip(found, runs):
        for protocol in record["protocols"]:
            check(counts.get((*run, protocol["name"]), 0) == protocol["flushes"],
                  f"{run} {protocol['name']}: {protocol['flushes']} flushes, other rows")
            check(protocol["stale"] == 0 and protocol["checks"] > 0, f"{run} {protocol}")
    check(sum(counts.values()) > 100, f"{sum(counts.values())} rows")
    return len(cells)


def check_files(bench, out, cells):
    rows = list(csv.DictReader((out / "summary.csv").open(encoding="utf-8")))
    check(len(rows) == cells * len(PROTOCOLS) and {row["rounds"] for row in rows} == {"2"},
          f"{len(rows)} rows in summary.csv")
    check(json.loads((out / "sweep.json").read_text(encoding="utf-8"))["complete"], "sweep.json")
    switches = list(csv.reader((out / "switch.hist").open(encoding="utf-8")))
    check(sum(int(count) for _, count in switches[1:]) > 0, "no switch of a slot")
    # Two rounds decide nothing; that the folder is understood is told by the status.
    done = bench.run([COMPARE, out, out])
    figures = re.search(r"(\d+) of (\d+) figures undecided", done.err)
    check(done.status == 2 and figures and figures[1] == figures[2] and
          2 * cells * len(PROTOCOLS) <= int(figures[2]) <= 4 * cells * len(PROTOCOLS), f"{done}")


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    dice = random.Random()
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "out")
        kill_in_a_run(bench, out, dice)
        kill_in_a_run(bench, out, dice)
        process = start(bench, out)
        said = process.communicate()
        check(process.returncode == 0, f"status {process.returncode}: {said}")
        cells = check_whole(out)
        check_files(bench, out, cells)
        print(f"{cells} cells")


main()
