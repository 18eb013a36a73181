#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--preempt random: the same seed makes the same scheduling decisions in every round of
every protocol, another seed makes others."""
import tempfile

from bench import Bench, check, check_safe, require

# yield and sleep change the queue when they run, which is not the seed's to say.
PROTOCOLS = ["ipi", "deferred", "generation", "takeover"]

DURATIONS_S = [0.3, 1.2, 4.8]


def measure(bench, seed, duration_s):
    """Protocol and round, and what was decided in it; None where a slot had too little time."""
    with tempfile.TemporaryDirectory() as folder:
        _, summary, _ = bench.run_clean(
            folder, "--preempt", "random", "--seed", seed, "--protocol", ",".join(PROTOCOLS),
            "--repeat", "2", "--slice-us", "500", "--duration", str(duration_s))
    check_safe(summary["protocols"])
    found = {}
    for protocol in summary["protocols"]:
        for number, figures in enumerate(protocol["by_round"]):
            if figures["decisions_digest"] == "0" * 16:
                return None
            check(figures["decisions"] > 2 * 64, f"only {figures['decisions']} decisions")
            found[protocol["name"], number] = figures["decisions_digest"]
    check(len(found) == 2 * len(PROTOCOLS), f"digests of {list(found)}")
    return found


def digests(bench, seed):
    """A busy or an emulated host takes longer for as many decisions."""
    found = None
    for duration_s in DURATIONS_S:
        found = found or measure(bench, seed, duration_s)
    check(found is not None, f"a round without a digest after {DURATIONS_S[-1]} s")
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
