#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What one CPU of the emulated AMD machine does to its FPU costs the other none of its flags:
hosts/qemu_mend.c. While one CPU executes FXRSTOR over and over, guests run on the other. In
QEMU as it comes the first ones fail, and then the machine stands still; --long shows that."""
import os
import pathlib
import subprocess
import sys
import tempfile

from machine import LIMIT_S, Machine, as_it_comes, check, said, write_script

RUNS = 4
LONG_RUNS = 100
CONTROL_RUNS = 10

# All on CPU 0, whose flags the other CPU would change.
RUN = ["taskset", "1", "{vmm}", "--out", "{folder}/out", "--vcpus", "4", "--overcommit", "4",
       "--slice-us", "500", "--flushes", "40", "--warmup", "0", "--duration", "60",
       "--protocol", "ipi,generation", "-q"]


def runs(machine, count, mended):
    """Of @count runs of vmm in one machine: how it ended, and what those say that fail."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run = " ".join(RUN).format(vmm=machine.vmm, folder=folder)
        write_script(folder / "runs",
                     f"{machine.build}/tests/restore_fpu 1 & n=0\n"
                     f"while [ $n -lt {count} ]; do n=$((n + 1))\n"
                     f"{run} >/dev/null || echo \"run $n: status $?\"; done\n"
                     "kill $!\n")
        done = subprocess.run(
            [machine.enter, machine.host, str(folder / "runs")], text=True, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S + 40 * count,
            env=os.environ if mended else as_it_comes(folder))
    return done.returncode, done.stdout.splitlines(), said(done.stderr)


def main():
    machine = Machine()
    status, failed, err = runs(machine, LONG_RUNS if machine.long else RUNS, True)
    check(status == 0 and not failed and err == "", f"status {status}, {failed}: {err}")
    if machine.long:
        status, failed, _ = runs(machine, CONTROL_RUNS, False)
        check(failed or status != 0, f"none of {CONTROL_RUNS} runs failed in QEMU as it comes")
        print(f"QEMU as it comes: status {status}, {len(failed)} runs failed before that")


sys.exit(main())
