#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Short runs in a row, each with a time limit of its own: none hangs, none fails,
and files of the last one are replaced whole."""
import tempfile

from bench import SAFE, Bench, check, check_counts, require




def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(200 if bench.long else 20):
            protocol = SAFE[number % len(SAFE)]
            _, summary, rows = bench.run_clean(
                folder, "--vcpus", str(2 + number % 7), "--overcommit", "2", "--protocol",
                protocol, "--duration", "0.1", "--warmup", "0", limit_s=20)
            check_counts(summary, rows)
            check(summary["protocols"][0]["stale"] == 0, f"run {number}: stale loads")
            print(f"{number}: {protocol}, {len(rows)} flushes", flush=True)


main()
