#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a guest logs is printed with its vCPU, cut to one line, in order; lines that
there is no room for are counted, and no line is lost without that."""
import re
import tempfile

from bench import Bench, check, require

LOGGED = 3000
LINE = re.compile(r"vCPU 0: (\d{8})x{87}")
DROPPED = re.compile(r"vmm: dropped (\d+) more lines of the guest")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done = bench.run(bench.command(folder, "--vcpus", "2", "--overcommit", "1",
                                       "--protocol", "generation", "--flushes", "1",
                                       bench.payload("logs_too_much")), limit_s=60)
    said = done.err.splitlines()
    numbers = [int(m.group(1)) for m in map(LINE.fullmatch, said) if m]
    dropped = [int(m.group(1)) for m in map(DROPPED.fullmatch, said) if m]
    others = [line for line in said if not LINE.fullmatch(line) and not DROPPED.fullmatch(line)]
    check(done.status == 4, f"status {done.status}, said: {said[-3:]}")
    check(numbers and numbers == sorted(set(numbers)), "no lines, lines twice, or out of order")
    check(len(dropped) == 1 and dropped[0] + len(numbers) == LOGGED,
          f"{len(numbers)} lines, dropped {dropped}, of {LOGGED}")
    check(others == [f"vmm: vCPU 0: the payload gave up at enough:7 (0x{LOGGED:x}, 0x0)"],
          f"said: {others}")


main()
