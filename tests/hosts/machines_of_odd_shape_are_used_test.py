#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A kernel with room for more CPUs than a cpu_set_t, a CPU that is isolated, and a clock that
moves once a tick: the run uses the CPUs it is given and may have, and names the clock."""
import json
import pathlib
import tempfile

from machine import Machine, check

ARGS = ",args=possible_cpus=1025 isolcpus=1 clocksource=jiffies"
SHORT = "--protocol generation --flushes 3 --warmup 0 --vcpus 4 --overcommit 2"
SCRIPT = f"""
set -e
cat /sys/devices/system/cpu/possible >possible
"$0" {SHORT} --out given --cpus 0-1 >given.txt
"$0" {SHORT} --out own >own.txt
"""


def main():
    machine = Machine(ARGS)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        done = machine.inside("sh", "-c", SCRIPT, machine.vmm, cwd=name)
        check(done.status == 0 and done.err == "", f"status {done.status}: {done.err}{done.out}")
        check((folder / "possible").read_text(encoding="ascii") == "0-1024\n", "not so large a kernel")
        for run, cpus in ("given", [0, 1]), ("own", [0]):
            summary = json.loads((folder / run / "summary.json").read_text(encoding="utf-8"))
            check(summary["cpus"] == cpus, f"{run}: CPUs {summary['cpus']}, not {cpus}")
            step_ns = summary["host"]["clock_step_ns"]
            check(step_ns >= 1000000, f"{run}: a step of the clock is {step_ns} ns?")
            table = (folder / f"{run}.txt").read_text(encoding="utf-8")
            check("(clocksource jiffies)" in table, f"{run}: {table}")


main()
