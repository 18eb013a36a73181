# SPDX-License-Identifier: MIT
"""run.py - one run of vmm for a sweep (sweep.py).

A run is in a session of its own, so that Ctrl-C comes to the sweep alone, which passes it
on; and it dies with the sweep, however that ends.

Tested: tests/kvm/sweep_survives_kills_test.py
"""
import csv
import json
import shlex
import shutil
import subprocess
import sys
import time

from lib import runs
from lib.journal import Refused

# What vmm found or was told to find; the run is whole.
FINDINGS = {1: "a stale translation, or a control that was not caught", 6: "over a threshold"}
GUEST_FAILED = 4


class Failed(Exception):
    """A run that failed; vmm has said why on stderr."""

    def __init__(self, status, command):
        super().__init__(f"exit status {status} of {shlex.join(command)}")
        self.status = status


def call(command, stop, limit_s=None):
    """Its exit status; what it says on stderr is shown when it is over. TimeoutExpired."""
    done = runs.launch(command, stop, limit_s, stderr=subprocess.PIPE)
    if done.stderr:
        runs.say_progress("")
        sys.stderr.write(done.stderr)
    return done.returncode


def command_of(vmm, cell, protocols, times, seed, options, folder):
    command = [vmm, *options, *runs.cell(cell._asdict()), "--protocol", ",".join(protocols),
               "--duration", times.duration_s,
               "--warmup", times.warmup_s, "--repeat", 1, "--seed", seed, "--out", folder,
               "--csv", folder / "flush-latency.csv", "--json", folder / "summary.json", "--quiet"]
    return [str(word) for word in command]


def run(command, cell, folder, stop, limit_s=None):
    """One run: its status, seconds, summary and rows. None if it was asked to stop. Killed
    when it takes too long: TimeoutExpired."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    begun = time.monotonic()
    status = call(command, stop, limit_s)
    seconds = time.monotonic() - begun
    if stop.asked:
        return None
    if status != 0 and status not in FINDINGS:
        raise Failed(status if status > 0 else 128 - status, command)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    if summary["slots"] != cell.slots:
        raise Refused(f"{summary['slots']} slots, not {cell.slots}, of {shlex.join(command)}")
    with open(folder / "flush-latency.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return status, seconds, summary, rows
