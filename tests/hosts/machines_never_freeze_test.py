#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A thousand runs of vmm in one machine, and fifty machines one after the other, and none of
them freezes: each run begins the first and ends the last VM but one of its kernel, where QEMU
would go wrong (hosts/agent/agent.h, keeper_hold)."""
import subprocess
import sys

from machine import LIMIT_S, Machine, check, fail

RUNS = 1000
BOOTS = 50
RUN = ["--vcpus", "2", "--overcommit", "1", "--flushes", "5", "--duration", "10", "--warmup", "0",
       "--protocol", "generation", "-q"]


def check_runs(machine):
    """A line for each, so that one that stands still is found out by the time since the last."""
    script = ('i=0; while [ $i -lt "$1" ]; do i=$((i+1)); "$2" --out /tmp/freeze '
              f'{" ".join(RUN)} >/dev/null || exit 1; echo $i; done')
    command = [machine.enter, machine.host, "sh", "-c", script, "runs", str(RUNS), machine.vmm]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True) as process:
        last = 0
        for line in process.stdout:
            last = int(line)
        status = process.wait()
    check(status == 0 and last == RUNS, f"status {status} after {last} runs")


def check_boots(machine):
    for number in range(BOOTS):
        try:
            done = subprocess.run([machine.enter, machine.host, "true"], timeout=LIMIT_S,
                                  capture_output=True, text=True, check=False)
        except subprocess.TimeoutExpired:
            fail(f"boot {number}: not over after {LIMIT_S} s")
        check(done.returncode == 0 and done.stderr == "",
              f"boot {number}: status {done.returncode}: {done.stderr}")


def main():
    machine = Machine()
    check_boots(machine)
    check_runs(machine)


sys.exit(main())
