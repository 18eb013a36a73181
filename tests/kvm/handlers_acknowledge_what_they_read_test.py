#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The payload's flush handlers, parked at each of their steps: nothing is acknowledged
before the flush, and nothing that was asked after their load (tests/guest/handler_steps.c)."""
import tempfile

from bench import Bench, check, require

ROUNDS = 64             # of each of two vectors, as in handler_steps.c
PARKS = 3 * 2 * ROUNDS  # three steps a handler; the other vCPU leaves the slot as often


def run(bench, *options):
    with tempfile.TemporaryDirectory() as folder:
        _, summary, _ = bench.run_clean(
            folder, "--vcpus", "2", "--overcommit", "2", "--protocol", "ipi", "--slice-us",
            "10000000", "--preempt", "at-step=read,flushed,served", "--duration", "1", *options,
            bench.payload("handler_steps"))
    steps = summary["protocols"][0]["steps"]
    check(steps >= 2 * PARKS - 1, f"{options}: {steps} parks at a step")


def main():
    require("require_kvm")
    bench = Bench()
    run(bench)
    run(bench, "--flush-ceiling", "33")


main()
