#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same command does the same again in the emulated Intel machine, to the last byte of its
rows: also over the results of the last run, from a shell with another environment, and on a machine
that has other work to do."""
import os
import pathlib
import subprocess
import tempfile

from machine import Machine, check

SHAPE = ["--vcpus", "4", "--overcommit", "2", "--protocol", "generation,none", "--duration", "0.5",
         "--preempt", "random", "--slice-us", "2000", "--out", "out"]
LOAD = 2


def rows(machine, folder, environment):
    done = machine.run([machine.vmm, "--on", machine.host, *SHAPE], limit_s=machine.limit_s,
                       cwd=folder, env=environment)
    check(done.status == 0 and done.err == "", f"status {done.status}: {done.err}")
    return pathlib.Path(folder, "out", "flush-latency.csv").read_bytes()


def main():
    machine = Machine(kind="intel", keys=",ept=0")
    other = {"PATH": os.environ["PATH"], "MORE": "1" * 4000}
    with tempfile.TemporaryDirectory() as folder:
        first = rows(machine, folder, os.environ)
        load = [subprocess.Popen(["nice", "sh", "-c", "while :; do :; done"]) for _ in range(LOAD)]
        try:
            second = rows(machine, folder, other)
        finally:
            for process in load:
                process.kill()
                process.wait()
    count = first.count(b"\n")
    check(count > 50, f"only {count} rows")
    differ = [pair for pair in zip(first.splitlines(), second.splitlines()) if pair[0] != pair[1]]
    check(first == second, f"of {count} rows {len(differ)} differ, the first: {differ[:1]}")
    print(f"{count} rows, the same twice")


main()
