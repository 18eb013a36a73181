#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whoever takes vCPUs off their CPU, and whatever is flushed: no safe protocol lets a
stale load through. The default run covers every value of every dimension with every
policy; --long covers all their combinations."""
import itertools
import tempfile

from bench import SAFE, Bench, check, check_safe, require

POLICIES = ["slice", "random", "at-step", "host"]
# Initiators, pages, sleepers.
SOME = [(1, 64, 2), (2, 1, 0), (8, 1, 0), (2, 64, 3)]
ALL = [(initiators, pages, sleepers) for initiators, pages, sleepers
       in itertools.product((1, 2, 8), (1, 64), (0, 2))]


def measure(bench, policy, shape, flushes):
    initiators, pages, sleepers = map(str, shape)
    vcpus = str(max(8, shape[0] + shape[2]))
    with tempfile.TemporaryDirectory() as folder:
        _, summary, _ = bench.run_clean(
            folder, "--vcpus", vcpus, "--preempt", policy, "--initiators", initiators,
            "--pages", pages, "--sleepers", sleepers, "--slice-us", "1000", "--pace-us", "20",
            "--warmup", "0.02", "--flushes", str(flushes), "--duration", "60", limit_s=600)
    what = f"--preempt {policy}, initiators, pages, sleepers {shape}"
    names = [protocol["name"] for protocol in summary["protocols"]]
    check(names == SAFE, f"{what}: protocols {names}")
    check(summary["preempt"] == policy and summary["pages"] == shape[1], f"{what}: wrong summary")
    check_safe(summary["protocols"])
    for protocol in summary["protocols"]:
        check((protocol["sleeps"] > 0) == (shape[2] > 0 or protocol["name"] == "sleep"),
              f"{what}: {protocol['name']}: {protocol['sleeps']} sleeps")
    return {protocol["name"]: protocol["steps"] for protocol in summary["protocols"]}


def run(bench, policy, shape, flushes):
    steps = measure(bench, policy, shape, flushes)
    if policy != "at-step":
        check(not any(steps.values()), f"{policy}, {shape}: parks at a step {steps}")
        return
    if not all(steps.values()):                 # a dozen flushes may have met none
        steps = measure(bench, policy, shape, 20 * flushes)
    check(all(steps.values()), f"{shape}: parks at a step {steps}")


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    for policy in POLICIES:
        for shape in ALL if bench.long else SOME:
            run(bench, policy, shape, 40 if bench.long else 12)


main()
