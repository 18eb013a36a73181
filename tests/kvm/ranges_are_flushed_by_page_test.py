#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A flush of few pages goes page by page, one of many pages flushes all, and neither
leaves a stale translation behind; the controls are caught in both."""
import tempfile

from bench import CONTROLS, EMULATED, Bench, check, check_safe, require, slice_us

# Those that live on the request word, where a range can go along. Of each flush of the first
# every target is one that may go by page; of the others the one or two that run, if they go
# on running.
ASKING = ["ipi", "yield"]
DEFERRING = ["deferred", "generation", "takeover"]
RANGED = ASKING + DEFERRING + ["skip-preempted"]


def run(bench, pages, ceiling, *options):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, rows = bench.run_clean(
            folder, "--pages", str(pages), "--flush-ceiling", str(ceiling), "--slice-us",
            slice_us(1000), "--warmup", "0", "--flushes", "30", *options)
    by_page = pages <= ceiling
    check(summary["by_page"] == by_page, f"{pages} pages, ceiling {ceiling}: by_page")
    check(all(row.pages == pages for row in rows), f"{pages} pages: not in every row")
    check_safe([protocol for protocol in summary["protocols"] if protocol["safe"]])
    for protocol in summary["protocols"]:
        # Floor samples go by page under every protocol, one in 64 flushes of an initiator.
        floors = summary["initiators"] * (1 + protocol["flushes"] // 64) if by_page else 0
        ranged = by_page and protocol["name"] in RANGED
        check(protocol["by_page"] > 0 if ranged else protocol["by_page"] <= floors,
              f"{pages} pages, ceiling {ceiling}: {protocol['name']}: "
              f"{protocol['by_page']} served by page")


def main():
    require("require_kvm")
    require("require_cpus", "2")
    bench = Bench()
    for pages, ceiling in (1, 33), (33, 33), (34, 33), (63, 63), (64, 63), (1, 0):
        run(bench, pages, ceiling, "--protocol", ",".join(ASKING), "--flushes", "10")
        run(bench, pages, ceiling, "--protocol", ",".join(DEFERRING), "--flushes", "100")
    # Several requests outstanding: the handler must not go by one of their ranges.
    # Who waits for every target waits for a rotation each time.
    for initiators in "2", "8":
        several = ["--initiators", initiators, "--pace-us", "0"]
        run(bench, 3, 33, *several, "--protocol", ",".join(DEFERRING), "--flushes", "100")
        run(bench, 3, 33, *several, "--protocol", ",".join([*ASKING, "sleep", "hypercall"]))
    run(bench, 1, 33, "--vcpus", "300", "--overcommit", "150", "--protocol", "generation",
        "--flushes", "16", "--slice-us", "5000" if EMULATED else "1000")
    run(bench, 2, 33, "--protocol", ",".join(CONTROLS), "--flushes", "200")


main()
