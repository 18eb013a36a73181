#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""With any of descriptors 0 to 2 closed a run ends as with them open, but for status 5
where the table had nowhere to go: no file of the run gets its number."""
import itertools
import json
import os
import pathlib
import tempfile

from bench import Bench, check, check_counts, read_csv, read_summary, require

OPTIONS = ["--vcpus", "2", "--overcommit", "1", "--protocol", "generation", "--flushes", "5",
           "--warmup", "0"]


def close(numbers):
    for number in numbers:
        os.close(number)


def run(bench, folder, numbers, *options):
    return bench.run(bench.command(folder, *options), preexec_fn=lambda: close(numbers))


def main():
    require("require_kvm")
    bench = Bench()
    closed = [numbers for count in range(1, 4) for numbers in itertools.combinations(range(3), count)]
    for numbers in closed:
        expected = 5 if 1 in numbers else 0
        with tempfile.TemporaryDirectory() as folder:
            done = run(bench, folder, numbers, *OPTIONS)
            check(done.status == expected, f"{numbers}: status {done.status}, said: {done.err}")
            summary, rows = read_summary(folder), read_csv(folder)
            check_counts(summary, rows)
            check(len(rows) == 5, f"{numbers}: {len(rows)} rows")
        with tempfile.TemporaryDirectory() as folder:
            done = run(bench, folder, numbers, "--litmus=mask-bit")
            check(done.status == expected, f"{numbers}: litmus: {done.status}, said: {done.err}")
            text = pathlib.Path(folder, "summary.json").read_text(encoding="utf-8")
            check("litmus" in json.loads(text), f"{numbers}: the summary of --litmus: {text}")
    print(f"{len(closed)} ways to close them, a run and a litmus each")


main()
