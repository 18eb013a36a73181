#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two machines at once, started in one folder: each run has its own results."""
import os
import pathlib
import subprocess
import sys
import tempfile

from machine import LIMIT_S, Machine, check, fail, said
from bench import read_csv, read_summary

ROUNDS = 1
LONG_ROUNDS = 10


def check_two(machine, folder, seeds):
    runs = [machine.start_vmm(f"out {seed}", "--seed", str(seed), "--protocol", "generation",
                              "--vcpus", "2", "--overcommit", "1", "--flushes", "20",
                              "--duration", "60", cwd=folder) for seed in seeds]
    for run, seed in zip(runs, seeds):
        try:
            out, err = run.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            run.kill()
            fail(f"seed {seed}: not over after {LIMIT_S} s")
        check(run.returncode == 0 and said(err) == "", f"seed {seed}: {run.returncode}, {err}")
        check(f"seed {seed}" in out, f"seed {seed}: {out}")
        own = os.path.join(folder, f"out {seed}")
        summary, rows = read_summary(own), read_csv(own)
        check(summary["seed"] == seed, f"seed {seed}: summary of seed {summary['seed']}")
        check(rows and len(rows) == summary["protocols"][0]["flushes"],
              f"seed {seed}: {len(rows)} rows")
    check(len(list(pathlib.Path(folder).iterdir())) == 2, os.listdir(folder))


def main():
    machine = Machine()
    for number in range(LONG_ROUNDS if machine.long else ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            check_two(machine, folder, (2 * number + 1, 2 * number + 2))


sys.exit(main())
