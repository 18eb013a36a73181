#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Four vCPUs that have each seen 2^63 stale loads are no good run: what a payload counts adds
up to the most there is, marked as that, and never to 0."""
import re
import tempfile

from bench import Bench, check, read_summary, require


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done = bench.run(bench.command(folder, "--vcpus", "4", "--overcommit", "2", "--protocol",
                                       "generation", "--duration", "0.1", "--warmup", "0",
                                       bench.payload("stale_wraps")))
        summary = read_summary(folder)
    protocol, = summary["protocols"]
    check(done.status == 1, f"status {done.status}, said: {done.err}")
    check(f"{2**64 - 1} stale loads" in done.err, f"said: {done.err}")
    check(re.search(r"^generation .* STALE\*?!$", done.out, re.MULTILINE), done.out)
    check("! ran over: " in done.out, done.out)
    check(protocol["stale"] == 2**63 - 1 and protocol["saturated"], f"{protocol}")


main()
