#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each interrupt of a guest in the emulated AMD machine is delivered once, however often the
emulator's threads kick each other: hosts/qemu_mend.c. Stopped and continued fifty times a
second, QEMU as it comes fails one of these runs in two; that is shown too."""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

from machine import LIMIT_S, Machine, as_it_comes, check, qemu_with, said, write_script

RUNS = 12
CONTROL_RUNS = 12
BETWEEN_KICKS_S = 0.02

# Interrupts in every state of the guest: many parks, and walks that are interrupted.
RUN = ["--slice-us", "500", "--flushes", "20", "--warmup", "0", "--duration", "60", "--protocol",
       "sleep,deferred,generation,hypercall", "--workload", "teardown", "--table-free", "now", "-q"]


class Monitor:
    """QEMU's monitor; see its QMP specification."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.call("qmp_capabilities")

    def call(self, name):
        self.file.write(json.dumps({"execute": name}) + "\n")
        self.file.flush()
        while "return" not in json.loads(self.file.readline()):
            pass


class Kicks(threading.Thread):
    """From the moment that @begun exists until the machine has ended: stops and continues."""

    def __init__(self, path, begun, process):
        super().__init__()
        self.path, self.begun, self.process, self.count = path, begun, process, 0

    def run(self):
        while not self.begun.exists():
            if self.process.poll() is not None:
                return
            time.sleep(0.05)
        try:
            monitor = Monitor(self.path)
            while True:
                monitor.call("stop")
                monitor.call("cont")
                self.count += 1
                time.sleep(BETWEEN_KICKS_S)
        except (OSError, ValueError):           # the machine has ended
            pass


def runs_that_fail(machine, count, mended):
    """Of @count runs of vmm in one machine; what they say."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        monitor = f" -qmp unix:{folder}/monitor,server=on,wait=off"
        write_script(folder / "runs",
                     f"touch {folder}/begun; n=0\nwhile [ $n -lt {count} ]; do n=$((n + 1))\n"
                     f"{machine.vmm} --out {folder}/out {' '.join(RUN)} >/dev/null ||"
                     " echo \"run $n: status $?\"; done\n")
        process = subprocess.Popen(
            [machine.enter, machine.host, str(folder / "runs")], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=qemu_with(folder, "", monitor) if mended else as_it_comes(folder, monitor))
        kicks = Kicks(str(folder / "monitor"), folder / "begun", process)
        kicks.start()
        out, err = process.communicate(timeout=LIMIT_S + 40 * count)
        kicks.join()
        check(process.returncode == 0, f"status {process.returncode}: {err}")
        check(kicks.count > 5 * count, f"{kicks.count} kicks for {count} runs")
        return out.splitlines(), said(err)


def main():
    machine = Machine()
    failed, err = runs_that_fail(machine, RUNS, True)
    check(not failed and err == "", f"{failed}: {err}")
    failed, _ = runs_that_fail(machine, CONTROL_RUNS, False)
    check(failed, f"none of {CONTROL_RUNS} runs failed in QEMU as it comes")
    print(f"QEMU as it comes: {len(failed)} of {CONTROL_RUNS} runs failed")


sys.exit(main())
