#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--preempt at-step=STEP parks a vCPU there, at every flush, and nowhere else; no safe
protocol minds, with and without neighbours on the slot."""
import tempfile

from bench import SAFE, UNSAFE, Bench, check, check_safe, require

INITIATORS_STEPS = ["posted", "publish"]
HANDLERS_STEPS = ["read", "flushed", "served"]
# No IPI, so no handler but that of a floor sample now and then.
WITHOUT_HANDLER = ["hypercall"]


def run(bench, step, overcommit):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, _ = bench.run_clean(
            folder, "--preempt", f"at-step={step}", "--vcpus", "4", "--overcommit", overcommit,
            "--protocol", ",".join(SAFE + UNSAFE), "--initiators", "2", "--slice-us", "500",
            "--warmup", "0", "--duration", "0.25")
    check(summary["steps"] == [step], f"steps {summary['steps']}")
    check_safe([protocol for protocol in summary["protocols"] if protocol["safe"]])
    for protocol in summary["protocols"]:
        what = f"at-step={step}, {protocol['name']}: {protocol['steps']} parks at a step"
        if step in INITIATORS_STEPS:
            # A flush that was cut short by the end has its step too.
            check(protocol["steps"] >= protocol["flushes"], what)
        elif protocol["name"] in WITHOUT_HANDLER:
            check(protocol["steps"] <= 3 * (1 + protocol["flushes"] // 64), what)
        else:
            check(protocol["steps"] > 0, what)


def main():
    require("require_kvm")
    bench = Bench()
    for step in INITIATORS_STEPS + HANDLERS_STEPS:
        run(bench, step, "2")
    run(bench, "flushed", "1")


main()
