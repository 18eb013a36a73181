#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--clear-pending takes the IPI of a transferred request back before its target runs
again; without it the IPI stays and is counted. Neither loses a flush."""
import tempfile

from bench import Bench, check, check_safe, require


def run(bench, *options):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, _ = bench.run_clean(folder, "--protocol", "generation,takeover",
                                        "--slice-us", "500", "--pace-us", "0",
                                        "--flushes", "300", "--duration", "60",
                                        "--initiators", "2", *options)
    check_safe(summary["protocols"])
    return summary["protocols"]


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    generation, takeover = run(bench)
    check(generation["spurious_ipis"] > 0, "no spurious IPI to take back")
    check(generation["cleared_ipis"] == 0, "taken back without being asked")
    generation, takeover = run(bench, "--clear-pending")
    check(0 < generation["cleared_ipis"] <= generation["spurious_ipis"],
          f"{generation['cleared_ipis']} of {generation['spurious_ipis']} taken back")
    check(takeover["cleared_ipis"] == 0, "taken back where nothing was transferred")


main()
