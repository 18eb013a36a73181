#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`bench soak` over a program that only writes summaries: every protocol gets its share
under every policy, a soak that was cut off goes on without a run lost or doubled, a run
that fails ends it with what was counted before it, and a killed one leaves no run behind.

Usage: soak_goes_on_where_it_was_test.py VMM BUILD
"""
import collections
import csv
import os
import pathlib
import select
import subprocess
import sys
import tempfile

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench" / "bench.py"

# Says well what it was asked for, --flushes of each protocol or 50 by time; --fail-at SEED fails,
# --stay keeps a pipe open as long as it lives.
FAKE = """#!/usr/bin/python3
import json, pathlib, sys, time
if "--list-protocols" in sys.argv:
    print("".join(f"{name} safe\\n" for name in "abcdefg") + "lossy unsafe")
    sys.exit()
options = dict(zip(sys.argv, sys.argv[1:]))
flushes = int(options.get("--flushes", 50))
if options["--seed"] == options.get("--fail-at"):
    sys.exit(1)
if "--stay" in options:
    with open(options["--stay"], "w"):
        time.sleep(600)
protocols = [{"name": name, "flushes": flushes, "checks": 1000, "stale": 0, "dropped": 0}
             for name in options["--protocol"].split(",")]
pathlib.Path(options["--out"], "summary.json").write_text(json.dumps({"protocols": protocols}))
"""
LEAST, ALL, CHUNK = 200, 6200, 40
LIMIT_S = 60


def check(condition, message):
    if not condition:
        sys.exit(f"FAIL: {message}")


def soak(folder, *options):
    return subprocess.run([BENCH, folder / "vmm", "soak", "--out", folder,
                           "--least", str(LEAST), "--flushes", str(ALL), "--chunk", str(CHUNK),
                           *options],
                          capture_output=True, text=True, check=False, timeout=300)


def read(folder):
    with open(folder / "soak.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_whole(folder, done):
    check(done.returncode == 0, f"status {done.returncode}: {done.stderr}")
    rows = read(folder)
    counts = collections.Counter()
    for row in rows:
        counts[row["protocol"], row["preempt"]] += int(row["flushes"])
    check(len(counts) == 7 * 4 and min(counts.values()) >= LEAST, f"shares: {counts}")
    total = sum(counts.values())
    check(ALL <= total < ALL + 7 * CHUNK, f"{total} flushes of {ALL}")
    once = collections.Counter((row["run"], row["protocol"]) for row in rows)
    check(max(once.values()) == 1, "a run is there twice")
    check(f"{total:,}" in done.stdout and f"{len(rows) * 1000:.2e}" in done.stdout,
          f"counts not printed: {done.stdout}")
    check({row["slice_us"] for row in rows} >= {"100", "1000"}, "always the same slices")
    return rows


def check_no_run_is_left(folder):
    """The run holds a FIFO: its end comes when the run is gone, and not before."""
    os.mkfifo(folder / "held")
    with subprocess.Popen([BENCH, folder / "vmm", "soak", "--out", folder,
                           "--stay", folder / "held"]) as process:
        with open(folder / "held", encoding="utf-8") as held:
            process.kill()
            readable, _, _ = select.select([held], [], [], LIMIT_S)
            check(readable and held.read() == "", "the run of a killed soak goes on")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "vmm").write_text(FAKE, encoding="utf-8")
        (folder / "vmm").chmod(0o755)
        rows = check_whole(folder, soak(folder))
        done = soak(folder)
        check(read(folder) == check_whole(folder, done), "it measured what it had")

        # Cut off in the middle of a record, with rows that none knows: the same rows up to
        # there, and then whole again.
        journal = (folder / "soak.journal").read_bytes()
        (folder / "soak.journal").write_bytes(journal[:len(journal) // 2])
        again = check_whole(folder, soak(folder))
        runs = journal[:len(journal) // 2].count(b"\n") - 1
        kept = sum(int(row["run"]) < runs for row in rows)
        check(kept > 20 and again[:kept] == rows[:kept], "rows from before the cut have changed")
        check(len(again) == len(rows), "other rows after the cut")

        done = soak(folder, "--seed", "2")
        check(done.returncode == 2 and "other seed" in done.stderr, f"{done.stderr}")
        done = soak(folder, "--fresh", "--fail-at", "5")
        check(done.returncode == 1 and "--seed 5" in done.stderr and "Traceback" not in done.stderr,
              f"a failing run: {done.returncode}, {done.stderr}")
        check({int(row["run"]) for row in read(folder)} == set(range(5)), "runs before it are lost")

        (folder / "soak.csv").write_text("something,else\n1,2\n", encoding="utf-8")
        check("is not what" in soak(folder, "--fail-at", "5").stderr, "rows of another")
        (folder / "soak.journal").unlink()
        done = soak(folder)
        check(done.returncode == 2 and "no soak's" in done.stderr, f"another file: {done.stderr}")
        check((folder / "soak.csv").read_text() == "something,else\n1,2\n", "it was overwritten")

        (folder / "soak.csv").unlink()
        (folder / "soak.journal").unlink()
        check_no_run_is_left(folder)
        print(f"{len(rows)} rows, {len(again)} after the cut")


main()
