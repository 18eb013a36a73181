#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""While the host moves pages (--reclaim), neither the guest's own loads nor the VMM's
reads by the guest's pointers see anything but what stands there; with each way of
holding tables back, under each workload and with a protocol that flushes through the
VMM. --long: 60 s each at 10,000 a second."""
import sys
import tempfile

from bench import Bench, check, read_csv, read_summary, require

CASES = [
    ("mode", "toggle", []),
    ("rcu", "toggle", []),
    ("counter", "toggle", []),
    ("mode", "churn", []),
    ("mode", "teardown", []),
    ("mode", "toggle", ["--preempt", "random", "--initiators", "8"]),
]


def main():
    require("require_kvm")
    long = "--long" in sys.argv
    bench = Bench()
    length = ["--duration", "60"] if long else ["--flushes", "300"]
    for reclaim, workload, more in CASES:
        case = f"{reclaim} {workload} {' '.join(more)}"
        with tempfile.TemporaryDirectory() as folder:
            done = bench.run(bench.command(
                folder, "--vcpus", "8", "--overcommit", "4", "--reclaim", "10000",
                "--shadow-reclaim", reclaim, "--workload", workload,
                "--protocol", "generation,hypercall", *length, *more), limit_s=200)
            check(done.status == 0, f"{case}: status {done.status}, said: {done.err}")
            summary = read_summary(folder)
            rows = read_csv(folder)
        shadow = summary["shadow"]
        check(shadow["reclaim"] == reclaim, f"{case}: held back by {shadow['reclaim']}")
        check(shadow["wrong"] == 0, f"{case}: {shadow['wrong']} of {shadow['checks']} reads wrong")
        check(shadow["loads_wrong"] == 0,
              f"{case}: {shadow['loads_wrong']} of {shadow['loads']} loads wrong")
        check(min(shadow["moves"], shadow["checks"], shadow["loads"]) > 100, f"{case}: {shadow}")
        check(shadow["walks"] > shadow["checks"] + len(rows) / 64, f"{case}: {shadow}")
        check(len(rows) == sum(p["flushes"] for p in summary["protocols"]), f"{case}: rows")
        print(f"{case}: {shadow}")


main()
