#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""RLIMIT_STACK of 64 KiB is enough for all that the program does, in main and in every
thread: each kind of run ends as with the usual limit, its files complete."""
import os
import resource
import tempfile

from bench import Bench, check, check_counts, read_csv, read_summary, require

KIB = 1024
SHAPE = ["--vcpus", "3", "--overcommit", "3", "--warmup", "0"]
# Everything that is printed or written, and every kind of thread.
RUNS = [
    ["--protocol", "all", "--flushes", "5", "--duration", "2", "--extra", "exits,hgrm,hist"],
    ["--protocol", "generation", "--flushes", "20", "--reclaim", "500", "--shadow-reclaim", "rcu"],
    ["--protocol", "generation", "--flushes", "20", "--workload", "teardown"],
    ["--protocol", "ipi", "--duration", "20", "--break-over", "1"],
    ["--protocol", "ipi", "--flushes", "5", "--fail-over", "ipi:wall.max=60s"],
]


def small():
    resource.setrlimit(resource.RLIMIT_STACK, (64 * KIB, 64 * KIB))


def main():
    require("require_kvm")
    bench = Bench()
    for options in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            done = bench.run(bench.command(folder, *SHAPE, *options), preexec_fn=small, limit_s=180)
            check(done.status == 0 and done.out, f"{options}: {done.status}, said: {done.err}")
            check_counts(read_summary(folder), read_csv(folder))
    with tempfile.TemporaryDirectory() as folder:
        done = bench.run(bench.command(folder, "--litmus=mask-bit"), preexec_fn=small, limit_s=180)
        check(done.status == 0, f"litmus: {done.status}, said: {done.err}")
        done = bench.run(bench.command(folder, os.path.join(folder, "n" * 200)), preexec_fn=small)
        check(done.status == 2, f"a long name: {done.status}, said: {done.err}")
        done = bench.run(bench.command(folder, *SHAPE, bench.payload("ud2_at_boot")), preexec_fn=small)
        check(done.status == 4, f"a guest that fails: {done.status}, said: {done.err}")


main()
