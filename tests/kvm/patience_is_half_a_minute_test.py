#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A guest that gets nowhere has 30 s, no less, and is given up soon after. Its one vCPU
sleeps: that takes no CPU from the tests beside this one."""
import tempfile
import time

from bench import Bench, check, require

PATIENCE_S = 30


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        done = bench.run(bench.command(folder, "--vcpus", "1", "--overcommit", "1", "--protocol",
                                       "generation", "--duration", "0.2",
                                       bench.payload("sleep_for_ever")), limit_s=2 * PATIENCE_S)
        took = time.monotonic() - begin
    check(done.status == 4, f"status {done.status}, said: {done.err}")
    first, *others = done.err.splitlines()
    check(first == f"vmm: the guest made no progress for {PATIENCE_S} s" and len(others) == 1
          and others[0].startswith("vmm: vCPU 0: asleep, "), f"said: {done.err}")
    check(took >= PATIENCE_S, f"given up after {took:.1f} s already")


main()
