#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A figure above its --fail-over limit ends a good run with status 6 and a line each;
what comes before 6 counts more: a guest that fails (4), a CSV that could not be
written (5)."""
import tempfile

from bench import Bench, check, read_summary, require

SHORT = ["--vcpus", "2", "--overcommit", "1", "--protocol", "generation", "--flushes", "50"]
EXCEEDED = "generation:stall.p50=1ns"


def run(bench, folder, *options):
    return bench.run(bench.command(folder, *options))


def lines_of(name, text):
    return [line for line in text.splitlines() if line.startswith(name)]


def main():
    require("require_kvm")
    bench = Bench()
    with tempfile.TemporaryDirectory() as folder:
        done = run(bench, folder, *SHORT, "--fail-over", f"generation:wall.max=1000s,{EXCEEDED}")
        check(done.status == 6, f"status {done.status}, said: {done.err}")
        check(done.err.count("\n") == 1 and done.err.startswith("generation:stall.p50: ")
              and done.err.endswith(" ns, over the limit of 1 ns\n"), f"said: {done.err!r}")
        kept, over = read_summary(folder)["fail_over"]
        check((kept["figure"], kept["exceeded"], kept["limit_ns"]) ==
              ("generation:wall.max", False, 10**12), f"{kept}")
        check((over["figure"], over["exceeded"], over["limit_ns"]) ==
              ("generation:stall.p50", True, 1), f"{over}")
        generation = read_summary(folder)["protocols"][0]
        check(over["value_ns"] == generation["stall_ns"]["p50"], f"{over}, {generation}")
        check(kept["value_ns"] == generation["wall_ns"]["max"], f"{kept}, {generation}")

        done = run(bench, folder, *SHORT, "--fail-over", "generation:wall.max=1000s")
        check((done.status, done.err) == (0, ""), f"status {done.status}, said: {done.err}")

        # Ten flushes are too few for a floor sample.
        done = run(bench, folder, *SHORT[:-1], "10", "--warmup", "0", "--fail-over",
                   "generation:floor.max=1000s")
        check(done.status == 6 and "not measured" in done.err, f"{done.status}: {done.err}")

        done = run(bench, folder, *SHORT, "--fail-over", EXCEEDED, "--csv", "/dev/full")
        check(done.status == 5, f"a full disk: status {done.status}, said: {done.err}")
        check(len(lines_of("generation:", done.err)) == 1, f"said: {done.err}")

        done = run(bench, folder, *SHORT, "--fail-over", EXCEEDED, bench.payload("ud2"))
        check(done.status == 4, f"a guest that fails: status {done.status}, said: {done.err}")


main()
