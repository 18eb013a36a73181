#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One vCPU, more slots than CPUs, 64 vCPUs, as many as xAPIC addresses, and x2APIC
above: each run flushes to the end without a stale load."""
import os
import tempfile

from bench import Bench, check, check_counts, check_order, check_safe, require

# vCPUs, overcommit, protocols, flushes of each. No time limit: what counts is
# that they are done, after a warm-up in which others have looked. With shadow
# paging a flush of many takes a rotation or two.
SHAPES = [
    (1, 1, "safe", 100),
    (8, 1, "safe", 10),
    (64, 32, "safe", 5),
    (255, 128, "generation,takeover", 3),
    (300, 150, "generation", 3),        # x2APIC
]
LONG_SHAPES = [
    (64, 1, "generation,takeover", 10),
    (64, 4, "safe", 20),
    (254, 127, "safe", 5),
    (256, 128, "generation", 20),       # the first with x2APIC
    (300, 150, "deferred,generation,takeover", 20),
    (1024, 512, "generation", 2),
]


def check_shape(bench, vcpus, overcommit, protocols, flushes):
    with tempfile.TemporaryDirectory() as folder:
        done, summary, rows = bench.run_clean(
            folder, "--vcpus", str(vcpus), "--overcommit", str(overcommit), "--protocol",
            protocols, "--flushes", str(flushes), "--warmup", "0.2", limit_s=600)
    slots = -(-vcpus // overcommit)
    check(summary["slots"] == slots, f"{summary['slots']} slots")
    check((f"{slots} slots on" in done.out) == (slots > len(summary["cpus"])),
          f"more slots than CPUs have to be said, and only they:\n{done.out}")
    check_counts(summary, rows)
    check_order(rows)
    check(all(row.targets == vcpus - 1 for row in rows), "wrong targets")
    check(all(p["flushes"] == flushes for p in summary["protocols"]), "wrong number of flushes")
    if vcpus > 1:
        check_safe(summary["protocols"])
    return summary["host"]["max_vcpus"]


def main():
    require("require_kvm")
    bench = Bench()
    most = 1024
    for shape in SHAPES + (LONG_SHAPES if bench.long else []):
        start = os.times().elapsed
        if shape[0] > most:
            print(f"{shape}: left out, this host's KVM takes {most} vCPUs", flush=True)
            continue
        most = check_shape(bench, *shape)
        print(f"{shape}: {os.times().elapsed - start:.1f} s", flush=True)


main()
