#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A protocol that is silently off still gets every flush right: the counts have to
show that each one did what it is for."""
import tempfile

from bench import SAFE, UNSAFE, Bench, check, check_safe, require

# What has to have happened, and what cannot have.
EVENTS = ["deferred_per_flush", "transfers", "takeovers", "yields", "kicks", "sleeps", "wakes"]
HAPPENS = {
    "ipi": [],
    "sleep": ["sleeps", "wakes"],
    "yield": ["yields"],
    "deferred": ["deferred_per_flush"],
    "generation": ["deferred_per_flush", "transfers"],
    "takeover": ["deferred_per_flush", "takeovers"],
    "hypercall": ["kicks"],
    "ipi-pending-2017": ["deferred_per_flush", "transfers"],
}


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    protocols = SAFE + UNSAFE
    with tempfile.TemporaryDirectory() as folder:
        _, summary, rows = bench.run_clean(
            folder, "--protocol", ",".join(protocols), "--slice-us", "500", "--pace-us", "20",
            "--duration", "1.5")
    results = {protocol["name"]: protocol for protocol in summary["protocols"]}
    check(list(results) == protocols, "wrong list of protocols")
    check_safe([results[name] for name in SAFE])
    for name, result in results.items():
        for event in EVENTS:
            check((result[event] > 0) == (event in HAPPENS[name]),
                  f"{name}: {event} is {result[event]}")
        check(result["spurious_ipis"] <= result["transfers"], f"{name}: more spurious than transfers")
    check(all(row.ipis == 7 for row in rows if row.protocol in ("ipi", "sleep", "yield")),
          "not all interrupted")
    check(all(row.ipis == 0 for row in rows if row.protocol == "hypercall"), "IPIs of hypercall")


main()
