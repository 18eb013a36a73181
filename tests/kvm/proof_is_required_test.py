#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""--require-proof: every safe protocol shows what it is for in a short run, where the host
can show a lost flush at all; one that was idle is a line and status 1."""
import tempfile

from bench import SAFE, Bench, check, read_summary, require


def run(bench, folder, *options):
    return bench.run(bench.command(folder, "--require-proof", "--warmup", "0", *options))


def lines_of(names, words):
    return "".join(f"{name}: nothing is proved: {words}\n" for name in names)


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done = run(bench, folder, "--vcpus", "4", "--overcommit", "2", "--flushes", "40")
        if read_summary(folder)["exit_keeps_stale"]:
            check((done.status, done.err) == (0, ""), f"status {done.status}, said: {done.err}")
        else:
            check(done.status == 1 and done.err == lines_of(
                SAFE, "blind: an exit drops every translation on this host, so that a lost "
                "flush does not show"), f"status {done.status}, said: {done.err}")

        done = run(bench, folder, "--vcpus", "1", "--flushes", "3", "--protocol", "ipi,none")
        check(done.status == 1 and done.err == lines_of(["ipi"], "idle: one vCPU has no target"),
              f"one vCPU: status {done.status}, said: {done.err}")

        # A guest that fails is the news, and not what it did not get to.
        done = run(bench, folder, "--vcpus", "2", "--overcommit", "1", "--flushes", "3",
                   bench.payload("ud2"))
        check(done.status == 4 and "nothing is proved" not in done.err,
              f"a guest that fails: status {done.status}, said: {done.err}")


main()
