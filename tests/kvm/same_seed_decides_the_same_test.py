#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--preempt random: the same seed makes the same scheduling decisions in every round of
every protocol, another seed makes others."""
import tempfile

from bench import Bench, check, check_safe, require

# yield and sleep change the queue when they run, which is not the seed's to say.
PROTOCOLS = ["ipi", "deferred", "generation", "takeover"]


def digests(bench, seed):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, _ = bench.run_clean(
            folder, "--preempt", "random", "--seed", seed, "--protocol", ",".join(PROTOCOLS),
            "--repeat", "2", "--slice-us", "500", "--duration", "0.3")
    check_safe(summary["protocols"])
    found = {}
    for protocol in summary["protocols"]:
        for number, figures in enumerate(protocol["by_round"]):
            check(figures["decisions"] > 2 * 64, f"only {figures['decisions']} decisions")
            found[protocol["name"], number] = figures["decisions_digest"]
    check(len(found) == 2 * len(PROTOCOLS), f"digests of {list(found)}")
    check("0" * 16 not in found.values(), "a round without a digest")
    return found


def main():
    require("require_kvm")
    bench = Bench()
    seven = digests(bench, "7")
    check(digests(bench, "7") == seven, "the same seed decided something else")
    # Each round draws its own, and the protocol does not matter.
    for number in range(2):
        check(len({seven[name, number] for name in PROTOCOLS}) == 1,
              f"round {number}: protocols were preempted differently")
    check(seven["ipi", 0] != seven["ipi", 1], "both rounds drew the same")
    eight = digests(bench, "8")
    check(all(eight[key] != digest for key, digest in seven.items()),
          "another seed decided the same")


main()
