#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--workload churn: every vCPU maps, touches, works, unmaps and flushes. The safe
protocols let nothing stale through, the controls are caught, and toggle runs after it."""
import tempfile

from bench import CONTROLS, SAFE, Bench, check, check_counts, check_order, check_safe, require


def run(bench, *options):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, rows = bench.run_clean(folder, "--workload", "churn", "--slice-us", "1000",
                                           "--warmup", "0", *options)
    check(summary["workload"] == "churn", f"workload {summary['workload']}")
    check_counts(summary, rows)
    check_order(rows)
    check_safe([protocol for protocol in summary["protocols"] if protocol["safe"]])
    return summary, rows


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    summary, rows = run(bench, "--vcpus", "6", "--overcommit", "3", "--flushes", "60")
    check([protocol["name"] for protocol in summary["protocols"]] == SAFE, "wrong protocols")
    check(summary["initiators"] == 6, f"{summary['initiators']} initiators")
    for protocol in SAFE:
        seen = {row.initiator for row in rows if row.protocol == protocol}
        check(seen == set(range(6)), f"{protocol}: initiators {seen}")
    summary, _ = run(bench, "--vcpus", "6", "--overcommit", "3", "--sleepers", "2", "--pages", "4",
                     "--flushes", "12")
    check(summary["initiators"] == 4, f"{summary['initiators']} initiators beside 2 sleepers")
    run(bench, "--initiators", "1", "--pages", "64", "--protocol", "generation,deferred",
        "--flushes", "12")
    _, rows = run(bench, "--vcpus", "100", "--overcommit", "50", "--protocol", "generation",
                  "--flushes", "20")
    check(len(rows) == 20, f"{len(rows)} rows of 20")
    run(bench, "--protocol", ",".join(CONTROLS), "--flushes", "200")


main()
