#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--preempt host leaves vCPUs to the host's scheduler: nothing goes stale, the VMM parks
nobody while the job runs, and where KVM marks nobody either the report says plainly that
what protocols do for preempted vCPUs was never in effect."""
import tempfile

from bench import Bench, check, check_safe, require

NEVER = "never in effect"


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done, summary, _ = bench.run_clean(
            folder, "--preempt", "host", "--protocol", "ipi,deferred,generation",
            "--duration", "60", "--flushes", "20")
    check_safe(summary["protocols"])
    marked = 0
    for protocol in summary["protocols"]:
        # Each vCPU at the end of the job, and no more.
        check(protocol["switches"] == 8, f"{protocol['name']}: {protocol['switches']} parks")
        marked += protocol.get("kvm_reported", 0)
        deferred = protocol["deferred_per_flush"] * protocol["flushes"]
        check(marked > 0 or round(deferred) <= 8 * 2, f"{protocol['name']}: deferred {deferred}")
    check((NEVER in done.out) == (marked == 0), f"marked {marked} times; the report: {done.out}")


main()
