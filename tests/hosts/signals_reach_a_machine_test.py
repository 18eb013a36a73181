#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SIGINT at any moment ends a run in a machine in order, what was measured is whole, and
nothing is left behind by it, by SIGTERM, by a second signal or by SIGKILL. A machine that
dies is told of. The moments are random; --seed=N, printed, repeats them."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid

from machine import LIMIT_S, Machine, check, check_nothing_left, emulators_of, fail, said
from bench import check_counts, check_order, read_csv, read_summary

OPTIONS = ["--vcpus", "2", "--overcommit", "1", "--protocol", "ipi,generation", "--duration", "3"]
LATEST_S = 12                   # a boot and a run on a quiet machine


class Run:
    """A vmm in a machine of its own, and a name for all its processes."""

    def __init__(self, machine, folder):
        self.session = f"SHOOTDOWN_TEST={uuid.uuid4()}"
        name, value = self.session.split("=")
        self.folder = folder
        self.process = machine.start_vmm(folder, *OPTIONS, env={**os.environ, name: value})

    def wait_for_results(self):
        """Until the first flush is on disk."""
        end = time.monotonic() + LIMIT_S
        while self.rows() < 2:
            check(self.process.poll() is None, "the run was over before its first flush")
            check(time.monotonic() < end, f"no flush after {LIMIT_S} s")
            time.sleep(0.05)

    def rows(self):
        path = os.path.join(self.folder, "flush-latency.csv")
        if not os.path.exists(path):
            return 0
        with open(path, encoding="ascii") as file:
            return file.read().count("\n")

    def wait_for_machine(self):
        end = time.monotonic() + LIMIT_S
        while not emulators_of(self.session):
            check(time.monotonic() < end, f"no emulator after {LIMIT_S} s")
            time.sleep(0.02)

    def end(self):
        try:
            _, err = self.process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            fail(f"not over after {LIMIT_S} s")
        check_nothing_left(self.session)
        return self.process.returncode, err


def check_results(folder, err):
    summary, rows = read_summary(folder), read_csv(folder)
    check_counts(summary, rows)
    check_order(rows)
    check(all(protocol["stale"] == 0 for protocol in summary["protocols"]), f"stale: {err}")
    return summary


def interrupt(machine, delay_s, to_group):
    """Returns how it ended: before the first result, or in order."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(machine, folder)
        try:
            run.process.wait(delay_s)
        except subprocess.TimeoutExpired:   # the moment of the signal
            (os.killpg if to_group else os.kill)(run.process.pid, signal.SIGINT)
        status, err = run.end()
        if status == -signal.SIGINT and not os.path.exists(os.path.join(folder, "summary.json")):
            return "before"
        check(status == 0, f"after {delay_s} s: status {status}, said {err}")
        return "in order" if check_results(folder, err)["interrupted"] else "over"


def check_kill(machine, number, wanted):
    """SIGTERM once and twice, SIGKILL: nothing is left of the machine."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(machine, folder)
        run.wait_for_results()
        for _ in range(number):
            run.process.send_signal(wanted)
        status, err = run.end()
        if wanted == signal.SIGTERM and number == 1:
            check(status == 0, f"SIGTERM: status {status}, said {err}")
            check(check_results(folder, err)["interrupted"], "SIGTERM: not interrupted")
        elif wanted == signal.SIGKILL:
            check(status == -wanted, f"SIGKILL: status {status}")
        read_csv(folder)


def check_death(machine):
    """Of the emulator, before the command: started again. With it: told, in one line."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(machine, folder)
        run.wait_for_machine()
        os.kill(emulators_of(run.session)[0], signal.SIGKILL)
        run.wait_for_results()
        os.kill(emulators_of(run.session)[0], signal.SIGKILL)
        status, err = run.end()
        check(status == 3, f"its machine died: status {status}, said {err}")
        lines = said(err).splitlines()
        check(len(lines) == 2 and lines[0].endswith("starting it again") and
              lines[1].endswith("is in place"), f"said {err}")
        check(len(read_csv(folder)) > 0, "no rows")


def main():
    machine = Machine()
    given = [arg[7:] for arg in sys.argv if arg.startswith("--seed=")]
    seed = int(given[0]) if given else random.SystemRandom().randrange(1 << 32)
    print(f"--seed={seed}", flush=True)
    moments = random.Random(seed)
    check_death(machine)
    check_kill(machine, 1, signal.SIGTERM)
    check_kill(machine, 2, signal.SIGTERM)
    check_kill(machine, 1, signal.SIGKILL)
    ends = [interrupt(machine, moments.uniform(0, LATEST_S), number % 2 == 0)
            for number in range(40 if machine.long else 2)]
    print({end: ends.count(end) for end in set(ends)})


main()
