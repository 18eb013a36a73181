#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A guest that gets nowhere is given up: status 4, a line that says so, and one for every
vCPU with its state, registers and interrupts. All payloads at the same time, by the VMM
under AddressSanitizer, which gives a guest 3 s; vmm's own patience is for
patience_is_half_a_minute."""
import os
import re
import subprocess
import tempfile
import time

from bench import PATIENCE, Bench, check, fail, read_csv, read_summary, require

VCPUS = 4
PATIENCE_S = 3
LIMIT_S = 60 * PATIENCE
PAYLOADS = ["still_at_boot", "busy_at_boot", "still_in_first_job", "still_in_toggle",
            "busy_in_first_job", "samples_in_first_job", "busy_for_ever", "stopped_for_ever", "leaves_unstopped",
            "sleep_for_ever", "wake_for_ever"]
RUNS = {name: (name, "--duration", "0.2") for name in PAYLOADS}
# Without a time limit it is the quota that stops it.
RUNS["busy_behind_quota"] = ("busy_for_ever", "--flushes", "100")
VCPU_LINE = (r"vmm: vCPU {}: (running|parked|asleep|done), rip 0x1[0-9a-f]+, rflags 0x\w+, "
             r"request 0x\w+, served 0x\w+, vector 0x\w+ pending, 0x\w+ in service\n")


def start(bench, folder, name):
    payload, *limit = RUNS[name]
    command = bench.command(os.path.join(folder, name), "--vcpus", str(VCPUS), "--overcommit",
                            "2", "--protocol", "generation", "--pace-us", "10000", *limit,
                            bench.payload(payload))
    command[0] = os.path.join(bench.build, "tests", "sanitized_vmm")
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def check_given_up(name, process, begin, folder):
    try:
        _, err = process.communicate(timeout=max(1, begin + LIMIT_S - time.monotonic()))
    except subprocess.TimeoutExpired:
        fail(f"{name}: not given up after {LIMIT_S} s")
    took = time.monotonic() - begin
    check(process.returncode == 4, f"{name}: status {process.returncode}, said: {err}")
    lines = "".join(map(VCPU_LINE.format, range(VCPUS)))
    first, *others = err.splitlines(keepends=True)
    check(first == f"vmm: the guest made no progress for {PATIENCE_S} s\n"
          and re.fullmatch(lines, "".join(sorted(others))), f"{name}: said: {err}")
    check(took >= PATIENCE_S, f"{name}: given up after {took:.1f} s already")
    read_csv(os.path.join(folder, name))
    read_summary(os.path.join(folder, name))


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        processes = {name: start(bench, folder, name) for name in RUNS}
        try:
            for name, process in processes.items():
                check_given_up(name, process, begin, folder)
        finally:
            for process in processes.values():
                process.kill()
                process.wait()


main()
