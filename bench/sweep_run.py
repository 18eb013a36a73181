# SPDX-License-Identifier: MIT
"""sweep_run.py - one run of vmm for a sweep (bench/sweep.py).

A run is in a session of its own, so that Ctrl-C comes to the sweep alone, which passes it
on; and it dies with the sweep, however that ends.

Tested: tests/kvm/sweep_survives_kills_test.py
"""
import csv
import json
import shlex
import shutil
import signal
import subprocess
import sys
import time

import runs
from sweep_journal import Refused

# What vmm found or was told to find; the run is whole.
FINDINGS = {1: "a stale translation, or a control that was not caught", 6: "over a threshold"}
GUEST_FAILED = 4


class Failed(Exception):
    """A run that failed; vmm has said why on stderr."""

    def __init__(self, status, command):
        super().__init__(f"exit status {status} of {shlex.join(command)}")
        self.status = status


class Stop:
    """The first SIGINT asks for the end, the second one is the end."""

    def __init__(self):
        self.asked = False
        self.child = None
        signal.signal(signal.SIGINT, self._ask)

    def _ask(self, *_):
        self.asked = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if self.child is not None:
            self.child.send_signal(signal.SIGINT)


def call(command, stop, limit_s=None):
    """Run @command to its end; its stderr is shown. Returns its exit status. It is killed when
    it takes too long: TimeoutExpired."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, start_new_session=True,
                          preexec_fn=runs.die_with_parent) as child:
        stop.child = child
        if stop.asked:
            child.send_signal(signal.SIGINT)
        try:
            said = child.communicate(timeout=limit_s)[1]
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        finally:
            stop.child = None
    if said:
        runs.say_progress("")
        sys.stderr.write(said)
    return child.returncode


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
