#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`bench sweep`, with a vmm that measures nothing: killed at any moment it goes on to the
same rows, no run twice; a folder of another sweep is refused; Ctrl-C and failing runs end
in order.

Usage: sweep_goes_on_after_a_kill_test.py VMM BUILD
"""
import csv
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench" / "bench.py"
FAKE = ROOT / "tests" / "bench" / "fake_vmm.py"
OPTIONS = ["--cells-only", "--slots", "1,2", "--vcpus", "2,4", "--initiators", "1",
           "--slice-us", "2000", "--rounds", "2"]
CELLS, ROUNDS, PROTOCOLS, FLUSHES = 4, 2, 2, 20
RUNS = CELLS * ROUNDS
KILLS, CUTS = 4, 5


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def start(out, *options, **environment):
    return subprocess.Popen([BENCH, FAKE, "sweep", "--out", out, *OPTIONS, *options],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=os.environ | environment)


def sweep(out, *options, status=0, **environment):
    """Run to the end; what it said on stderr."""
    with start(out, *options, **environment) as process:
        said = process.communicate()
    check(process.returncode == status,
          f"{options} {environment}: status {process.returncode}, not {status}: {said}")
    return said[1]


def read(out, name):
    return (out / name).read_bytes()


def records(out):
    return [json.loads(line) for line in read(out, "sweep.journal").splitlines()[1:]]


def check_whole(out, wanted):
    """Every run once, and the rows and figures of a sweep that was left alone."""
    runs = [(record["round"], *record["cell"]) for record in records(out)]
    check(len(runs) == len(set(runs)) == RUNS, f"{len(runs)} runs, {len(set(runs))} different")
    for name in "flush-latency.csv", "summary.csv", "switch.hist":
        check(read(out, name) == read(wanted, name), f"another {name} in {out}")
    check(json.loads(read(out, "sweep.json"))["complete"] is True, "it does not say complete")


def check_alone(out):
    sweep(out)
    rows = list(csv.DictReader((out / "flush-latency.csv").open(encoding="utf-8")))
    check(len(rows) == RUNS * PROTOCOLS * FLUSHES, f"{len(rows)} rows")
    check({row["run"] for row in rows} == {"0", "1"}, "the rounds")
    first = [[record["cell"] for record in records(out) if record["round"] == number]
             for number in range(ROUNDS)]
    check(first[0] != first[1] and sorted(first[0]) == sorted(first[1]), f"orders {first}")
    names = {tuple(protocol["name"] for protocol in record["protocols"])
             for record in records(out)}
    check(names == {("ipi", "generation")}, f"protocols {names}")
    orders = {record["command"][record["command"].index("--protocol") + 1]
              for record in records(out)}
    check(orders == {"ipi,generation", "generation,ipi"}, f"orders of the protocols {orders}")
    # The base cell twice, each two columns' worth of 1, 2, and 3 that were too long.
    switches = dict(csv.reader((out / "switch.hist").open(encoding="utf-8")))
    check((switches["0"], switches["1"], switches["10000"]) == ("2", "4", "6"), f"{switches}")
    check("complete" in sweep(out), "it measured again")
    check_whole(out, out)


def pause(base, out, number):
    """A sweep that is in its @number-th run, the probe being the first."""
    here, log = base / "here", base / "log"
    here.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    process = start(out, FAKE_LOG=str(log), FAKE_PAUSE=f"{here}@{number}")
    while not here.exists():
        check(process.poll() is None, f"it ended before run {number}")
        time.sleep(0.01)
    return process


def kill(process):
    process.kill()
    process.communicate()


def check_killed(base, wanted, dice):
    """In the probe, in three runs, and at moments that fall where they fall."""
    out = base / "killed"
    for number, known in (1, 0), (3, 1), (4, 3), (2, 3):
        kill(pause(base, out, number))
        check(len((out / "sweep.journal").read_bytes().splitlines()) == known + bool(known),
              f"killed in run {number}, not {known} records")
    for _ in range(KILLS):
        process = start(out)
        time.sleep(dice.uniform(0, 0.4))
        kill(process)
    sweep(out)
    check_whole(out, wanted)


def check_cut(base, wanted, dice):
    """Whatever a kill can leave: a record that is cut short, rows that no record knows."""
    journal = read(wanted, "sweep.journal")
    first = journal.index(b"\n") + 1
    for number in range(CUTS):
        out = base / f"cut-{number}"
        shutil.copytree(wanted, out)
        cut = dice.randrange(first, len(journal))
        (out / "sweep.journal").write_bytes(journal[:cut])
        known = journal[:cut].splitlines(keepends=True)
        whole = [json.loads(line) for line in known if line.endswith(b"\n")][1:]
        end = whole[-1]["csv_bytes"] if whole else 0
        rows = read(wanted, "flush-latency.csv")
        (out / "flush-latency.csv").write_bytes(rows[:dice.randrange(end, len(rows) + 1)])
        sweep(out)
        check_whole(out, wanted)


def check_refused(out, words, *options, **environment):
    before = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}
    said = sweep(out, *options, status=2, **environment)
    check(said.startswith("sweep: ") and said.count("\n") == 1 and words in said,
          f"{options} {environment}: no line with {words!r}: {said!r}")
    after = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}
    check(before == after, f"{options} {environment}: files were changed")


def check_refusals(base, wanted):
    out = base / "refused"
    shutil.copytree(wanted, out)
    for option in ["--seed", "2"], ["--vcpus", "2,8"], ["--rounds", "3"], ["--minutes", "3"], \
            ["--protocol", "ipi"], ["--pages", "2"], ["--quick"]:
        check_refused(out, "sweep of other", *option)
    check_refused(out, "another host: kernel", FAKE_KERNEL="Linux 6.2")
    check_refused(out, "another vmm", FAKE_VERSION="2")
    with open(out / "sweep.journal", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        check_refused(out, "another sweep is at work")
    rows = read(out, "flush-latency.csv")
    (out / "flush-latency.csv").write_bytes(rows[rows.index(b"\n") + 1:])
    check_refused(out, "flush-latency.csv is not")
    (out / "flush-latency.csv").write_bytes(rows[:-1])
    check_refused(out, "flush-latency.csv is not")
    (out / "flush-latency.csv").write_bytes(rows)
    journal = read(out, "sweep.journal")
    (out / "sweep.journal").write_bytes(journal.replace(b'"round": 1', b'"round"; 1', 1))
    check_refused(out, "damaged")
    check("not enough" in sweep(base / "none", "--minutes", "0.01", status=2), "no time at all")
    sweep(out, "--seed", "2", "--fresh")
    check(read(out, "flush-latency.csv") != rows, "another seed, and the same rows")
    sweep(out, "--fresh")
    check_whole(out, wanted)


def check_interrupted(base, wanted):
    """The run under way does not count, what was measured is written."""
    out = base / "interrupted"
    process = pause(base, out, 7)
    process.send_signal(signal.SIGINT)
    said = process.communicate()
    check(process.returncode == 130, f"status {process.returncode}: {said}")
    # The first run is the probe.
    check(len(records(out)) == 5, f"{len(records(out))} runs")
    found = json.loads(read(out, "sweep.json"))
    check((found["complete"], found["runs_done"], found["runs_planned"]) == (False, 5, RUNS),
          f"{found}")
    rows = list(csv.DictReader((out / "summary.csv").open(encoding="utf-8")))
    check(sum(int(row["rounds"]) for row in rows) == 5 * PROTOCOLS, f"{len(rows)} rows")
    sweep(out)
    check_whole(out, wanted)


def check_failures(base, wanted):
    # One guest that fails is left out, two in a row end it; so does a host that cannot.
    out = base / "fails"
    said = sweep(out, status=4, FAKE_LOG=str(base / "log-4"), FAKE_STATUS="4@4")
    check("exit status 4 of " in said and said.count("\n") == 1, f"{said!r}")
    check(len(records(out)) == RUNS - 1, f"{len(records(out))} runs, one failed")
    check(json.loads(read(out, "sweep.json"))["complete"] is False, "complete")
    sweep(out)
    check({(record["round"], *record["cell"]) for record in records(out)} ==
          {(record["round"], *record["cell"]) for record in records(wanted)} and
          read(out, "summary.csv") == read(wanted, "summary.csv"), "the failed one is missing")
    for name, status, fails in ("twice", 4, "4@4,4@5"), ("host", 3, "3@4"):
        out = base / name
        said = sweep(out, status=status, FAKE_LOG=str(base / f"log-{name}"), FAKE_STATUS=fails)
        check(len(records(out)) == 2, f"{name}: {len(records(out))} runs")
        check(f"exit status {status} of " in said, f"{said}")
        check(len(read(out, "summary.csv").splitlines()) > 1, "what was measured is not there")
        sweep(out)
        check_whole(out, wanted)

    # One that does not end by itself is ended in time.
    out = base / "stands"
    said = sweep(out, "--minutes", "0.15", "--rounds", "1", FAKE_LOG=str(base / "log-stands"),
                 FAKE_PAUSE=f"{base / 'stands-here'}@3")
    check("not over after" in said and len(records(out)) == 1, f"{said!r}")
    check(json.loads(read(out, "sweep.json"))["complete"] is False, "complete")

    out = base / "stale"
    said = sweep(out, status=1, FAKE_LOG=str(base / "log-1"), FAKE_STATUS="1@4")
    mine = records(out)[2]
    check(mine["status"] == 1 and [record["status"] for record in records(out)].count(0) ==
          RUNS - 1, "one run, and it is not kept")
    check(said.count("\n") == 1 and " ".join(mine["command"]) in said, f"{said!r}")
    rows = csv.DictReader((out / "summary.csv").open(encoding="utf-8"))
    stale = {(row["vcpus"], row["slots"], row["slice_us"]) for row in rows if row["stale"] != "0"}
    slots, vcpus, _, slice_us = map(str, mine["cell"])
    check(stale == {(vcpus, slots, slice_us)}, f"stale in {stale}")
    check(" ".join(mine["command"]) in sweep(out, status=1), "it is forgotten")
    sweep(base / "usage", "--repeat", "2", status=2)


def main():
    dice = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        alone = base / "alone"
        check_alone(alone)
        check_killed(base, alone, dice)
        check_cut(base, alone, dice)
        check_refusals(base, alone)
        check_interrupted(base, alone)
        check_failures(base, alone)


main()
