#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--ple: who spins longer than that for an acknowledgement loses its slot, who waits
for nobody does not, and nothing gets stale by it."""
import tempfile

from bench import Bench, check, check_safe, require


def run(bench, *options):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, _ = bench.run_clean(folder, "--protocol", "ipi,yield,deferred,takeover",
                                        "--duration", "0.4", *options)
    check_safe(summary["protocols"])
    return {protocol["name"]: protocol["spun"] for protocol in summary["protocols"]}


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    check(not any(run(bench).values()), "slices lost without --ple")
    spun = run(bench, "--ple", "200")
    check(spun["ipi"] > 0, "ipi never spun for 200 us")
    # Nobody to give the slot to.
    check(not any(run(bench, "--ple", "1", "--vcpus", "2", "--overcommit", "1").values()),
          "a slot was lost to nobody")


main()
