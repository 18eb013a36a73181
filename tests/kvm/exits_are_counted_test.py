#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Exits to userspace are counted by reason: as many as there were events behind them."""
import re
import tempfile

from bench import SAFE, Bench, check, require

VCPUS, FLUSHES = 4, 60


def count(protocol, kind):
    return protocol["exits"].get(kind, {"count": 0})["count"]


def check_exits(protocol):
    name, exits = protocol["name"], protocol["exits"]
    for kind, figure in exits.items():
        check(figure["count"] > 0, f"{name}: {kind}: {figure}")
        check(figure["max_ns"] <= figure["total_ns"] + figure["count"] <=
              (figure["max_ns"] + 2) * figure["count"], f"{name}: {kind}: {figure}")
    check(count(protocol, "ready") == VCPUS, f"{name}: {exits}")
    check(count(protocol, "stopped") == 1, f"{name}: {exits}")
    check(count(protocol, "signal") > 0, f"{name}: no slice ended: {exits}")
    for kind, events in ("sleep", "sleeps"), ("wake", "wakes"), ("yield-to", "yields"), \
            ("step-posted", "steps"), ("spun", "spun"):
        check(count(protocol, kind) == protocol[events],
              f"{name}: {protocol[events]} {events}, but {kind} in {exits}")
    asked = count(protocol, "flush-others")
    check(asked >= FLUSHES if name == "hypercall" else asked == 0, f"{name}: {exits}")


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done, summary, _ = bench.run_clean(
            folder, "--vcpus", str(VCPUS), "--overcommit", "2", "--flushes", str(FLUSHES),
            "--preempt", "at-step=posted", "--extra", "exits")
    for protocol in summary["protocols"]:
        check_exits(protocol)
        check(count(protocol, "step-posted") > 0, f"{protocol['name']}: never parked at a step")
        for kind in protocol["exits"]:
            check(re.search(rf"^{protocol['name']} +{kind} ", done.out, re.MULTILINE),
                  f"no row of {protocol['name']}, {kind}:\n{done.out}")
    totals = {kind: sum(count(p, kind) for p in summary["protocols"])
              for kind in ("sleep", "wake", "yield-to", "flush-others")}
    check(all(totals.values()), f"not every reason was there: {totals}")
    check([p["name"] for p in summary["protocols"]] == SAFE, "not every protocol")


main()
